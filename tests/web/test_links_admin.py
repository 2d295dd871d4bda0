"""Sign-ins, links and rules in the staff's admin: found by exact keys, cheap, told by the ledger, taken back safely."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import LinkedIdentity, LinkProposal, RecoveryCode, SsoSignIn, StandingRule
from core import ledger, tenancy
from core.permissions import Permission, StaffRole, TenantRole, staff_grants
from tests import enforcing, make
from tests.enforcing import Company

pytestmark = pytest.mark.django_db
LISTS = ("ssosignin", "linkedidentity", "linkproposal", "standingrule", "enforcement", "cutback", "recoverycode")


@pytest.fixture
def company() -> Iterator[Company]:
    found = enforcing.company()
    with tenancy.scope(tenant_id=found.tenant_id):
        enforcing.prepare(found)
        enforcing.enforce(found)
        populate(found, 1)
    return found


def populate(company: Company, count: int, first: int = 0) -> None:
    """Write rows of each list."""
    at, by = timezone.now(), company.owners[0].user_id
    for number in range(first, first + count):
        member = make.member(company.tenant, TenantRole.MEMBER, person=make.user(email=f"p{number}@airline.example"))
        SsoSignIn.objects.create(
            tenant=company.tenant, connection_id=company.connection_id, fingerprint="f", request_id=f"_{number}",
            browser="b", started_at=at, expires_at=at, answered_at=at + timedelta(seconds=number), outcome="refused",
            reason="link_rejected", member=member, verdicts={"audience": "fail"}, sealed="sealed words",
        )  # fmt: skip
        key = {"member": member, "user_name": f"p{number}@airline.example", "external_id": ""}
        LinkedIdentity.objects.create(tenant=company.tenant, source="rule", linked_at=at, linked_by=by, **key)
        LinkProposal.objects.create(tenant=company.tenant, reason="to_be_approved", proposed_at=at, **key)
        StandingRule.objects.create(
            tenant=company.tenant, domain=f"d{number}.example", kind="join", made_at=at, made_by=by
        )


def listed(client: Client, name: str, **asked: object) -> str:
    words = asked.pop("q", None)
    url = reverse(f"admin:accounts_{name}_changelist")
    answer = client.get(url, asked) if words is None else client.post(url, {"q": words}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_list_costs_the_same_for_one_row_and_for_twenty(client: Client, company: Company) -> None:
    client.force_login(make.staff(StaffRole.AUDITOR))

    def costs() -> dict[str, int]:
        found = {}
        for name in LISTS:
            with CaptureQueriesContext(connection) as queries:
                listed(client, name)
            found[name] = len(queries)
        return found

    listed(client, LISTS[0])
    one = costs()
    with tenancy.scope(tenant_id=company.tenant_id):
        populate(company, 20, first=1)
    assert costs() == one


def test_people_are_found_by_exact_keys_and_by_nothing_that_names_them(client: Client, company: Company) -> None:
    client.force_login(make.staff(StaffRole.AUDITOR))
    with make.arranging():
        sign_in, link = SsoSignIn.objects.get(), LinkedIdentity.objects.get()
    there = f"/{sign_in.pk}/change/"
    assert f">{sign_in.outcome}<" not in "".join(listed(client, "ssosignin").split())  # the outcome is said in words
    for typed in (sign_in.reference, sign_in.pk, sign_in.member_id, company.tenant.slug, company.tenant.name.upper()):
        assert there in listed(client, "ssosignin", q=typed)
    for typed in ("p0@airline.example", "00000000", "airline.example", company.owners[0].pk, "nothing"):
        assert there not in listed(client, "ssosignin", q=typed)
    assert f"/{link.pk}/change/" in listed(client, "linkedidentity", q=link.member_id)
    assert f"/{link.pk}/change/" not in listed(client, "linkedidentity", q="p0@airline.example")
    member = client.get(reverse("admin:accounts_member_change", args=[link.member_id])).content.decode()
    assert f"member__id__exact={link.member_id}" in member
    assert there in listed(client, "ssosignin", member__id__exact=link.member_id)


FILTERS = {
    "ssosignin": ({"outcome": "refused", "why": "link_rejected"}, {"outcome": "none"}),
    "linkproposal": ({"decision": "waits"}, {"decision": "approved"}),
    "standingrule": ({"kind__exact": "join"}, {"ended_at__isempty": "0"}),
    "enforcement": ({"state": "in_force"}, {"state": "announced"}),
    "recoverycode": ({"used_at__isempty": "1"}, {"used_at__isempty": "0"}),
}


def test_filters_keep_what_they_say(client: Client, company: Company) -> None:
    client.force_login(make.staff(StaffRole.AUDITOR))
    for name, (shown, hidden) in FILTERS.items():
        assert "/change/" in listed(client, name, **shown), name
        assert "/change/" not in listed(client, name, **hidden), name


def test_no_page_shows_what_is_sealed_or_secret(client: Client, company: Company) -> None:
    client.force_login(make.staff(StaffRole.IDENTITY_BILLING_LEAD))
    with make.arranging():
        sign_in, code = SsoSignIn.objects.get(), RecoveryCode.objects.all()[0]
    page = client.get(reverse("admin:accounts_ssosignin_change", args=[sign_in.pk])).content.decode()
    assert "It is meant for us" in page
    assert "sealed words" not in page
    assert code.digest not in client.get(reverse("admin:accounts_recoverycode_change", args=[code.pk])).content.decode()
    for column, value in (("sealed", "sealed words"), ("browser", "b")):
        assert client.get(reverse("admin:accounts_ssosignin_changelist"), {column: value}).status_code in (302, 400)


@pytest.mark.parametrize(
    ("model", "name", "event"),
    [
        (LinkedIdentity, "undo", "accounts.identity.unlinked"),
        (LinkProposal, "reject", "accounts.identity.rejected"),
        (StandingRule, "end", "accounts.identity.rule_ended"),
    ],
)
def test_staff_take_back_what_lets_in_and_the_ledger_tells(
    client: Client, company: Company, model: type, name: str, event: str
) -> None:
    label = model._meta.model_name
    with make.arranging():
        row = model.objects.get()
    url = reverse(f"admin:accounts_{label}_{name}", args=[row.pk])
    client.force_login(make.staff(StaffRole.AUDITOR))
    assert client.post(url).status_code == 403
    lead = make.staff(StaffRole.IDENTITY_BILLING_LEAD)
    client.force_login(lead)
    assert client.post(url).status_code == 302
    with tenancy.scope(tenant_id=company.tenant_id):
        told = ledger.recent(tenant_id=company.tenant_id, limit=1)[0]
    assert (told.event, told.actor, told.subject_id) == (event, str(lead), str(row.pk))
    with make.arranging():
        remains = model.objects.filter(pk=row.pk).exists()
    if remains:
        page = client.get(reverse(f"admin:accounts_{label}_change", args=[row.pk])).content.decode()
        assert str(lead) in page


def test_a_stale_button_does_not_say_that_an_approved_link_is_rejected(client: Client, company: Company) -> None:
    with make.arranging():
        LinkProposal.objects.update(decided_at=timezone.now(), decided_by=company.owners[0].user_id, is_approved=True)
        row = LinkProposal.objects.get()
    client.force_login(make.staff(StaffRole.IDENTITY_BILLING_LEAD))
    answer = client.post(reverse("admin:accounts_linkproposal_reject", args=[row.pk]), follow=True)
    assert "decided about already" in answer.content.decode()


def test_a_filter_that_is_none_keeps_everything(client: Client, company: Company) -> None:
    client.force_login(make.staff(StaffRole.AUDITOR))
    for asked in ({"outcome": "\0"}, {"why": "\0"}):
        assert "/change/" in listed(client, "ssosignin", **asked)


def test_staff_approve_nothing_for_a_tenant() -> None:
    assert all(Permission.MANAGE_SSO not in staff_grants({role.value}) for role in StaffRole)


def test_the_download_of_the_forecast_stands_in_the_ledger(client: Client, company: Company) -> None:
    with tenancy.scope(tenant_id=company.tenant_id):
        enforcing.enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    client.force_login(company.owners[0].user)
    answer = client.get(reverse("accounts:lockouts_csv", args=[company.tenant.slug]), {"outcome": "locked_out"})
    assert answer.status_code == 200
    with tenancy.scope(tenant_id=company.tenant_id):
        told = ledger.recent(tenant_id=company.tenant_id, limit=1)[0]
    assert (told.event, told.data, told.actor) == (
        "accounts.forecast.downloaded", {"outcome": "locked_out"}, str(company.owners[0].user)
    )  # fmt: skip
