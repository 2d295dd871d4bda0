"""Shadow reads, for screens, checks, signals and evidence: what was read, what did not agree, and when more is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Max, Q, QuerySet, Sum

from core import stages, toggles
from core.permissions import Permission
from core.stages import Stage, Traffic
from core.toggles import TOGGLES, Toggle
from parity_reports.domain import shadow
from parity_reports.domain.shadow import Latency, Tally
from parity_reports.models import Drift, ShadowMismatch, ShadowRound, Watch
from parity_reports.queries import reads

TASK = "parity_reports.tasks.shadow"
TOGGLE = TOGGLES.add("shadow_reads", Toggle("shadow_reads", "Shadow reads", Permission.RUN_PARITY, shadow.LONGEST))

_COUNTS = tuple(Tally.__slots__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tenant's shadow reads stand; the tally is that of the last day.

    Unexplained is what neither a person explained as drift, nor a look for drift has found alike or a reason for since.
    """

    stage: Stage
    on_until: datetime | None
    tally: Tally
    latest: Sequence[ShadowRound]
    """The newest round of each read that is declared."""
    open: int
    unexplained: int
    unexplained_since: datetime | None

    @property
    def read_at(self) -> datetime | None:
        """When reads were last made of both platforms."""
        return max((row.ended_at for row in self.latest if not row.problem), default=None)

    @property
    def failing(self) -> Sequence[ShadowRound]:
        """The reads that could not be made when it was their turn."""
        return [row for row in self.latest if row.problem]

    def is_known(self, *, at: datetime) -> bool:
        """Say whether reads were made lately."""
        return self.read_at is not None and at - self.read_at <= shadow.SILENT


def standing(*, tenant_id: UUID, at: datetime) -> Standing:
    """Return how a tenant's shadow reads stand, in a few queries."""
    found = of_window(tenant_id=tenant_id, at=at).aggregate(**{name: Sum(name, default=0) for name in _COUNTS})
    still = list(listed(tenant_id=tenant_id))
    puzzling = _unexplained(still, tenant_id=tenant_id, at=at)
    return Standing(
        stage=stages.stage(tenant_id=tenant_id),
        on_until=toggles.on(tenant_id=tenant_id, at=at, names=[TOGGLE.name]).get(TOGGLE.name),
        tally=Tally(**found),
        latest=latest(tenant_id=tenant_id),
        open=len(still),
        unexplained=len(puzzling),
        unexplained_since=min((row.unexplained_since for row in puzzling if row.unexplained_since), default=None),
    )


def of_window(*, tenant_id: UUID, at: datetime) -> QuerySet[ShadowRound]:
    """Return the rounds that the verdict is about, the oldest first: the last day's, after the move its last day's."""
    rows = ShadowRound.objects.filter(tenant_id=tenant_id)
    if stages.stage(tenant_id=tenant_id).traffic is Traffic.AFTER:
        at = rows.aggregate(at=Max("began_at"))["at"] or at
    return rows.filter(began_at__gt=at - shadow.WINDOW).order_by("began_at")


def latencies(*, tenant_id: UUID, at: datetime) -> tuple[Latency | None, Latency | None]:
    """Return how long the window's reads took legacy and the new platform."""
    rows = list(of_window(tenant_id=tenant_id, at=at).values_list("legacy", "new"))
    both = [[value / 1e6 for row in rows for value in row[side]] for side in (0, 1)]
    return Latency.of(both[0]), Latency.of(both[1])


def latest(*, tenant_id: UUID) -> Sequence[ShadowRound]:
    """Return the newest round of each read that is still declared, in the mapping's order."""
    rows = ShadowRound.objects.filter(tenant_id=tenant_id).order_by("entity", "read", "-began_at")
    found = {(row.entity, row.read): row for row in rows.distinct("entity", "read")}
    declared = [(entity, read.name) for entity, each in reads.every().items() for read in each]
    return [found[one] for one in declared if one in found]


def last(*, tenant_id: UUID, at: datetime) -> ShadowRound | None:
    """Return the round that began last until a moment."""
    return ShadowRound.objects.filter(tenant_id=tenant_id, began_at__lte=at).order_by("-began_at").first()


def listed(*, tenant_id: UUID) -> QuerySet[ShadowMismatch]:
    """Return the mismatches that stand of reads that are still declared, the unexplained first, then the newest."""
    rows = ShadowMismatch.objects.filter(still_declared(), tenant_id=tenant_id, resolved_at=None)
    return rows.order_by("unexplained_since", "-first_seen_at", "about")


def still_declared() -> Q:
    """Return the condition that a row is of a read that is still declared."""
    each = [Q(entity=entity, read__in=[one.name for one in its]) for entity, its in reads.every().items()]
    return reduce(or_, each, Q(pk__in=[]))


def is_puzzling(*, tenant_id: UUID, at: datetime) -> bool:
    """Say whether a mismatch stands that is not explained."""
    return bool(_unexplained(list(listed(tenant_id=tenant_id)), tenant_id=tenant_id, at=at))


def resolved(*, tenant_id: UUID) -> QuerySet[ShadowMismatch]:
    """Return the mismatches that are over, the newest first."""
    return ShadowMismatch.objects.filter(tenant_id=tenant_id, resolved_at__isnull=False).order_by("-resolved_at")


def due(*, at: datetime) -> list[UUID]:
    """Return the tenants with shadow reads to be made now; needs a staff scope."""
    on = toggles.where_on(TOGGLE.name, at=at)
    rows = ShadowRound.objects.filter(tenant_id__in=on, due_at__gt=at).order_by()
    waiting = set(rows.values_list("tenant_id", flat=True))
    return [one for one in on if one not in waiting and stages.stage(tenant_id=one).traffic is Traffic.MOVING]


def _unexplained(rows: Sequence[ShadowMismatch], *, tenant_id: UUID, at: datetime) -> list[ShadowMismatch]:
    """Return those that no fact explained when they were last seen, and that are not answered since.

    No round may ever see them again: the line is halted, or their switch is over. Drift is looked at all the time, so
    what is left of them once it was looked at is what still stands there, and that has its own alarm.
    """
    puzzling = [row for row in rows if row.unexplained_since]
    if not puzzling:
        return []
    watched = Watch.objects.filter(tenant_id=tenant_id, began_at__isnull=False)
    looks = dict(watched.values_list("entity", "began_at"))
    names = {name for row in puzzling for name in row.names}
    open_ones = Drift.objects.filter(tenant_id=tenant_id, resolved_at=None, record__in=names)
    drifts = {(one.entity, one.record): one for one in open_ones}
    return [
        row
        for row in puzzling
        if not all(
            _is_answered(row, drifts.get((row.entity, name)), began_at=looks.get(row.entity), at=at)
            for name in row.names
        )
    ]


def _is_answered(row: ShadowMismatch, drift: Drift | None, *, began_at: datetime | None, at: datetime) -> bool:
    """Say whether it is known of a record why it was read differently, or that it no longer is.

    `drift` is what stands of the record now, `began_at` when the last look at its entity began.
    """
    if drift is None:
        return began_at is not None and began_at > row.last_seen_at
    if drift.explained_until is not None and drift.explained_until > at:
        return True
    # A look has seen the whole entity: it may know a reason that a round, with few of the records, could not see.
    since = row.unexplained_since
    return drift.unexplained_since is None and since is not None and drift.last_seen_at >= since
