"""Carrying out a reconciliation, batch by batch; each is one transaction on the new platform and one ledger entry."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from backfills.services import holding, watermarks
from core import holds, ports, queue
from core.actor import Actor
from core.moving import LoadOrder
from core.permissions import Permission
from core.queue import JobState
from core.reconciling import Outcome
from core.sealing import unseal
from parity_reports.domain.reconciliation import ACTIVE, MOVING, State, Strategy
from parity_reports.models import Drift, Reconciliation, ReconciliationItem
from parity_reports.services import batches, drift, reconciliations
from parity_reports.services.reconciliations import TASK, UNDOABLE


def advance(*, reconciliation_id: UUID, by: Actor, at: datetime, job_id: UUID | None = None) -> bool:
    """Carry out (or undo) the next batch, or end; say if more is to do.

    Safe to repeat and to be killed at any instruction: the new platform tells what it did already. `Unavailable` goes
    up to be tried again, also where a legal hold was placed while a batch was written; what the platform refuses ends
    it, and says why.
    """
    row = Reconciliation.objects.get(pk=reconciliation_id)
    if row.state not in ACTIVE:
        return False
    undoing = row.state == State.UNDOING
    items = list(_left(row)[: batches.BATCH])
    if not items:
        _end(row, State.UNDONE if undoing else State.DONE, by=by, at=at)
        return False
    try:
        watermarks.withdraw(order=_order(row, at), itself=undoing, by=by, at=at)
        outcomes = _restored(row, items, at=at) if undoing else _repaired(row, items, at=at)
    except ports.Rejected as refusal:
        _end(row, State.FAILED, by=by, at=at, problem=str(refusal))
        return False
    with transaction.atomic():
        done = row.items.exclude(**{"undone" if undoing else "outcome": ""}).count()
        queue.progress(job_id, done, row.items.count(), f"{row.title}: {done:,} records")
        for item in items:
            setattr(item, "undone" if undoing else "outcome", outcomes[item.pk].value)
        ReconciliationItem.objects.bulk_update(items, ["outcome", "undone"])
        if not undoing:
            _accept(row, items, at=at)
        else:
            _take_back(items)
        counts = Counter(outcome.value for outcome in outcomes.values())
        reconciliations.record("undone_batch" if undoing else "batch", row, by=by, at=at, **counts)
    return True


def take_up(*, by: Actor, at: datetime) -> None:
    """Go on with what no job works on any more, and end what a job gave up. Needs a staff scope; safe to repeat.

    What was done by then stays and can be undone, as after a refusal.
    """
    by.require(Permission.RECONCILE)
    for row in Reconciliation.objects.filter(state__in=[state.value for state in ACTIVE]):
        job = next(iter(queue.jobs(row.tenant_id, task=TASK, key=str(row.pk), limit=1)), None)
        if job is None or job.state is JobState.DONE:
            reconciliations.ring(row, by=by)
        elif job.is_over:
            _end(row, State.FAILED, by=by, at=at, problem=f"{_GIVEN_UP} {job.problem}".strip())


_GIVEN_UP = "It was tried several times and given up; what was done by then stays, and can be undone."


def forget(*, by: Actor, at: datetime) -> None:
    """Delete former states, there, and the keys to them, here, once nothing can be undone. Needs a staff scope.

    Those of an account under a legal hold are kept until it is released, though nothing can be undone by them.
    """
    by.require(Permission.RECONCILE)
    for account_id in ports.reconciler().over(at=at):
        committing = partial(holds.none_standing, tenant_id=account_id, at=at)
        with suppress(holds.LegallyHeld):
            ports.reconciler().forget(account_id=account_id, at=at, committing=committing)
    never = Q(reconciliation__undo_until=None, reconciliation__requested_at__lte=at - UNDOABLE)
    over = ReconciliationItem.objects.filter(Q(reconciliation__undo_until__lte=at) | never).exclude(sealed_key="")
    for tenant_id in over.order_by().values_list("tenant_id", flat=True).distinct():
        with suppress(holds.LegallyHeld), transaction.atomic():
            mine = over.filter(tenant_id=tenant_id).values("pk")
            ReconciliationItem.objects.filter(pk__in=mine).update(sealed_key="")
            holds.demand_none(tenant_id=tenant_id, at=at)


def _left(row: Reconciliation) -> QuerySet[ReconciliationItem]:
    if row.state == State.UNDOING:
        return row.items.filter(undone="").exclude(outcome="").select_related("drift").order_by("id")
    return row.items.filter(outcome="").select_related("drift").order_by("id")


def _repaired(row: Reconciliation, items: Sequence[ReconciliationItem], *, at: datetime) -> Mapping[UUID, Outcome]:
    """Move the rows of those that legacy wins or that are merged; the others need nothing on the new platform."""
    moved = {unseal(item.sealed_key): item for item in items if item.strategy in MOVING}
    found = {item.pk: Outcome.EQUAL for item in items}
    if not moved:
        return found
    batch = batches.gather(
        _order(row, at),
        marks={key: item.mark for key, item in moved.items()},
        keep_until=row.undo_until or at,
        removable=frozenset(key for key, item in moved.items() if item.drift.kind == "extra"),
        merges={key: item.foreseen for key, item in moved.items() if item.strategy == Strategy.MERGE},
    )
    told = ports.reconciler().repair(batch, committing=partial(holding.committing, batch.order))
    return found | {item.pk: told.get(key, Outcome.REFUSED) for key, item in moved.items()}


def _restored(row: Reconciliation, items: Sequence[ReconciliationItem], *, at: datetime) -> Mapping[UUID, Outcome]:
    keys = {
        item.pk: unseal(item.sealed_key)
        for item in items
        if item.strategy in MOVING and item.outcome in (Outcome.WRITTEN, Outcome.REMOVED)
    }
    order = _order(row, at)
    committing = partial(holding.committing, order)
    told = ports.reconciler().restore(order=order, keys=[*keys.values()], committing=committing) if keys else {}
    return {item.pk: told[keys[item.pk]] if item.pk in keys else Outcome.EQUAL for item in items}


def _order(row: Reconciliation, at: datetime) -> LoadOrder:
    return batches.order(tenant_id=row.tenant_id, entity=row.entity, run_id=row.pk, at=at)


def _accept(row: Reconciliation, items: Sequence[ReconciliationItem], *, at: datetime) -> None:
    """Let what stays different count as settled for a time: it is what the new platform says, as was agreed."""
    accepted = [item.drift_id for item in items if item.strategy == Strategy.TARGET]
    told = {
        "explained_at": at,
        "explained_by": row.approved_by or row.requested_by,
        "explained_until": row.accepted_until,
        "explanation": row.reason,
    }
    Drift.objects.filter(pk__in=accepted, resolved_at=None).update(**told)
    for item in items:
        if item.kept and item.outcome in (Outcome.WRITTEN, Outcome.EQUAL):
            left = {column: kind for column, kind in item.drift.columns.items() if column in item.kept}
            Drift.objects.filter(pk=item.drift_id, resolved_at=None).update(columns=left, **told)


def _take_back(items: Sequence[ReconciliationItem]) -> None:
    accepted = [item.drift_id for item in items if item.strategy == Strategy.TARGET or item.kept]
    Drift.objects.filter(pk__in=accepted).update(
        explained_at=None, explained_by=None, explained_until=None, explanation=""
    )


def _end(row: Reconciliation, state: State, *, by: Actor, at: datetime, problem: str = "") -> None:
    with transaction.atomic():
        ended = Reconciliation.objects.filter(pk=row.pk, state=row.state).update(
            state=state.value, finished_at=at, problem=problem
        )
        if ended:
            reconciliations.record(state.value, row, by=by, at=at)
    if ended:
        with suppress(drift.UnableToLook):  # a run is under way: it is looked at when that has ended
            drift.request(tenant_id=row.tenant_id, by=by, at=at)
