"""Carrying out a reconciliation, batch by batch; each is one transaction on the new platform and one ledger entry."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.queries import tenants
from backfills.domain.language import Call, Ref, Type
from backfills.domain.spec import Spec
from backfills.queries import mapping
from backfills.services import watermarks
from core import ledger, ports, queue
from core.actor import Actor
from core.moving import LoadOrder, SourceRows
from core.permissions import Permission
from core.reconciling import Outcome, Repair
from core.sealing import unseal
from parity_reports.domain.reconciliation import ACTIVE, State, Strategy
from parity_reports.models import Drift, Reconciliation, ReconciliationItem
from parity_reports.services import drift
from parity_reports.services.reconciliations import UNDOABLE

BATCH = 200
"""Records of one transaction on the new platform."""


def advance(*, reconciliation_id: UUID, by: Actor, at: datetime, job_id: UUID | None = None) -> bool:
    """Carry out (or undo) the next batch, or end; say if more is to do.

    Safe to repeat and to be killed at any instruction: the new platform tells what it did already. `Unavailable` goes
    up to be tried again; what the platform refuses ends it, and says why.
    """
    row = Reconciliation.objects.get(pk=reconciliation_id)
    if row.state not in ACTIVE:
        return False
    undoing = row.state == State.UNDOING
    items = list(_left(row)[:BATCH])
    if not items:
        _end(row, State.UNDONE if undoing else State.DONE, by=by, at=at)
        return False
    watermarks.withdraw(tenant_id=row.tenant_id, entity=row.entity, itself=undoing, by=by, at=at)
    try:
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
        _record("undone_batch" if undoing else "batch", row, by=by, at=at, **counts)
    return True


def forget(*, by: Actor, at: datetime) -> None:
    """Delete former states, there, and the keys to them, here, once nothing can be undone. Needs a staff scope."""
    by.require(Permission.RECONCILE)
    ports.reconciler().forget(at=at)
    never = Q(reconciliation__undo_until=None, reconciliation__requested_at__lte=at - UNDOABLE)
    over = ReconciliationItem.objects.filter(Q(reconciliation__undo_until__lte=at) | never).exclude(sealed_key="")
    ReconciliationItem.objects.filter(pk__in=over.values("pk")).update(sealed_key="")


def _left(row: Reconciliation) -> QuerySet[ReconciliationItem]:
    if row.state == State.UNDOING:
        return row.items.filter(undone="").exclude(outcome="").select_related("drift").order_by("id")
    return row.items.filter(outcome="").select_related("drift").order_by("id")


def _repaired(row: Reconciliation, items: Sequence[ReconciliationItem], *, at: datetime) -> Mapping[UUID, Outcome]:
    """Move the rows of those that legacy wins; the others need nothing on the new platform."""
    order = _order(row, at)
    keys = {item.pk: unseal(item.sealed_key) for item in items if item.strategy == Strategy.SOURCE}
    found = {item.pk: Outcome.EQUAL for item in items}
    if not keys:
        return found
    spec, asked = order.spec, list(keys.values())

    def read(wanted: Sequence[str]) -> SourceRows:
        return ports.legacy().read_keys(spec=spec, tenant_ref=order.tenant_ref, keys=wanted)

    origins = ports.mover().origins(account_id=row.tenant_id, spec=spec, keys=asked, read=read)
    sources = {key: origin.source_key for key, origin in origins.items() if not origin.supplied}
    if _takes_key_over(spec):
        sources |= {key: key for key in asked if key not in origins}
    removable = frozenset(keys[item.pk] for item in items if item.pk in keys and item.drift.kind == "extra")
    # Whatever else has no known source row is moved by a run, which reads them all.
    marks = {
        keys[item.pk]: item.mark
        for item in items
        if item.pk in keys and (keys[item.pk] in sources or keys[item.pk] in removable)
    }
    rows = read([source for key, source in sources.items() if key in marks])
    batch = Repair(order, marks, rows, keep_until=row.undo_until or at, sources=sources, removable=removable)
    told = ports.reconciler().repair(batch)
    return found | {pk: told.get(key, Outcome.REFUSED) for pk, key in keys.items()}


def _restored(row: Reconciliation, items: Sequence[ReconciliationItem], *, at: datetime) -> Mapping[UUID, Outcome]:
    order = _order(row, at)
    keys = {
        item.pk: unseal(item.sealed_key)
        for item in items
        if item.strategy == Strategy.SOURCE and item.outcome in (Outcome.WRITTEN, Outcome.REMOVED)
    }
    told = ports.reconciler().restore(order=order, keys=list(keys.values())) if keys else {}
    return {item.pk: told[keys[item.pk]] if item.pk in keys else Outcome.EQUAL for item in items}


def _order(row: Reconciliation, at: datetime) -> LoadOrder:
    tenant = tenants.get(tenant_id=row.tenant_id)
    return LoadOrder(
        run_id=row.pk,
        account_id=tenant.pk,
        account_name=tenant.name,
        tenant_ref=tenant.legacy_ref,
        entity=row.entity,
        specs=mapping.specs(),
        at=at,
    )


def _takes_key_over(spec: Spec) -> bool:
    """Whether an object's key is its source row's."""
    key = Ref(spec.key_column, Type.TEXT)
    return spec.column(spec.target_key).expression in (key, Call("int", (key,), Type.INT))


def _accept(row: Reconciliation, items: Sequence[ReconciliationItem], *, at: datetime) -> None:
    accepted = [item.drift_id for item in items if item.strategy == Strategy.TARGET]
    Drift.objects.filter(pk__in=accepted, resolved_at=None).update(
        explained_at=at,
        explained_by=row.approved_by or row.requested_by,
        explained_until=row.accepted_until,
        explanation=row.reason,
    )


def _take_back(items: Sequence[ReconciliationItem]) -> None:
    accepted = [item.drift_id for item in items if item.strategy == Strategy.TARGET]
    Drift.objects.filter(pk__in=accepted).update(
        explained_at=None, explained_by=None, explained_until=None, explanation=""
    )


def _end(row: Reconciliation, state: State, *, by: Actor, at: datetime, problem: str = "") -> None:
    with transaction.atomic():
        ended = Reconciliation.objects.filter(pk=row.pk, state=row.state).update(
            state=state.value, finished_at=at, problem=problem
        )
        if ended:
            _record(state.value, row, by=by, at=at)
    if ended:
        with suppress(drift.UnableToLook):  # a run is under way: it is looked at when that has ended
            drift.request(tenant_id=row.tenant_id, by=by, at=at)


def _record(event: str, row: Reconciliation, *, by: Actor, at: datetime, **data: object) -> None:
    ledger.record(
        f"parity_reports.reconciliation.{event}",
        by=by,
        at=at,
        tenant_id=row.tenant_id,
        subject=row,
        data={"entity": row.entity, **data},
    )
