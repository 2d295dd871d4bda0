"""Support cases: opened, answered, settled, escalated; and what they mean for the go/no-go."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import members
from comms import readiness as checks
from comms.domain.cases import CaseState
from comms.models import Case as SupportCase
from comms.models import Mailing
from comms.services import cases, escalations
from core import readiness
from core.actor import Actor
from core.errors import PermissionRefused
from core.findings import Outcome
from core.models import LedgerEntry
from core.permissions import StaffRole, TenantRole
from tests import make
from tests.comms import work
from tests.cutovers import Case, ready_case
from tests.fakes.mail import FakeMail

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, fake_mail: type[FakeMail]) -> Iterator[Case]:
    with ready_case(monkeypatch, at=timezone.now()) as case:
        yield case


@pytest.fixture
def support() -> User:
    return make.staff(StaffRole.SUPPORT, name="Sam Porter")


def opened(world: Case, *, by: Actor | None = None, **said: str) -> SupportCase:
    words = {"subject": "Rows are missing", "severity": "1", "text": "Two flights of May.", **said}
    return cases.open_case(tenant_id=world.tenant_id, **words, by=by or world.customer, at=timezone.now())


def test_a_case_keeps_what_the_check_had_found(world: Case) -> None:
    case = opened(world, check_id="tests.data")
    assert case.finding["summary"] == "Found"
    world.answer(Outcome.BLOCK, lost=9)
    world.run_checks(at=timezone.now())
    case.refresh_from_db()
    assert case.finding["outcome"] == "pass"
    assert case.respond_by - case.opened_at == timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"subject": " \n"}, "Say in a few words"),
        ({"text": "\x00"}, "Write what we should know"),
        ({"severity": "9"}, "Choose how much"),
        ({"check_id": "no.such"}, "no such check"),
        ({"text": "x" * 5001}, "longer than 5,000"),
    ],
)
def test_what_is_missing_is_said(world: Case, said: dict[str, str], message: str) -> None:
    with pytest.raises(cases.UnableToOpen, match=message):
        opened(world, **said)


def test_an_urgent_case_shuts_the_gate_until_the_customer_confirms_the_answer(world: Case, support: User) -> None:
    by = make.staff_actor(support)
    case = opened(world)
    finding = checks.no_urgent_case(tenant_id=world.tenant_id, at=timezone.now())
    assert (finding.outcome, finding.summary) == (Outcome.BLOCK, "An urgent support case is open")
    assert "We are at it" in finding.fix
    with pytest.raises(cases.UnableToMove, match="no answer yet"):
        cases.move(case=case, target=CaseState.RESOLVED, by=world.customer, at=timezone.now())
    cases.write(case=case, text="They are moved now.", by=by, at=timezone.now())
    assert (case.state, case.due_at) == ("waiting", None)
    finding = checks.no_urgent_case(tenant_id=world.tenant_id, at=timezone.now())
    assert "confirm it there" in finding.fix
    work()
    assert [letter.subject for letter in FakeMail.sent if letter.subject == "There is an answer to your case"]
    for _ in range(2):
        cases.move(case=case, target=CaseState.RESOLVED, by=world.customer, at=timezone.now())
    assert checks.no_urgent_case(tenant_id=world.tenant_id, at=timezone.now()).outcome is Outcome.PASS


def test_whoever_left_the_account_hears_of_no_answer(world: Case, support: User) -> None:
    leaver = make.member(world.owner.tenant, TenantRole.MEMBER, person=make.user("Lee", email="lee@zebra.example"))
    case = opened(world, by=make.actor(leaver))
    members.deactivate(member=leaver, by=world.customer, at=timezone.now())
    cases.write(case=case, text="They are moved now.", by=make.staff_actor(support), at=timezone.now())
    work()
    assert not [letter for letter in FakeMail.sent if letter.to == "lee@zebra.example"]


def test_the_clock_stands_while_the_customer_is_asked_and_while_it_lay_settled(world: Case, support: User) -> None:
    at, by = timezone.now(), make.staff_actor(support)
    case = opened(world, severity="3")
    promised = case.resolve_by
    cases.write(case=case, text="Which rows?", by=by, at=at + timedelta(hours=1))
    cases.write(case=case, text="These.", by=world.customer, at=at + timedelta(hours=11))
    assert (case.state, case.resolve_by) == ("in_progress", promised + timedelta(hours=10))
    cases.move(case=case, target=CaseState.RESOLVED, by=by, at=at + timedelta(hours=12))
    cases.write(case=case, text="Not quite.", by=world.customer, at=at + timedelta(hours=36))
    assert (case.state, case.resolve_by) == ("in_progress", promised + timedelta(hours=34))
    assert case.due_at == case.resolve_by


def test_a_case_whose_time_runs_out_comes_up_the_whole_ladder_once_per_rung(world: Case) -> None:
    people = {role: make.staff(role) for role in (
        StaffRole.TECHNICAL_LEAD, StaffRole.SRE_LEAD, StaffRole.PROGRAMME_MANAGER, StaffRole.STEERING_GROUP
    )}  # fmt: skip
    case = opened(world)
    for hours in (0.5, 1.1, 1.2, 2, 3, 5, 8):
        work(later=timedelta(hours=hours))
    case.refresh_from_db()
    assert (case.escalation, case.escalates_at) == (4, None)
    for person in people.values():
        assert [letter.subject for letter in FakeMail.sent if letter.to == person.email] == [
            f"A support case of {world.owner.tenant.name} has run out of time"
        ]
    events = LedgerEntry.objects.filter(event="comms.case.escalated")
    assert [entry.data["level"] for entry in events.order_by("seq")] == [1, 2, 3, 4]


def test_an_escalation_that_comes_late_twice_or_after_an_answer_does_nothing(world: Case, support: User) -> None:
    case = opened(world)
    late = timezone.now() + timedelta(hours=2)
    cases.write(case=case, text="We look.", by=make.staff_actor(support), at=timezone.now())
    escalations.tend(tenant_id=world.tenant_id, case_id=case.pk, by=make.SYSTEM, at=late)
    case.refresh_from_db()
    assert case.escalation == 0
    other = opened(world)
    for _ in range(2):
        escalations.tend(tenant_id=world.tenant_id, case_id=other.pk, by=make.SYSTEM, at=late)
    other.refresh_from_db()
    assert other.escalation == 1


def test_the_second_of_two_changes_is_refused(world: Case, support: User) -> None:
    by = make.staff_actor(support)
    mine = opened(world)
    theirs = SupportCase.objects.get(pk=mine.pk)
    cases.move(case=mine, target=CaseState.IN_PROGRESS, by=by, at=timezone.now())
    with pytest.raises(cases.UnableToWrite, match="changed this case a moment ago"):
        cases.write(case=theirs, text="We look.", by=by, at=timezone.now())
    assert not theirs.entries.filter(text="We look.").exists()


def test_a_resolved_case_is_closed_after_a_week_and_takes_no_more(world: Case, support: User) -> None:
    case = opened(world)
    cases.move(case=case, target=CaseState.RESOLVED, by=make.staff_actor(support), at=timezone.now())
    work(later=timedelta(days=8))
    case.refresh_from_db()
    assert case.state == "closed"
    with pytest.raises(cases.UnableToWrite, match="closed"):
        cases.write(case=case, text="Again?", by=world.customer, at=timezone.now())


def test_who_may_do_what(world: Case, support: User) -> None:
    member = make.actor(make.member(world.owner.tenant, TenantRole.MEMBER))
    other = make.actor(make.member(world.owner.tenant, TenantRole.MEMBER))
    case = opened(world, by=member)
    with pytest.raises(PermissionRefused):
        cases.write(case=case, text="Me too", by=other, at=timezone.now())
    auditor = make.staff_actor(make.staff(StaffRole.AUDITOR))
    with pytest.raises(PermissionRefused):
        cases.write(case=case, text="Hm", by=auditor, at=timezone.now())
    with pytest.raises(cases.UnableToMove, match="everything else is ours"):
        cases.move(case=case, target=CaseState.IN_PROGRESS, by=member, at=timezone.now())
    by = make.staff_actor(support)
    with pytest.raises(cases.UnableToAssign):
        cases.assign(case=case, user_id=auditor.known_id, by=by, at=timezone.now())
    assert cases.assign(case=case, user_id=support.pk, by=by, at=timezone.now()).assignee == support


def test_no_word_of_a_case_enters_the_ledger(world: Case, support: User) -> None:
    case = opened(world, subject="Ottilie cannot sign in", text="Her address is ottilie@zebra.example")
    by = make.staff_actor(support)
    cases.write(case=case, text="Ottilie can now.", by=by, at=timezone.now())
    cases.tag(case=case, issue="Sign-in unclear", owner_id=support.pk, ships_on=None, by=by, at=timezone.now())
    bodies = " ".join(str(entry.body) for entry in LedgerEntry.objects.filter(event__startswith="comms."))
    assert "comms.case.opened" in bodies
    assert "ttilie" not in bodies


def test_what_was_said_cannot_be_changed(world: Case) -> None:
    entry = opened(world).entries.get()
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        type(entry).objects.filter(pk=entry.pk).update(text="Other")
    with pytest.raises(IntegrityError), transaction.atomic():
        SupportCase.objects.update(due_at=None)


def test_a_new_urgent_case_voids_an_open_request(world: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    check = readiness.check(
        "comms.no_urgent_case", title="No urgent case", owner="cs", due="T-2", valid_for=timedelta(days=1)
    )
    check(checks.no_urgent_case)
    world.run_checks(at=timezone.now())
    request = world.ask(at=timezone.now())
    opened(world)
    work()
    request.refresh_from_db()
    assert request.state == "voided"


def announced(world: Case) -> tuple[Outcome, str]:
    finding = checks.announced(tenant_id=world.tenant_id, at=timezone.now())
    return finding.outcome, finding.summary


def test_the_announcement_blocks_until_it_is_planned_and_may_be_skipped(world: Case) -> None:
    from comms.services import mailings

    assert announced(world) == (Outcome.BLOCK, "The window is not announced yet")
    work()
    assert announced(world) == (
        Outcome.PASS, "The announcement is planned and leaves before the window begins",
    )  # fmt: skip
    users = Mailing.objects.get(template="announce.users")
    mailings.skip(mailing=users, by=world.customer, at=timezone.now())
    assert announced(world)[0] is Outcome.WARN


def test_an_announcement_that_reached_nobody_blocks(world: Case) -> None:
    FakeMail.refused.add("admin@zebra.example")
    make.member(world.owner.tenant, TenantRole.ADMIN, person=make.user(email="admin@zebra.example"))
    work()
    assert announced(world)[1] == "An announcement reached nobody: the mail server refused every copy"
