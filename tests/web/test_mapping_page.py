"""What happens to an entity, as a customer reads it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backfills.domain.runs import RunState
from backfills.domain.spec import load
from backfills.models import Run
from backfills.queries import mapping
from backfills.services import versions
from core.permissions import TenantRole
from core.tenancy import scope
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


def test_what_changed_since_a_version_that_judged_their_rows_is_told_to_them():
    tenant, at = make.tenant("Zebra Air"), timezone.now()
    earlier = load(mapping.specs()["flights"].source_text.replace("above_percent: 0.1", "above_percent: 5"))
    client, url = Client(), f"/t/{tenant.slug}/runs/entities/flights/mapping/changes/"
    client.force_login(make.member(tenant, TenantRole.AUDITOR).user)
    assert "Nothing has changed yet" in text(client.get(url))
    with scope(tenant_id=tenant.pk):
        Run.objects.create(
            tenant_id=tenant.pk, entity="flights", state=RunState.QUEUED, spec=earlier.label, requested_at=at
        )
    assert "was not kept" in text(client.get(url))
    with scope(tenant_id=tenant.pk):
        versions.keep([earlier], by=make.SYSTEM, at=at)
    page = text(client.get(url))
    assert "Above 5 % rejected rows</td>" in page
    assert "Above 0.1 % rejected rows</td>" in page
    assert earlier.label in page
    back = text(client.get(url, {"before": mapping.specs()["flights"].label, "after": earlier.label}))
    assert back.index("Above 0.1 % rejected rows</td>") < back.index("Above 5 % rejected rows</td>")


def test_a_version_that_judged_none_of_their_rows_is_not_told_to_them():
    tenant, at = make.tenant("Zebra Air"), timezone.now()
    others = load(mapping.specs()["flights"].source_text.replace("above_percent: 0.1", "above_percent: 5"))
    with scope(tenant_id=tenant.pk):
        versions.keep([others], by=make.SYSTEM, at=at)
    client = Client()
    client.force_login(make.member(tenant, TenantRole.AUDITOR).user)
    answer = client.get(f"/t/{tenant.slug}/runs/entities/flights/mapping/changes/", {"before": others.label})
    assert answer.status_code == 422
    assert "No row of yours was judged by that version." in text(answer)
    assert "above 5 %" not in text(answer)
