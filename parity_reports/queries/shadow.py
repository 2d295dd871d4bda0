"""Shadow reads, for screens, checks, signals and evidence: what was read, what did not agree, and when more is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, QuerySet, Sum

from core import toggles
from core.permissions import Permission
from core.toggles import TOGGLES, Toggle
from parity_reports import traffic
from parity_reports.domain import shadow
from parity_reports.domain.shadow import Latency, Stage, Tally
from parity_reports.models import Drift, ShadowMismatch, ShadowRound
from parity_reports.queries import reads

TASK = "parity_reports.tasks.shadow"
TOGGLE = TOGGLES.add("shadow_reads", Toggle("shadow_reads", "Shadow reads", Permission.RUN_PARITY, shadow.LONGEST))

_COUNTS = tuple(Tally.__slots__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tenant's shadow reads stand; the tally is that of the last day. Explained by a person is explained."""

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
    puzzling = _not_explained(still, explained=_explained(tenant_id, at=at))
    return Standing(
        stage=traffic.stage(tenant_id=tenant_id),
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
    if traffic.stage(tenant_id=tenant_id) is Stage.AFTER:
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
    """Return the mismatches that stand, the unexplained first, then the newest."""
    return ShadowMismatch.objects.filter(tenant_id=tenant_id, resolved_at=None).order_by(
        "unexplained_since", "-first_seen_at", "about"
    )


def is_puzzling(*, tenant_id: UUID) -> bool:
    """Say whether a mismatch stands that no fact explains."""
    return listed(tenant_id=tenant_id).filter(unexplained_since__isnull=False).exists()


def resolved(*, tenant_id: UUID) -> QuerySet[ShadowMismatch]:
    """Return the mismatches that are over, the newest first."""
    return ShadowMismatch.objects.filter(tenant_id=tenant_id, resolved_at__isnull=False).order_by("-resolved_at")


def due(*, at: datetime) -> list[UUID]:
    """Return the tenants with shadow reads to be made now; needs a staff scope."""
    on = toggles.where_on(TOGGLE.name, at=at)
    rows = ShadowRound.objects.filter(tenant_id__in=on, due_at__gt=at).order_by()
    waiting = set(rows.values_list("tenant_id", flat=True))
    return [one for one in on if one not in waiting and traffic.stage(tenant_id=one) is Stage.MOVING]


def _explained(tenant_id: UUID, *, at: datetime) -> set[tuple[str, str]]:
    """Return the (entity, record) that a person has explained as drift, for as long as that counts."""
    rows = Drift.objects.filter(tenant_id=tenant_id, resolved_at=None, explained_until__gt=at)
    return set(rows.values_list("entity", "record"))


def _not_explained(rows: Sequence[ShadowMismatch], *, explained: set[tuple[str, str]]) -> list[ShadowMismatch]:
    return [
        row for row in rows
        if row.unexplained_since and not all((row.entity, name) in explained for name in row.names)
    ]  # fmt: skip
