"""Why somebody may not, from real facts, and requests for what they lack: asked, granted, declined."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from accounts.models import Member
from core import tenancy, toggles
from core.actor import Actor
from core.domain.decisions import Gate, Verdict
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.permissions import StaffRole, TenantRole
from entitlements.models import AccessRequest
from entitlements.queries import abilities, decisions
from entitlements.queries.decisions import Answer
from entitlements.services import access, snapshots
from tests import contracts, make
from tests.fakes.contracts import FakeBilling, FakeContracts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_contracts")]

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def owner() -> Iterator[Member]:
    """The owner of a tenant with contracts on both platforms, in the tenant's scope."""
    made = make.member(make.tenant("Zebra Air"))
    contracts.sign(made.tenant)
    with tenancy.scope(tenant_id=made.tenant_id):
        yield made


@pytest.fixture
def member(owner: Member) -> Member:
    """A member who is a dispatcher on legacy; both platforms were looked at."""
    made = make.member(owner.tenant, TenantRole.MEMBER)
    FakeContracts.people[owner.tenant.legacy_ref] = {made.user.email: "DSP"}
    look(owner)
    return made


def look(owner: Member, at: datetime = AT) -> None:
    snapshots.take(tenant_id=owner.tenant_id, by=make.SYSTEM, at=at)


def told(member: Member, ability: str, at: datetime = AT) -> Answer:
    member.refresh_from_db()
    found = decisions.answer(member=member, ability_id=ability, at=at)
    assert found
    return found


def ask(member: Member, ability: str, reason: str = "The month's figures", at: datetime = AT) -> AccessRequest:
    return access.ask(tenant_id=member.tenant_id, ability_id=ability, reason=reason, by=make.actor(member), at=at)


def events() -> list[str]:
    rows = LedgerEntry.objects.filter(event__startswith="entitlements.access.").order_by("seq")
    return list(rows.values_list("event", flat=True))


def test_a_dispatcher_reads_what_they_lack_and_that_they_had_it(member: Member) -> None:
    found = told(member, "export-reports")
    assert [(step.gate, step.verdict) for step in found.decision.steps] == [
        (Gate.ENTITLEMENT, Verdict.PASS), (Gate.ROLE, Verdict.FAIL), (Gate.POLICY, Verdict.PASS),
    ]  # fmt: skip
    assert found.decision.nearest_grant
    assert found.decision.nearest_grant.key == "product_role:auditor"
    assert found.before
    assert found.before.words == (
        "On the legacy platform it was possible: Operations Pro included it, as did the role Dispatcher."
    )
    assert told(member, "change-flight").decision.is_allowed


def test_a_rule_of_the_organisation_stops_whoever_has_the_role(owner: Member) -> None:
    FakeContracts.people[owner.tenant.legacy_ref] = {owner.user.email: "OWN"}
    FakeBilling.forbidden[owner.tenant_id] = {"report-exports"}
    look(owner)
    stopped = told(owner, "export-reports").decision.stopped_at
    assert stopped
    assert (stopped.gate, stopped.verdict) == (Gate.POLICY, Verdict.FAIL)
    with pytest.raises(access.UnableToAsk, match="Nobody can give this by a request"):
        ask(owner, "export-reports")


@pytest.mark.parametrize("ago", [None, timedelta(hours=31)])
def test_what_nobody_saw_lately_is_unknown_never_a_guess(owner: Member, ago: timedelta | None) -> None:
    if ago:
        look(owner, AT - ago)
    found = told(owner, "change-flight")
    assert found.decision.verdict is Verdict.UNKNOWN
    assert found.before
    assert found.before.verdict is Verdict.UNKNOWN
    assert not found.decision.is_allowed


def test_without_a_subscription_the_plan_is_unknown(owner: Member, member: Member) -> None:
    FakeBilling.held.clear()
    look(owner, AT + timedelta(minutes=1))
    found = told(member, "see-flights", AT + timedelta(minutes=2))
    assert found.decision.steps[0].verdict is Verdict.UNKNOWN


def test_a_second_factor_is_asked_of_the_person(owner: Member) -> None:
    FakeContracts.people[owner.tenant.legacy_ref] = {owner.user.email: "OWN"}
    look(owner)
    stopped = told(owner, "rotate-api-key").decision.stopped_at
    assert stopped
    assert stopped.gate is Gate.SIGN_IN


