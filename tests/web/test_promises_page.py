"""The page of promises, and what may be taken along from it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Tenant
from compliance.domain.datasets import Dataset
from compliance.services import obligations
from core import holds, tenancy
from core.evidence import verifier
from core.models import Hold
from core.permissions import StaffRole, TenantRole
from tests import make, worlds

pytestmark = pytest.mark.django_db

AT = datetime.now(UTC)
RESIDENCY = {
    "key": "residency", "kind": "residency", "title": "Data stay <here>", "promise": "Here only.",
    "source": "Contract 9.2", "owner": "legal-privacy",
}  # fmt: skip


@pytest.fixture
def auditor(client: Client):
    member = make.member(make.tenant("Aloha Air", slug="aloha"), TenantRole.AUDITOR)
    client.force_login(member.user)
    return member


@pytest.fixture
def promised(auditor):
    with make.arranging():
        obligations.adopt_standard(tenant_id=auditor.tenant_id, by=make.SYSTEM, at=AT)
        return obligations.record(**RESIDENCY, tenant_id=auditor.tenant_id, by=make.SYSTEM, at=AT)


def test_before_anything_is_recorded_the_page_says_what_will_be_there(client, auditor):
    page = client.get("/t/aloha/promises/").text
    assert "No promise is recorded yet" in page
    assert page.count("90 days after your move is done") == len(Dataset)


def test_a_gap_says_whose_turn_it_is(client, promised):
    page = client.get("/t/aloha/promises/").text
    assert "Data stay &lt;here&gt;" in page
    assert "Nothing keeps this promise yet" in page
    assert "Nothing is needed from you" in page


def test_an_attestation_is_downloaded_with_its_verifier(client, auditor):
    with make.arranging():
        row = worlds.attest(auditor.tenant_id, at=AT)
    page = client.get("/t/aloha/promises/").text
    assert row.sha256[:16] in page
    file = client.get(f"/t/aloha/promises/attestations/{row.pk}.json")
    assert file["Content-Disposition"] == f'attachment; filename="attestation-{row.sha256[:12]}.json"'
    assert set(file.json()) == {"algorithm", "public_key", "signature", "statement"}
    assert b"def verify" in client.get("/t/aloha/promises/verify_attestation.py").content


def test_an_evidence_pack_is_frozen_by_whoever_may_see_evidence(client, promised):
    response = client.post("/t/aloha/promises/evidence/")
    assert response["Content-Type"] == "application/zip"
    assert verifier.verify(response.content).problems == []


@pytest.fixture
def lead(client: Client):
    person = make.staff(StaffRole.LEGAL_PRIVACY_LEAD)
    client.force_login(person)
    return person


def test_the_lead_works_in_the_admin(client, promised, lead):
    def do(name: str, **answers: object):
        return client.post(reverse(f"admin:compliance_obligation_{name}", args=[promised.pk]), answers, follow=True)

    assert "is planned until" in do("plan", plan="A region", due_on="2099-01-01").text
    assert "The plan&#x27;s day lies in the past" in do("plan", plan="A region", due_on="2001-01-01").text
    assert "is kept now" in do("state_control", control="The region is chosen at set-up").text
    wanted = {"title": "Kept ten years", "kind": "retention", "promise": "Ten.", "source": "9.3", "owner": "data"}
    assert "is recorded" in do("record", **wanted).text
    assert "recorded for this account already" in do("record", **wanted).text
    tenant_page = client.get(reverse("admin:accounts_tenant_change", args=[promised.tenant_id])).text
    assert "Kept ten years" in tenant_page
    assert "has ended" in do("retire").text


def test_the_lead_places_a_legal_hold_and_releases_it(client, promised, lead):
    def place(on: str):
        answers = {"reason": "Litigation", "until": on}
        return client.post(at, answers, follow=True)

    at = reverse("admin:accounts_tenant_legal_hold", args=[promised.tenant_id])
    with make.arranging():
        Tenant.objects.filter(pk=promised.tenant_id).update(time_zone="America/New_York")

    assert "must end within 365 days" in place("2999-01-01").text
    until = (AT + timedelta(days=30)).date()
    assert "time zone, America/New_York" in client.get(at).text
    assert f"is deleted until {until + timedelta(days=1)} 00:00 E" in place(f"{until}").text  # EST or EDT
    with make.arranging():
        hold = Hold.objects.get(kind=holds.LEGAL_HOLD, tenant_id=promised.tenant_id)
        assert holds.is_legally_held(tenant_id=hold.tenant_id, at=AT + timedelta(minutes=5))
    release = reverse("admin:core_hold_release", args=[hold.pk])
    client.force_login(make.staff(StaffRole.CS_LEAD))
    assert client.post(release).status_code == 403
    client.force_login(lead)
    assert "The hold is released" in client.post(release, follow=True).text
    with make.arranging():
        assert Hold.objects.get(pk=hold.pk).ended_at is not None


def test_others_of_staff_see_and_change_nothing(client, promised):
    client.force_login(make.staff(StaffRole.CS_LEAD))
    assert client.get(reverse("admin:compliance_obligation_change", args=[promised.pk])).status_code == 200
    assert client.post(reverse("admin:compliance_obligation_retire", args=[promised.pk])).status_code == 403


def test_staged_data_are_needed_until_the_account_has_moved(client, promised, lead):
    with tenancy.empty_scope(), make.arranging():
        row = promised.__class__.objects.get(key="deletion")
    page = client.post(reverse("admin:compliance_obligation_delete_stage", args=[row.pk]), follow=True).text
    assert "Stage data are needed until the account is past its cutover" in page


def test_the_lead_erases_what_is_kept_of_a_move_once_nobody_can_go_back(client, promised, lead):
    with tenancy.empty_scope(), make.arranging():
        row = promised.__class__.objects.get(key="deletion")
    url = reverse("admin:compliance_obligation_erase", args=[row.pk])
    asked = client.get(url).text
    assert all(told in asked for told in ("Findings of comparisons", "Names in the identity map"))
    assert "Data staged for the move" not in asked
    page = client.post(url, {"dataset": "findings", "confirmed": "1"}, follow=True).text
    assert "This is needed while there is a way back to legacy." in page


def test_the_page_costs_the_same_however_many_promises_there_are(client, promised):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost() -> int:
        client.get("/t/aloha/promises/")
        with CaptureQueriesContext(connection) as counted:
            client.get("/t/aloha/promises/")
        return len(counted)

    few = cost()
    with make.arranging():
        promised.__class__.objects.bulk_create(
            promised.__class__(**RESIDENCY | {"key": f"p{n}"}, tenant_id=promised.tenant_id, recorded_at=AT,
                               recorded_by=make.SYSTEM.id, checks=["backfills.conserved"])
            for n in range(1000)
        )  # fmt: skip
    assert cost() == few
