"""Reconciliations: agreed to by a second person where it matters; `previews` come before, `repairs` carry them out."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from backfills import barriers
from backfills.queries import movements
from core import ledger, queue
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from parity_reports.domain.reconciliation import ACTIVE, MOVING, State
from parity_reports.models import Reconciliation

TASK = "parity_reports.tasks.reconcile"
UNDOABLE = timedelta(days=7)
"""How long former states are kept, so that a reconciliation can be undone."""


class UnableToReconcile(UseCaseError):
    """It cannot be reconciled like this, or not now."""


def demand_rest(*, tenant_id: UUID) -> None:
    """Raise UnableToReconcile while data of the customer move."""
    if movements.is_moving(tenant_id=tenant_id):
        raise UnableToReconcile("The customer's data is being moved right now.", fix="Wait until the run has ended.")


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
    if row.accepted_until and row.accepted_until <= at:
        raise UnableToReconcile("Until when its differences are accepted is over.", fix="Make a new preview.")
    moves = row.items.filter(strategy__in=[one.value for one in MOVING])
    if not row.second_person and barriers.why_shut(tenant_id=row.tenant_id) and moves.exists():
        raise UnableToReconcile(
            "The customer works on the new platform since this was previewed.", fix="Look at what would be done now."
        )
    return _move(row, source, State.RUNNING, event, by=by, at=at, **more, undo_until=at + UNDOABLE)


def _move(
    row: Reconciliation, source: State, target: State, event: str, *, by: Actor, at: datetime, **more: object
) -> Reconciliation:
    if target in ACTIVE:
        demand_rest(tenant_id=row.tenant_id)
    try:
        with transaction.atomic(durable=True):
            moved = Reconciliation.objects.filter(pk=row.pk, state=source.value).update(state=target.value, **more)
            if not moved:
                raise UnableToReconcile(f"It is {row.state} already.", fix="Look at it again.")
            if target in ACTIVE:
                ring(row, by=by)
            record(event, row, by=by, at=at)
    except IntegrityError as error:  # one per entity at a time
        raise UnableToReconcile("Another reconciliation of these records is under way.") from error
    row.refresh_from_db()
    return row


def ring(row: Reconciliation, *, by: Actor) -> None:
    """Enqueue the job that carries it out; one that waits already is left alone."""
    queue.enqueue(TASK, tenant_id=row.tenant_id, key=str(row.pk), by=by, reconciliation_id=row.pk)


def record(event: str, row: Reconciliation, *, by: Actor, at: datetime, **data: object) -> None:
    """Write what happened to a reconciliation into the ledger."""
    ledger.record(
        f"parity_reports.reconciliation.{event}",
        by=by,
        at=at,
        tenant_id=row.tenant_id,
        subject=row,
        data={"entity": row.entity, **data},
    )
