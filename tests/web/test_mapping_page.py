"""What happens to an entity, as a customer reads it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.permissions import TenantRole
from tests import make

pytestmark = pytest.mark.usefixtures("db")


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_every_field_says_where_it_comes_from_and_what_is_left_behind_says_why():
    tenant = make.tenant("Zebra Air")
    client = Client()
    client.force_login(make.member(tenant, TenantRole.AUDITOR).user)
    page = text(client.get(f"/t/{tenant.slug}/runs/entities/aircraft/mapping/"))
    assert "<title>What happens to aircraft · Zebra Air · Crossing</title>" in page
    assert "“seat_cnt” as a whole number" in page
    assert "Almost no row holds a speed" in page
    assert "2026-10-01" in page
    assert "Aircraft types</a> comes from the same table of legacy" in page
    assert "A tail number stands once in legacy" in page
    with CaptureQueriesContext(connection) as one:
        client.get(f"/t/{tenant.slug}/runs/entities/aircraft/mapping/")
    with CaptureQueriesContext(connection) as other:
        client.get(f"/t/{tenant.slug}/runs/entities/flights/mapping/")
    assert len(one) == len(other)
    assert client.get(f"/t/{tenant.slug}/runs/entities/nothing/mapping/").status_code == 404
