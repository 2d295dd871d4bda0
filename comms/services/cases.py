"""Support cases: open one, talk in it, settle it. Every change of state is conditional, and keeps the clock honest."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.queries import staff
from comms.domain import cases as domain
from comms.domain import sla
from comms.domain.cases import CaseState, Severity
from comms.domain.letters import one_line, own_words
from comms.models import Case, CaseEntry
from comms.queries import cases as queries
from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, staff_grants
from cutover.queries import cutovers

LONGEST_SUBJECT, LONGEST_TEXT = 150, 5000
MOST_OPEN = 50


class UnableToOpen(UseCaseError):
    """The case cannot be opened so."""


class UnableToWrite(UseCaseError):
    """Nothing can be added to the case."""


class UnableToMove(UseCaseError):
    """The case cannot come into that state now."""


class UnableToAssign(UseCaseError):
    """The person cannot take the case."""


def open_case(
    *, tenant_id: UUID, subject: str, severity: str, text: str, by: Actor, at: datetime, check_id: str = ""
) -> Case:
    """Open a support case, with what the check it is about has found frozen beside it.

    Raises UnableToOpen with what is missing.
    """
    by.require(Permission.OPEN_CASE, tenant_id=tenant_id)
    title, words = one_line(subject)[:LONGEST_SUBJECT], _words(text, UnableToOpen)
    if not title:
        raise UnableToOpen("Say in a few words what it is about.")
    if severity not in {one.value for one in Severity}:
        raise UnableToOpen("Choose how much it stands in your way.")
    if queries.of_tenant(tenant_id=tenant_id).filter(state__in=domain.OPEN).count() >= MOST_OPEN:
        raise UnableToOpen(f"{MOST_OPEN} cases are open already.", fix="Add to one of them, or settle some first.")
    about = queries.about(tenant_id=tenant_id, check_id=check_id, at=at) if check_id else None
    if check_id and about is None:
        raise UnableToOpen("There is no such check.")
    phase = cutovers.phase_of(tenant_id).value
    clock = sla.start(severity=Severity(severity), phase=phase, at=at)
    with transaction.atomic(durable=True):
        case = Case.objects.create(
            tenant_id=tenant_id,
            subject=title,
            severity=severity,
            check_id=check_id,
            finding=about.finding if about else {},
            phase=phase,
            opened_at=at,
            opened_by_id=by.known_id,
            respond_by=clock.respond_by,
            resolve_by=clock.resolve_by,
            due_at=clock.due_at,
            escalates_at=clock.due_at,
        )
        _write(case, words, by=by, at=at)
        outbox.publish("comms.case.opened", tenant_id=tenant_id, case_id=case.pk)
        data = {"severity": severity, "check": check_id, "phase": phase}
        personal = {"subject": title}
        ledger.record(
            "comms.case.opened", by=by, at=at, tenant_id=tenant_id, subject=case, data=data, personal=personal
        )
    return case


def write(*, case: Case, text: str, by: Actor, at: datetime) -> CaseEntry:
    """Add to a case. A customer's words bring a waiting or resolved one back to us; ours hand it over to them.

    Raises UnableToWrite with the reason.
    """
    ours = _authorise(case, by=by)
    words, state = _words(text, UnableToWrite), CaseState(case.state)
    if state is CaseState.CLOSED:
        raise UnableToWrite("This case is closed.", fix="Open a new one and name it there.")
    target = domain.after_staff_wrote(state) if ours else domain.after_customer_wrote(state)
    with transaction.atomic(durable=True):
        _change(case, target, by=by, at=at, responded=ours, refusal=UnableToWrite)
        entry = _write(case, words, by=by, at=at)
        if ours:
            outbox.publish("comms.case.answered", tenant_id=case.tenant_id, case_id=case.pk, entry_id=entry.pk)
        if state is CaseState.RESOLVED:
            outbox.publish("comms.case.opened", tenant_id=case.tenant_id, case_id=case.pk)
        data = {"ours": ours, "state": target.value}
        ledger.record(
            "comms.case.written", by=by, at=at, tenant_id=case.tenant_id, subject=entry, data=data,
            personal={"text": words},
        )  # fmt: skip
    case.refresh_from_db()
    return entry


def move(*, case: Case, target: CaseState, by: Actor, at: datetime) -> Case:
    """Bring a case into another state. Staff may make every move there is; a customer may only confirm an answer.

    Safe to repeat. Raises UnableToMove with the reason.
    """
    ours = _authorise(case, by=by)
    if not ours and target is not CaseState.RESOLVED:
        raise UnableToMove("You can confirm that an answer settles the case; everything else is ours to do.")
    if not ours and case.responded_at is None:
        raise UnableToMove("There is no answer yet that you could confirm.")
    if case.state == target:
        return case
    if case.state not in domain.sources(target):
        raise UnableToMove(f"A case that is {_said(case.state)} cannot become {_said(target.value)}.")
    with transaction.atomic(durable=True):
        _change(case, target, by=by, at=at, responded=False, refusal=UnableToMove)
        if target in (CaseState.RESOLVED, CaseState.CLOSED):
            outbox.publish("comms.case.settled", tenant_id=case.tenant_id, case_id=case.pk)
        data = {"source": case.state, "target": target.value}
        ledger.record("comms.case.moved", by=by, at=at, tenant_id=case.tenant_id, subject=case, data=data)
    case.refresh_from_db()
    return case


def assign(*, case: Case, user_id: UUID, by: Actor, at: datetime) -> Case:
    """Give a case to one of us. Safe to repeat. Raises UnableToAssign unless they work cases."""
    by.require(Permission.WORK_CASES, tenant_id=case.tenant_id)
    if Permission.WORK_CASES not in staff_grants(staff.roles_of(user_id=user_id)):
        raise UnableToAssign("Only someone who works cases can take one.")
    with transaction.atomic(durable=True):
        if Case.objects.filter(pk=case.pk).exclude(assignee_id=user_id).update(assignee_id=user_id):
            data = {"assignee": user_id}
            ledger.record("comms.case.assigned", by=by, at=at, tenant_id=case.tenant_id, subject=case, data=data)
    case.refresh_from_db()
    return case


def tag(*, case: Case, issue: str, owner_id: UUID, ships_on: date | None, by: Actor, at: datetime) -> Case:
    """Tag a case as feedback: the shortcoming behind it, who owns it, and when its cure ships."""
    by.require(Permission.WORK_CASES, tenant_id=case.tenant_id)
    said = one_line(issue)[:200]
    values: dict[str, Any] = {"feedback": said, "feedback_owner_id": owner_id, "ships_on": ships_on}
    with transaction.atomic(durable=True):
        if Case.objects.filter(pk=case.pk).update(**values):
            data = {"owner": owner_id, "ships_on": ships_on}
            ledger.record("comms.case.tagged", by=by, at=at, tenant_id=case.tenant_id, subject=case, data=data)
    case.refresh_from_db()
    return case


def _authorise(case: Case, *, by: Actor) -> bool:
    """Require that somebody may take part in a case; say whether they are one of us."""
    if by.kind is ActorKind.MEMBER:
        by.require(Permission.OPEN_CASE, tenant_id=case.tenant_id)
        if case.opened_by_id != by.id:
            by.require(Permission.VIEW_CASES, tenant_id=case.tenant_id)
        return False
    by.require(Permission.WORK_CASES, tenant_id=case.tenant_id)
    return True


def _change(
    case: Case, target: CaseState, *, by: Actor, at: datetime, responded: bool, refusal: type[UseCaseError]
) -> None:
    """Write the state with its clock, in the caller's transaction; whoever comes second is refused."""
    clock = queries.clock(case)
    if responded and not clock.responded:
        clock = sla.Clock(clock.respond_by, clock.resolve_by, True, clock.paused_at)
    if case.state == CaseState.RESOLVED and target in domain.RUNNING:  # what lay settled did not run
        clock = sla.pause(clock, at=case.resolved_at or at)
    clock = sla.pause(clock, at=at) if target is CaseState.WAITING else sla.resume(clock, at=at)
    due_at = clock.due_at if target in domain.RUNNING else None
    is_over = target in (CaseState.RESOLVED, CaseState.CLOSED)
    unchanged = Case.objects.filter(
        pk=case.pk, state=case.state, paused_at=case.paused_at, responded_at=case.responded_at
    )
    changed = unchanged.update(
        state=target.value,
        respond_by=clock.respond_by,
        resolve_by=clock.resolve_by,
        responded_at=case.responded_at or (at if responded else None),
        paused_at=clock.paused_at,
        due_at=due_at,
        escalates_at=sla.escalates_at(due_at, level=case.escalation, severity=Severity(case.severity), at=at),
        resolved_at=(case.resolved_at or at) if is_over else None,
        closed_at=at if target is CaseState.CLOSED else None,
    )
    if not changed:
        raise refusal("Someone changed this case a moment ago.", fix="Look at it again.")


def _write(case: Case, words: str, *, by: Actor, at: datetime) -> CaseEntry:
    return CaseEntry.objects.create(
        tenant_id=case.tenant_id,
        case=case,
        text=words,
        is_ours=by.kind is not ActorKind.MEMBER,
        written_at=at,
        written_by_id=by.known_id,
    )


def _words(text: str, refusal: type[UseCaseError]) -> str:
    if len(text) > LONGEST_TEXT:
        raise refusal(f"That is longer than {LONGEST_TEXT:,} characters.", fix="Shorten it, or write it in two parts.")
    words = own_words(text, longest=LONGEST_TEXT)
    if not words:
        raise refusal("Write what we should know.")
    return words


def _said(state: str) -> str:
    return CaseState(state).label.lower()
