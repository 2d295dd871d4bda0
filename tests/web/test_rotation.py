"""Replacing a signing secret, on the page and by the API: each secret stands in one answer alone."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from pytest_django import Settings

from core.models import KeptAnswer
from core.permissions import TenantRole
from integrations.models import Endpoint
from integrations.services import endpoints
from tests import api, make
from tests.receiving import Case, connected

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(settings: Settings) -> Iterator[Case]:
    with connected(settings) as made:
        yield made


@pytest.fixture
def endpoint(case: Case, client) -> Endpoint:
    client.force_login(case.member.user)
    return case.register()


def told(answer) -> list[str]:
    return re.findall(r"whsec_[A-Za-z0-9+/]{43}=", answer.content.decode())


def page(case: Case) -> str:
    return f"/t/{case.member.tenant.slug}/integrations/"


def test_the_page_shows_a_new_secret_once_and_ends_the_old_one(case, endpoint, client):
    here = f"{page(case)}endpoints/{endpoint.pk}/"
    answer = client.post(f"{here}rotate/", {"hours": "24"})
    (new,) = set(told(answer))
    assert "no-store" in answer["Cache-Control"]
    assert "Until then messages are signed with both." in answer.content.decode()
    shown = client.get(page(case))
    assert told(shown) == []
    assert "Its signing secret is being replaced" in shown.content.decode()
    again = client.post(f"{here}rotate/", {"hours": "24"})
    assert (again.status_code, told(again)) == (422, [])
    assert "Its secret is being replaced already." in again.content.decode()
    said = client.post(f"{here}end-old/", follow=True).content.decode()
    assert "Its signing secret is being replaced" not in said
    endpoint.refresh_from_db()
    assert endpoints.secrets_of(endpoint, at=endpoint.secret_changed_at) == [new]


def test_the_page_takes_a_new_secret_back(case, endpoint, client):
    here = f"{page(case)}endpoints/{endpoint.pk}/"
    client.post(f"{here}rotate/", {"hours": "1"})
    assert "Replace its signing secret" in client.post(f"{here}take-back/", follow=True).content.decode()
    assert "The old secret has ended." in client.post(f"{here}take-back/", follow=True).content.decode()


@pytest.mark.parametrize("hours", ["", "8", "-1", "x"])
def test_an_overlap_that_is_not_offered_changes_nothing(case, endpoint, client, hours):
    answer = client.post(f"{page(case)}endpoints/{endpoint.pk}/rotate/", {"hours": hours})
    assert (answer.status_code, told(answer)) == (422, [])
    endpoint.refresh_from_db()
    assert endpoint.secret_changed_at is None


def test_an_auditor_sees_that_a_secret_is_replaced_and_no_button(case, endpoint, client):
    client.post(f"{page(case)}endpoints/{endpoint.pk}/rotate/", {"hours": "24"})
    client.force_login(make.member(case.member.tenant, TenantRole.AUDITOR).user)
    said = client.get(page(case)).content.decode()
    assert "Its signing secret is being replaced" in said
    assert "End the old one now" not in said


def test_a_tool_replaces_a_secret_and_ends_the_old_one(case, endpoint):
    secret, key = api.token(case.member, "endpoints:rotate", "harness:read"), str(uuid4())
    at = f"/api/v1/endpoints/{endpoint.pk}"

    def begin(**body: int):
        return api.call("POST", f"{at}/rotation", secret=secret, body=body, key=key)

    made = begin().json()
    assert told(begin()) == []
    assert begin().json() == {**made, "secret": None}
    (row,) = api.call("GET", "/api/v1/endpoints", secret=secret).json()["items"]
    assert row["old_secret_ends_at"] == made["old_secret_ends_at"] is not None
    assert "secret" not in row
    assert api.call("POST", f"{at}/rotation", secret=secret).status_code == 422
    assert api.call("DELETE", f"{at}/rotation", secret=secret).status_code == 204
    key = str(uuid4())
    made = begin(overlap_hours=1).json()
    assert [api.call("DELETE", f"{at}/old-secret", secret=secret).status_code for _ in range(2)] == [204, 204]
    assert api.call("DELETE", f"{at}/rotation", secret=secret).status_code == 422
    endpoint.refresh_from_db()
    assert endpoints.secrets_of(endpoint, at=endpoint.secret_changed_at) == [made["secret"]]
    with make.arranging():
        assert not any(b"whsec_" in bytes(row.body or b"") for row in KeptAnswer.objects.all())
    assert api.call("POST", f"/api/v1/endpoints/{uuid4()}/rotation", secret=secret).status_code == 404
    reader = api.token(case.member, "harness:run")
    assert api.call("POST", f"{at}/rotation", secret=reader).status_code == 403
