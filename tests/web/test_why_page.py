"""The page that says why: everybody may ask, for others only who sees members, and nothing of other tenants is told."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member
from core import tenancy
from core.permissions import StaffRole, TenantRole
from entitlements.models import AccessRequest
from entitlements.services import snapshots
from tests import contracts, make
from tests.fakes.contracts import FakeContracts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_contracts")]
PAGE = "/t/zebra/why/"


@pytest.fixture
def owner() -> Member:
    made = make.member(make.tenant("Zebra Air", slug="zebra"))
    contracts.sign(made.tenant)
    return made


@pytest.fixture
def member(owner: Member, client: Client) -> Member:
    made = make.member(owner.tenant, TenantRole.MEMBER, person=make.user("Mira Ember"))
    FakeContracts.people[owner.tenant.legacy_ref] = {made.user.email: "DSP"}
    with tenancy.scope(tenant_id=owner.tenant_id):
        snapshots.take(tenant_id=owner.tenant_id, by=make.SYSTEM, at=timezone.now())
    client.force_login(made.user)
    return made


def html(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_member_may_ask_and_reads_the_trail(client: Client, member: Member) -> None:
    text = html(client, "?ask=export-reports")
    assert "You cannot export reports" in text
    assert "The role Dispatcher does not include it." in text
    assert "the role Auditor" in text
    assert "an owner or admin of your account" in text
    assert "On the legacy platform it was possible" in text
    assert text.index("Your plan") < text.index("it stops here")
    assert "For whom" not in text


def test_the_portals_own_questions_are_answered_too(client: Client, member: Member) -> None:
    assert "You cannot sign the go/no-go" in html(client, "?ask=cutover.sign")
    assert "sign the go/no-go" in html(client, "?q=approver")
    assert "export reports" not in html(client, "?q=approver")
    assert "Nothing is called that" in html(client, "?q=xyzzy")


def test_a_member_asks_only_for_themselves(client: Client, owner: Member, member: Member) -> None:
    assert "You cannot export reports" in html(client, f"?ask=export-reports&member={owner.pk}")
    led = client.post(f"{PAGE}search/", {"ask": "export-reports", "who": owner.user.email})
    assert led["Location"] == f"{PAGE}?ask=export-reports"


def test_who_sees_members_asks_for_them(client: Client, owner: Member, member: Member) -> None:
    client.force_login(owner.user)
    led = client.post(f"{PAGE}search/", {"ask": "export-reports", "q": "", "who": member.user.email.upper()})
    assert led["Location"] == f"{PAGE}?ask=export-reports&member={member.pk}"
    text = html(client, led["Location"].removeprefix(PAGE))
    assert f"&amp;member={member.pk}" in text
    assert not re.search(r'(href|action)="[^"]*(@|%40)', text)
    assert "Mira Ember cannot export reports" in text
    assert "Request access" not in text


def test_nobody_of_another_account_is_told_of(client: Client, owner: Member, member: Member) -> None:
    stranger = make.member(make.tenant())
    client.force_login(owner.user)
    for address in (stranger.user.email, "nobody@nowhere.example"):
        answer = client.post(f"{PAGE}search/", {"ask": "add-seat", "who": address})
        assert answer.status_code == 422
        assert "Nobody with this address belongs to your account." in answer.content.decode()
        assert f'value="{address}"' in answer.content.decode()
    for member_id in (stranger.pk, "nonsense"):
        assert "The person in this link does not belong" in html(client, f"?ask=add-seat&member={member_id}")


def test_a_former_link_loses_its_e_mail_address_and_says_so(client: Client, owner: Member, member: Member) -> None:
    client.force_login(owner.user)
    answer = client.get(f"{PAGE}?ask=add-seat&who={member.user.email}", follow=True)
    assert answer.redirect_chain == [(f"{PAGE}?ask=add-seat", 302)]
    assert "Enter the address below." in answer.content.decode()


@pytest.mark.parametrize(
    "query", ["?ask=no-such", "?ask=%00no", "?ask=" + "x" * 5000, "?member=no%00body&ask=add-seat"]
)
def test_a_question_nobody_knows_is_said(client: Client, owner: Member, member: Member, query: str) -> None:
    client.force_login(owner.user)
    assert re.search("Nobody knows|The person in this link", html(client, query))


def test_a_request_is_asked_seen_granted_and_read(client: Client, owner: Member, member: Member) -> None:
    answer = client.post(f"{PAGE}ask/", {"ask": "export-reports", "reason": "The month's figures"}, follow=True)
    assert "Your request is on its way." in answer.content.decode()
    assert "Waits for an answer" in answer.content.decode()
    client.force_login(owner.user)
    text = html(client)
    assert "Mira Ember would like to export reports" in text
    assert "The month&#x27;s figures" in text
    with make.arranging():
        asked = AccessRequest.objects.get()
    assert "They lack the role" in text
    assert "granting gives them all that it includes" in text
    granted = client.post(f"{PAGE}requests/{asked.pk}/grant/", {"answer": "Of course"}, follow=True)
    assert "Mira Ember reads your answer here: granted." in granted.content.decode()
    client.force_login(member.user)
    text = html(client, "?ask=export-reports")
    assert "You can export reports" in text
    assert "Of course" in text
    assert "Granted" in text


def test_a_refused_request_keeps_what_was_typed(client: Client, member: Member) -> None:
    answer = client.post(f"{PAGE}ask/", {"ask": "change-flight", "reason": "I want to"})
    assert answer.status_code == 422
    assert "You can do this already." in answer.content.decode()


def test_a_reason_that_no_database_holds_is_kept_as_far_as_it_can_be(client: Client, member: Member) -> None:
    client.post(f"{PAGE}ask/", {"ask": "export-reports", "reason": "Fig\x00ures " + "x" * 9000})
    with make.arranging():
        assert AccessRequest.objects.get().reason.startswith("Figures xxx")


def test_declining_needs_its_reason(client: Client, owner: Member, member: Member) -> None:
    client.post(f"{PAGE}ask/", {"ask": "export-reports", "reason": "Figures"})
    client.force_login(owner.user)
    with make.arranging():
        asked = AccessRequest.objects.get()
    answer = client.post(f"{PAGE}requests/{asked.pk}/decline/", {"answer": ""})
    assert answer.status_code == 422
    assert "Say why not" in answer.content.decode()


def test_staff_answers_what_only_we_can_give(client: Client, owner: Member, member: Member) -> None:
    client.post(f"{PAGE}ask/", {"ask": "rebook-flight", "reason": "Snow"})
    client.force_login(owner.user)
    assert "Your customer success manager answers this one." in html(client)
    with make.arranging():
        asked = AccessRequest.objects.get()
    client.force_login(make.staff(StaffRole.CS))
    client.post(f"/admin/entitlements/accessrequest/{asked.pk}/grant/", {"answer": "Enjoy"})
    client.force_login(member.user)
    assert "You can rebook a whole flight at once" in html(client, "?ask=rebook-flight")


def test_the_page_costs_the_same_for_ten_requests_and_a_hundred(client: Client, owner: Member, member: Member) -> None:
    client.force_login(owner.user)

    def count() -> int:
        html(client, "?ask=export-reports")
        with CaptureQueriesContext(connection) as counted:
            html(client, "?ask=export-reports")
        return len(counted)

    def request(start: int, stop: int) -> None:
        with make.arranging():
            AccessRequest.objects.bulk_create(
                AccessRequest(tenant=owner.tenant, member=member, ability="add-seat", wanted=f"product_role:r{n}",
                              reason="R", requested_at=timezone.now(), requested_by=member.user_id)
                for n in range(start, stop)
            )  # fmt: skip

    request(0, 10)
    few = count()
    request(10, 100)
    assert count() == few