def test_signing_the_go_no_go_is_told_by_the_rules_that_take_the_signature(owner: Member, member: Member) -> None:
    stopped = told(member, "cutover.sign").decision.stopped_at
    assert stopped
    assert (stopped.gate, stopped.reason) == (Gate.ROLE, "The role Member does not include it.")
    mine = told(owner, "cutover.sign").decision
    assert [(step.gate, step.verdict) for step in mine.steps] == [
        (Gate.ROLE, Verdict.PASS), (Gate.MOMENT, Verdict.FAIL),
    ]  # fmt: skip
    assert told(owner, "cutover.sign").before is None


def test_every_question_has_an_answer_for_everybody(owner: Member, member: Member) -> None:
    for question in abilities.catalogue():
        for person in (owner, member):
            assert told(person, question.id).decision.steps, question.id


@pytest.mark.parametrize(
    ("search", "found"), [("csv", ["export-reports"]), ("api key", ["rotate-api-key"]), ("no such thing", [])]
)
def test_questions_are_found_by_other_words(search: str, found: list[str]) -> None:
    assert [one.id for one in abilities.catalogue(search)] == found


def test_granting_a_role_of_the_product_changes_the_answer(owner: Member, member: Member) -> None:
    asked = ask(member, "export-reports")
    assert asked.wanted == "product_role:auditor"
    assert decisions.count_open(owner.tenant_id) == 1
    access.grant(request=asked, answer="Of course", by=make.actor(owner), at=AT)
    assert told(member, "export-reports").decision.is_allowed
    assert decisions.count_open(owner.tenant_id) == 0
    assert events() == ["entitlements.access.requested", "entitlements.access.granted"]


def test_granting_a_role_of_the_portal_is_the_change_of_role_itself(owner: Member, member: Member) -> None:
    asked = ask(member, "portal.view_parity")
    assert asked.wanted == "role:auditor"
    access.grant(request=asked, answer="", by=make.actor(owner), at=AT)
    assert told(member, "portal.view_parity").decision.is_allowed
    assert member.role == TenantRole.AUDITOR
    assert LedgerEntry.objects.filter(event="accounts.member.role_changed").exists()


def test_granting_later_never_takes_anything_away(owner: Member, member: Member) -> None:
    asked = ask(member, "portal.view_parity")
    with make.arranging():
        Member.objects.filter(pk=member.pk).update(role=TenantRole.ADMIN)
    asked = AccessRequest.objects.get(pk=asked.pk)
    access.grant(request=asked, answer="", by=make.actor(owner), at=AT)
    member.refresh_from_db()
    assert member.role == TenantRole.ADMIN


def test_an_admin_cannot_give_what_only_owners_have(owner: Member, member: Member) -> None:
    asked = ask(member, "cutover.sign")
    admin = make.actor(make.member(owner.tenant, TenantRole.ADMIN))
    with pytest.raises(access.UnableToAnswer, match="Your role cannot make this change"):
        access.grant(request=asked, answer="", by=admin, at=AT)
    asked.refresh_from_db()
    assert asked.answered_at is None


def test_a_feature_is_switched_on_by_us_for_a_time(owner: Member, member: Member) -> None:
    asked = ask(member, "rebook-flight")
    assert asked.wanted == "flag:bulk-rebooking"
    assert decisions.count_open(owner.tenant_id) == 0
    with pytest.raises(PermissionRefused):
        access.grant(request=asked, answer="", by=make.actor(owner), at=AT)
    cs = make.staff_actor(make.staff(StaffRole.CS))
    access.grant(request=asked, answer="Enjoy", by=cs, at=AT)
    assert told(member, "rebook-flight").decision.is_allowed
    ends = toggles.on(tenant_id=owner.tenant_id, at=AT)["product.bulk-rebooking"]
    assert ends == AT + timedelta(days=90)
    look(owner, AT + timedelta(days=91))
    assert not told(member, "rebook-flight", AT + timedelta(days=91)).decision.is_allowed


