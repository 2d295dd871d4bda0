"""The programme's live dashboard: one line for each account, with what blocks it, whose turn it is and by when."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db.models import F, QuerySet

from accounts.queries.tenants import Tenant
from core import readiness
from core.readiness import Line
from cutover.domain.phases import Phase
from cutover.queries import cutovers
from cutover.queries.cutovers import Cutover
from portal.dashboard.queries import areas, checks
from portal.dashboard.queries.areas import Cell
from runbooks.queries import exceptions, runbooks

ORDERS = {
    "window": (F("window_starts_at").asc(nulls_last=True), F("phase_since").asc(), F("tenant__name").asc()),
    "age": (F("phase_since").asc(), F("tenant__name").asc()),
    "name": (F("tenant__name").asc(),),
}
"""How the lines may be sorted: the next window first, the longest in its phase first, by name."""

ROLLBACK_STEP = "rollback-proof"
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody asked to see; whatever fits nothing known is left out."""

    search: str = ""
    phase: str = ""
    wave: str = ""
    owner: str = ""
    open_area: str = ""
    """The id of an area: only accounts that do not pass every check of it."""
    order: str = "window"

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> "Filters":
        """Read the filters of an address."""
        phase, area, order, owner = (asked.get(name, "") for name in ("phase", "open", "order", "owner"))
        return cls(
            search=asked.get("q", "").replace("\0", "").strip()[:100],
            phase=phase if phase in set(Phase) else "",
            wave=asked.get("wave", "").replace("\0", "")[:40],
            owner=owner if _is_uuid(owner) else "",
            open_area=area if area in {one.id for one in areas.AREAS} else "",
            order=order if order in ORDERS else "window",
        )

    @property
    def narrow(self) -> bool:
        """Whether anything is filtered out."""
        return bool(self.search or self.phase or self.wave or self.owner or self.open_area)


@dataclass(frozen=True, slots=True)
class Next:
    """The next thing that must happen for an account."""

    title: str
    owner: str
    due: str
    due_on: date | None
    """The day it is due, where the window is set."""
    is_late: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One account of the dashboard."""

    tenant: Tenant
    cutover: Cutover
    phase: Phase
    days_in_phase: int
    cells: list[Cell]
    blockers: int
    exceptions: int
    is_rehearsed: bool
    """Whether the runbook's step that proves the rollback is signed."""
    next: Next | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer."""

    phases: list[Phase]
    waves: list[str]
    owners: list[tuple[UUID, str]]
    areas: list[areas.Area]


def listed(filters: Filters, *, at: datetime) -> QuerySet[Cutover]:
    """Return the cutovers that fit, in the asked order; needs a staff scope."""
    rows = cutovers.every()
    if filters.search:
        rows = rows.filter(tenant__name__icontains=filters.search)
    if filters.phase:
        rows = rows.filter(phase=filters.phase)
    if filters.wave:
        rows = rows.filter(wave=filters.wave)
    if filters.owner:
        rows = rows.filter(runbook_owner__pk=UUID(filters.owner))
    for area in areas.AREAS:
        if area.id == filters.open_area:
            rows = rows.exclude(tenant_id__in=readiness.passing(check_ids=areas.check_ids(area), at=at))
    return rows.order_by(*ORDERS[filters.order])


def choices() -> Choices:
    """Return what the filters offer."""
    return Choices(phases=list(Phase), waves=cutovers.waves(), owners=cutovers.runbook_owners(), areas=areas.shown())


def rows(found: Collection[Cutover], *, at: datetime) -> list[Row]:
    """Return the lines of some cutovers, in as many queries for a thousand as for one."""
    ids = [cutover.tenant_id for cutover in found]
    lines = readiness.overview_of_many(tenant_ids=ids, at=at, brief=True)
    excepted = Counter(exceptions.active(tenant_ids=ids, at=at).values_list("tenant_id", flat=True))
    rehearsed = runbooks.signed(tenant_ids=ids, key=ROLLBACK_STEP)
    return [
        Row(
            tenant=cutover.tenant,
            cutover=cutover,
            phase=Phase(cutover.phase),
            days_in_phase=max(0, (at - cutover.phase_since).days),
            cells=areas.cells(lines[cutover.tenant_id]),
            blockers=sum(line.blocks for line in lines[cutover.tenant_id]),
            exceptions=excepted[cutover.tenant_id],
            is_rehearsed=cutover.tenant_id in rehearsed,
            next=_next(lines[cutover.tenant_id], cutover, at=at),
        )
        for cutover in found
    ]


def every_row(filters: Filters, *, at: datetime) -> Iterator[Row]:
    """Yield every line that fits, a few hundred at a time: memory does not grow with the programme."""
    for chunk in batched(listed(filters, at=at).iterator(chunk_size=_CHUNK), _CHUNK):
        yield from rows(chunk, at=at)


def _next(lines: Collection[Line], cutover: Cutover, *, at: datetime) -> Next | None:
    """Return the blocker that is due first."""
    line = min(
        (line for line in lines if line.blocks), key=lambda one: (one.check.due_days, one.check_id), default=None
    )
    if line is None:
        return None
    check, starts_at = line.check, cutover.window_starts_at
    due_on = (starts_at + timedelta(days=check.due_days)).date() if starts_at else None
    owner = "the customer" if check.owner == "customer" else checks.OWNERS[check.owner].removeprefix("our ")
    return Next(check.title, owner, check.due, due_on, is_late=due_on is not None and due_on < at.date())


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
