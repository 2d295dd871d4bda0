"""Provisioning for our own people: they see how it stands, stop it, have it done again, and change nobody by it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ProvisionedUser, Provisioning
from core import ledger, queue, tenancy
from core.models import LedgerDatum
from core.permissions import StaffRole
from tests import make
from tests.services.test_provisioning import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.user("ann", externalId="1")
    made.directory.user("x@elsewhere.example")
    made.enable()
    return made


def staff(*roles: StaffRole) -> Client:
    client = Client()
    client.force_login(make.staff(*roles))
    return client


def row(desk: Desk) -> Provisioning:
    with make.arranging():
        return Provisioning.objects.get(tenant=desk.tenant)


def test_support_pulls_the_brake_and_the_customer_reads_why(desk: Desk) -> None:
    client, setting = staff(StaffRole.SUPPORT), row(desk)
    page = client.get(reverse("admin:accounts_provisioning_change", args=[setting.pk])).content.decode()
    assert "counts · ends" in page
    hold = reverse("admin:accounts_provisioning_hold", args=[setting.pk])
    assert client.post(hold, {"reason": ""}).status_code == 422
    assert row(desk).enabled_at is not None
    client.post(hold, {"reason": "The directory deactivates everybody."})
    assert row(desk).enabled_at is None
    assert desk.active() == {"owner": "owner", "ann": "member"}
    with tenancy.scope(tenant_id=desk.tenant.pk):
        events = [entry.event for entry in ledger.recent(tenant_id=desk.tenant.pk, limit=10)]
    assert events.count("accounts.provisioning.back_on_trial") == 1
    with make.arranging():
        kept = LedgerDatum.objects.filter(tenant=desk.tenant, name="reason").values_list("value", flat=True)
        assert list(kept) == ["The directory deactivates everybody."]


def test_what_the_directory_said_is_done_again_in_the_name_of_whoever_enabled_it(desk: Desk) -> None:
    client, setting = staff(StaffRole.IDENTITY_BILLING_LEAD), row(desk)
    with make.arranging():
        ProvisionedUser.objects.filter(tenant=desk.tenant).update(outcome="", reason="")
    client.post(reverse("admin:accounts_provisioning_settle", args=[setting.pk]))
    queue.run_pending()
    with make.arranging():
        outcomes = set(ProvisionedUser.objects.filter(tenant=desk.tenant).values_list("outcome", flat=True))
    assert outcomes == {"nothing", "nobody"}
    with make.arranging():
        Provisioning.objects.update(enabled_at=None, enabled_by=None)
    assert client.post(reverse("admin:accounts_provisioning_settle", args=[setting.pk])).status_code in (302, 422)
    assert "settle" not in client.get(reverse("admin:accounts_provisioning_change", args=[setting.pk])).content.decode()


def test_what_came_of_people_and_calls_is_said_in_words(desk: Desk) -> None:
    client = staff(StaffRole.SUPPORT)
    people, calls = (
        client.get(reverse(f"admin:accounts_{name}_changelist")).content.decode()
        for name in ("provisioneduser", "provisioningcall")
    )
    for words in ("Did not become a member", "The address is not of a domain that you have proven"):
        assert words in people
    assert ">not_proven<" not in people + calls
    assert "Would not become a member" in calls


def test_an_auditor_sees_and_touches_nothing(desk: Desk) -> None:
    client, setting = staff(StaffRole.AUDITOR), row(desk)
    assert client.get(reverse("admin:accounts_provisioning_changelist")).status_code == 200
    for name in ("hold", "settle"):
        address = reverse(f"admin:accounts_provisioning_{name}", args=[setting.pk])
        assert client.post(address, {"reason": "x"}).status_code == 403
    assert row(desk).enabled_at is not None


def test_lists_are_filtered_and_each_tells_its_latest_calls(desk: Desk) -> None:
    client = staff(StaffRole.SUPPORT)
    people = reverse("admin:accounts_provisioneduser_changelist")
    assert "x@elsewhere.example" in client.get(f"{people}?came_to=nobody").content.decode()
    assert "x@elsewhere.example" not in client.get(f"{people}?came_to=joined").content.decode()
    with make.arranging():
        ann = ProvisionedUser.objects.get(external_id="1")
    told = client.get(reverse("admin:accounts_provisioneduser_change", args=[ann.pk])).content.decode()
    assert "POST userName, externalId · 201 · Would become a member" in told
    calls = reverse("admin:accounts_provisioningcall_changelist")
    assert client.get(f"{calls}?status__exact=201&came_to=joined").status_code == 200