def test_what_the_plan_lacks_is_granted_only_once_the_plan_has_it(owner: Member, member: Member) -> None:
    FakeContracts.people[owner.tenant.legacy_ref][owner.user.email] = "OWN"
    look(owner, AT + timedelta(minutes=1))
    at = AT + timedelta(minutes=2)
    asked = ask(owner, "read-audit-log", at=at)
    assert asked.wanted == "feature:audit-log"
    cs = make.staff_actor(make.staff(StaffRole.CS))
    with pytest.raises(access.UnableToAnswer, match="does not include this yet"):
        access.grant(request=asked, answer="", by=cs, at=at)
    access.decline(request=asked, answer="Enterprise has it; shall we talk?", by=cs, at=at)
    asked.refresh_from_db()
    assert (asked.outcome, asked.answer) == ("declined", "Enterprise has it; shall we talk?")


@pytest.mark.parametrize(
    ("ability", "reason", "words"),
    [
        ("no-such", "Please", "Nobody knows this question"),
        ("change-flight", "Please", "You can do this already"),
        ("export-reports", "  ", "Say what you need it for"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(member: Member, ability: str, reason: str, words: str) -> None:
    with pytest.raises(access.UnableToAsk, match=words):
        ask(member, ability, reason)
    assert not AccessRequest.objects.exists()


def test_asking_twice_is_asking_once(member: Member) -> None:
    assert ask(member, "export-reports").pk == ask(member, "export-reports").pk
    assert events() == ["entitlements.access.requested"]


def test_an_answer_is_given_once_and_a_refusal_has_its_reason(owner: Member, member: Member) -> None:
    asked = ask(member, "export-reports")
    with pytest.raises(access.UnableToAnswer, match="Say why not"):
        access.decline(request=asked, answer=" ", by=make.actor(owner), at=AT)
    stale = AccessRequest.objects.get(pk=asked.pk)
    access.decline(request=asked, answer="Not now", by=make.actor(owner), at=AT)
    for late in (asked, stale):
        with pytest.raises(access.UnableToAnswer, match="answered this already"):
            access.grant(request=late, answer="", by=make.actor(owner), at=AT)
    assert not told(member, "export-reports").decision.is_allowed


def test_nothing_is_given_that_another_answer_declines(committed_db: None) -> None:
    owner = make.member(make.tenant())
    member = make.member(owner.tenant, TenantRole.MEMBER)
    with tenancy.scope(tenant_id=owner.tenant_id):
        asked = ask(member, "portal.manage_domains")
    barrier, answers = Barrier(2, timeout=30), []

    def give(use: Callable[..., AccessRequest]) -> None:
        try:
            with tenancy.scope(tenant_id=owner.tenant_id):
                request = AccessRequest.objects.select_related("member__user").get(pk=asked.pk)
                barrier.wait()
                answers.append(use(request=request, answer="No.", by=make.actor(owner), at=AT).outcome)
        except access.UnableToAnswer:
            answers.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=give, args=[use]) for use in (access.grant, access.decline)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with tenancy.scope(tenant_id=owner.tenant_id):
        member.refresh_from_db()
    assert sorted(answers) in (["granted", "refused"], ["declined", "refused"])
    assert (member.role == TenantRole.ADMIN) == ("granted" in answers)


def test_nobody_but_an_owner_answers_themselves(owner: Member) -> None:
    admin = make.member(owner.tenant, TenantRole.ADMIN)
    look(owner)
    asked = ask(admin, "plan-crew")
    with pytest.raises(access.UnableToAnswer, match="their own request"):
        access.grant(request=asked, answer="", by=make.actor(admin), at=AT)


def test_a_stranger_asks_nothing_and_sees_nothing(owner: Member, member: Member) -> None:
    other = make.member(make.tenant())
    with pytest.raises(PermissionRefused):
        access.ask(tenant_id=owner.tenant_id, ability_id="add-seat", reason="x", by=make.actor(other), at=AT)
    ask(member, "export-reports")
    with tenancy.scope(tenant_id=other.tenant_id):
        assert decisions.open_requests(tenant_id=owner.tenant_id) == []
        assert decisions.find_member(tenant_id=owner.tenant_id, email=member.user.email) is None


def test_the_ledger_holds_no_reason_and_no_name(member: Member) -> None:
    ask(member, "export-reports", "Mira needs it")
    entry = LedgerEntry.objects.get(event="entitlements.access.requested")
    assert set(entry.data) == {"ability", "wanted", "member"}
    assert Actor.member(user_id=member.user_id, tenant_id=member.tenant_id, role="member").id == entry.actor_id
