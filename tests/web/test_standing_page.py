"""Keep catching up: switched on and stopped on its page, told on “Your data” and to staff."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import Pace, Run
from backfills.queries import mapping
from core import toggles
from core.permissions import StaffRole, TenantRole
from tests import make

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def tenant() -> Tenant:
    made = make.tenant("Zebra Air")
    at = timezone.now() - timedelta(minutes=9)
    with make.arranging():
        for name, spec in mapping.specs().items():
            Run.objects.create(
                tenant=made, entity=name, state=RunState.SUCCEEDED, spec=spec.label, source_total=3,
                requested_at=at, started_at=at, finished_at=at, watermark=at,
            )  # fmt: skip
    return made


def signed_in(tenant: Tenant, role: TenantRole = TenantRole.ADMIN) -> Client:
    client = Client()
    client.force_login(make.member(tenant, role).user)
    return client


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_it_is_switched_on_told_and_stopped(tenant: Tenant) -> None:
    client, data = signed_in(tenant), f"/t/{tenant.slug}/runs/"
    page = text(client.get(data))
    assert "10 minutes behind legacy" in page
    assert "arrives only when somebody asks for it" in page
    assert 'hx-trigger="every' not in page
    form = text(client.get(f"{data}standing/"))
    day = (timezone.now() + timedelta(days=14)).date()
    assert f'value="{day}"' in form
    page = text(client.post(f"{data}standing/", {"every": "3", "until": day}, follow=True))
    assert "is brought over by itself from now on" in page
    assert "What changes there is brought over every 3 minutes, until" in page
    assert 'hx-trigger="every 15s"' in page
    assert "It is switched on" in text(client.get(f"{data}standing/"))
    page = text(client.post(f"{data}standing/end/", follow=True))
    assert "Nothing is brought over by itself any more." in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"every": "4", "until": "2026-12-01"}, "Select a valid choice"),
        ({"every": "2", "until": "soon"}, "Enter a valid date"),
        ({"every": "2", "until": "2020-01-01"}, "and not in the past"),
        ({"every": "2", "until": "9999-12-31"}, "Choose an earlier day."),
    ],
)
def test_what_cannot_be_says_why(tenant: Tenant, asked: dict[str, str], words: str) -> None:
    answer = signed_in(tenant).post(f"/t/{tenant.slug}/runs/standing/", asked)
    assert answer.status_code == 422
    assert words in text(answer)


def test_a_file_that_tells_no_age_is_not_said_to_be_new_nor_to_have_not_moved(tenant: Tenant) -> None:
    with make.arranging():
        Run.objects.update(source_version="sha256:1", watermark=None)
    client = signed_in(tenant)
    page = text(client.get(f"/t/{tenant.slug}/runs/"))
    assert "tells how old it is, so nobody knows" in page
    assert "Not everything has moved yet" not in page
    assert "The files do not tell" in text(client.get(f"/t/{tenant.slug}/"))


def test_who_may_only_look_is_offered_nothing(tenant: Tenant) -> None:
    page = text(signed_in(tenant, TenantRole.AUDITOR).get(f"/t/{tenant.slug}/runs/"))
    assert "10 minutes behind legacy" in page
    assert "Keep catching up" not in page


def test_staff_sees_it_switches_it_and_limits_the_speed(tenant: Tenant) -> None:
    client = Client()
    client.force_login(make.staff(StaffRole.DATA_LEAD))
    listed = text(client.get(reverse("admin:accounts_tenant_changelist")))
    assert "10 minutes" in listed
    page = text(client.get(reverse("admin:accounts_tenant_change", args=[tenant.pk])))
    assert "Keep catching up" in page
    until = (timezone.now() + timedelta(days=3)).date()
    client.post(reverse("admin:accounts_tenant_keep_up", args=[tenant.pk]), {"every": "5", "until": until})
    client.post(reverse("admin:accounts_tenant_limit_rows", args=[tenant.pk]), {"rows_per_second": "500"})
    page = text(client.get(reverse("admin:accounts_tenant_change", args=[tenant.pk])))
    assert "is brought over every 5 minutes until" in page
    assert "Limited to 500 rows per second." in page
    client.post(reverse("admin:accounts_tenant_stop_keeping_up", args=[tenant.pk]))
    with make.arranging():
        assert toggles.where_on("backfills.standing_catch_up", at=timezone.now()) == {}
        assert Pace.objects.get().rows_per_second == 500
    refused = client.post(reverse("admin:accounts_tenant_limit_rows", args=[tenant.pk]), {"rows_per_second": "0"})
    assert refused.status_code == 422
