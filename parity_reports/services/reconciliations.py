"""Reconciliations: previewed, and agreed to by a second person where it matters; `repairs` carries them out."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from backfills import barriers
from backfills.queries import movements
from core import ledger, ports, queue
from core.actor import Actor
from core.comparison import Plan
from core.errors import UseCaseError
from core.permissions import Permission
from core.sealing import unseal
from parity_reports.domain import reconciliation as domain
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import Case, State, Strategy
from parity_reports.models import Drift, Reconciliation, ReconciliationItem
from parity_reports.queries import drift as drifts
from parity_reports.queries import promises

TASK = "parity_reports.tasks.reconcile"
LONGEST = timedelta(days=90)
"""How long an accepted difference counts at most."""
UNDOABLE = timedelta(days=7)
"""How long former states are kept, so that a reconciliation can be undone."""


class UnableToReconcile(UseCaseError):
    """It cannot be reconciled like this, or not now."""


def preview(
    *,
    tenant_id: UUID,
    entity: str,
    strategies: Mapping[Cause, Strategy],
    reason: str,
    accepted_until: datetime | None,
    by: Actor,
    at: datetime,
) -> Reconciliation:
    """Write down what would be done about an entity's drift, and how each object stands now; nothing is changed.

    Raises UnableToReconcile without a reason, without anything to do, or where the new platform does not answer.
    """
    by.require(Permission.RECONCILE, tenant_id=tenant_id)
    plan = _plan(tenant_id, entity)
    if not reason.strip():
        raise UnableToReconcile("Say why: the reason is kept with it.")
    rows = list(drifts.listed(tenant_id=tenant_id).filter(entity=entity))
    decided = [(row, domain.decide(_case(row), strategies)) for row in rows]
    chosen = [(row, strategy) for row, strategy in decided if strategy is not Strategy.ASK]
    if not chosen:
        raise UnableToReconcile(
            "There is nothing to do by these choices.",
            fix="Records that stand twice or are kept back by a rule are settled in legacy.",
        )
    accepts = any(strategy is Strategy.TARGET for _, strategy in chosen)
    if accepts and (accepted_until is None or not at < accepted_until <= at + LONGEST):
        raise UnableToReconcile(f"Accepted differences need an end, at most {LONGEST.days} days from now.")
    keys = {row.pk: unseal(row.sealed_key) for row, _ in chosen}
    try:
        marks = ports.reconciler().marks(account_id=tenant_id, spec=plan.spec, keys=list(keys.values()))
    except (ports.Unavailable, ports.Rejected) as problem:
        raise UnableToReconcile(str(problem), fix="Try again in a moment; nothing was changed.") from problem
    home = bool(barriers.why_shut(tenant_id=tenant_id))
    with transaction.atomic(durable=True):
        made = Reconciliation.objects.create(
            tenant_id=tenant_id,
            entity=entity,
            title=plan.spec.title,
            state=State.PREVIEWED.value,
            strategies={cause.value: strategy.value for cause, strategy in strategies.items()},
            reason=reason.strip()[:500],
            second_person=domain.why_second_person([(_case(row), how) for row, how in chosen], new_is_home=home),
            accepted_until=accepted_until if accepts else None,
            requested_at=at,
            requested_by=by.known_id,
        )
        ReconciliationItem.objects.bulk_create(
            ReconciliationItem(
                tenant_id=tenant_id,
                reconciliation=made,
                drift=row,
                strategy=strategy.value,
                sealed_key=row.sealed_key,
                mark=marks[keys[row.pk]],
            )
            for row, strategy in chosen
        )
        _record("previewed", made, by=by, at=at, records=len(chosen))
    return made


def confirm(*, reconciliation_id: UUID, by: Actor, at: datetime) -> Reconciliation:
    """Go ahead with what was previewed: at once, or once a second person agrees where that is needed."""
    row = Reconciliation.objects.get(pk=reconciliation_id)
    by.require(Permission.RECONCILE, tenant_id=row.tenant_id)
    if row.second_person:
        return _move(row, State.PREVIEWED, State.AWAITING, "confirmed", by=by, at=at)
    return _begin(row, State.PREVIEWED, "confirmed", by=by, at=at)


def approve(*, reconciliation_id: UUID, by: Actor, at: datetime) -> Reconciliation:
    """Agree to a reconciliation that somebody else asked for; it begins."""
    row = Reconciliation.objects.get(pk=reconciliation_id)
    by.require(Permission.APPROVE_RECONCILIATION, tenant_id=row.tenant_id)
    if row.requested_by == by.id:
        raise UnableToReconcile("Nobody agrees to their own request.", fix="Ask another of the leads.")
    return _begin(row, State.AWAITING, "approved", by=by, at=at, approved_at=at, approved_by=by.known_id)


def refuse(*, reconciliation_id: UUID, by: Actor, at: datetime) -> Reconciliation:
    """Refuse a reconciliation; nothing is changed by it."""
    row = Reconciliation.objects.get(pk=reconciliation_id)
    by.require(Permission.APPROVE_RECONCILIATION, tenant_id=row.tenant_id)
    decided = {"refused_at": at, "refused_by": by.known_id}
    return _move(row, State.AWAITING, State.REFUSED, "refused", by=by, at=at, **decided)


def undo(*, reconciliation_id: UUID, by: Actor, at: datetime) -> Reconciliation:
    """Put every object back as it was, except those that changed since; accepted differences are open again.

    So is what one did that ended half-way because a platform refused.
    """
    row = Reconciliation.objects.get(pk=reconciliation_id)
    by.require(Permission.RECONCILE, tenant_id=row.tenant_id)
    if row.undo_until is None or row.undo_until <= at:
        raise UnableToReconcile("What these objects were before is not kept any more.")
    source = State.FAILED if row.state == State.FAILED else State.DONE
    decided = {"undone_at": at, "undone_by": by.known_id}
    return _move(row, source, State.UNDOING, "undo_asked", by=by, at=at, **decided)


def _begin(
    row: Reconciliation, source: State, event: str, *, by: Actor, at: datetime, **more: object
) -> Reconciliation:
    if row.requested_at <= at - UNDOABLE:
        raise UnableToReconcile("This preview is too old.", fix="Look at what would be done now.")
    moves = row.items.filter(strategy=Strategy.SOURCE.value)
    if not row.second_person and barriers.why_shut(tenant_id=row.tenant_id) and moves.exists():
        raise UnableToReconcile(
            "The customer works on the new platform since this was previewed.", fix="Look at what would be done now."
        )
    return _move(row, source, State.RUNNING, event, by=by, at=at, **more, undo_until=at + UNDOABLE)


def _move(
    row: Reconciliation, source: State, target: State, event: str, *, by: Actor, at: datetime, **more: object
) -> Reconciliation:
    if target in domain.ACTIVE and movements.is_moving(tenant_id=row.tenant_id):
        raise UnableToReconcile("The customer's data is being moved right now.", fix="Wait until the run has ended.")
    try:
        with transaction.atomic(durable=True):
            moved = Reconciliation.objects.filter(pk=row.pk, state=source.value).update(state=target.value, **more)
            if not moved:
                raise UnableToReconcile(f"It is {row.state} already.", fix="Look at it again.")
            if target in domain.ACTIVE:
                queue.enqueue(TASK, tenant_id=row.tenant_id, key=str(row.pk), by=by, reconciliation_id=row.pk)
            _record(event, row, by=by, at=at)
    except IntegrityError as error:  # one per entity at a time
        raise UnableToReconcile("Another reconciliation of these records is under way.") from error
    row.refresh_from_db()
    return row


def _plan(tenant_id: UUID, entity: str) -> Plan:
    plan = next((plan for plan in promises.plans(tenant_id=tenant_id) if plan.entity == entity), None)
    if plan is None:
        raise UnableToReconcile("It is no longer mapped.")
    return plan


def _case(row: Drift) -> Case:
    return Case(row.kind, Cause(row.cause), is_held=bool(row.because))


def _record(event: str, row: Reconciliation, *, by: Actor, at: datetime, **data: object) -> None:
    ledger.record(
        f"parity_reports.reconciliation.{event}",
        by=by,
        at=at,
        tenant_id=row.tenant_id,
        subject=row,
        data={"entity": row.entity, **data},
    )
