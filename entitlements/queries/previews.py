"""Where a tenant's entitlements stand: the last snapshot, laid under the matrix with the choices made since."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import queue
from core.subscriptions import Subscription, Use
from entitlements.domain import preview, records
from entitlements.domain.preview import Choice, Decided, Preview
from entitlements.models import Decision, Mismatch, Snapshot
from entitlements.queries import matrix

TASK = "entitlements.tasks.refresh"
STALE_AFTER = timedelta(hours=30)
"""A night's reconciliation that did not happen leaves an answer that no longer counts."""


@dataclass(frozen=True, slots=True)
class State:
    """The last snapshot and what follows from it now."""

    snapshot: Snapshot
    preview: Preview
    mismatches: tuple[Mismatch, ...]

    def is_stale(self, at: datetime) -> bool:
        """Say whether what was seen is too old to be relied on."""
        return at - self.snapshot.taken_at > STALE_AFTER


def state(*, tenant_id: UUID, at: datetime) -> State | None:
    """Return where the tenant stands; None while nobody has looked yet."""
    snapshot = latest(tenant_id=tenant_id)
    if snapshot is None:
        return None
    laid = lay(
        legacy=records.subscription(snapshot.legacy),
        use=records.use(snapshot.use),
        decided=decided(tenant_id=tenant_id),
        at=at,
    )
    return State(snapshot, laid, tuple(open_mismatches(tenant_ids=[tenant_id])))


def lay(*, legacy: Subscription | None, use: Use, decided: Mapping[str, Decided], at: datetime) -> Preview:
    """Lay the installation's matrix over what legacy holds."""
    return preview.build(matrix=matrix.declared(), legacy=legacy, use=use, decided=decided, on=at.date())


def latest(*, tenant_id: UUID) -> Snapshot | None:
    """Return the tenant's newest snapshot."""
    return Snapshot.objects.filter(tenant_id=tenant_id).order_by("-taken_at").first()


def latest_of_many(*, tenant_ids: Collection[UUID]) -> dict[UUID, Snapshot]:
    """Return the newest snapshot of each tenant, in one query."""
    rows = Snapshot.objects.filter(tenant_id__in=tenant_ids).order_by("tenant_id", "-taken_at").distinct("tenant_id")
    return {row.tenant_id: row for row in rows}


def open_mismatches(*, tenant_ids: Collection[UUID]) -> list[Mismatch]:
    """Return what is not as promised, with the snapshot that found it."""
    rows = Mismatch.objects.filter(tenant_id__in=tenant_ids, settled_in=None)
    return list(rows.select_related("opened_in").order_by("subject"))


def decided(*, tenant_id: UUID) -> dict[str, Decided]:
    """Return the choices that stand, by subject."""
    rows = Decision.objects.filter(tenant_id=tenant_id, replaced_at=None)
    return {row.subject: Decided(Choice(row.choice), row.basis) for row in rows}


def refreshing(*, tenant_id: UUID) -> queue.JobView | None:
    """Return the job that is about to look again, if there is one."""
    return next(iter(queue.jobs(tenant_id, task=TASK, unfinished=True, limit=1)), None)
