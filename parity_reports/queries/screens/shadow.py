"""Shadow reads as their page shows them: the verdict, how long reads take on either side, and what did not agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from core.charts import Point
from core.stages import Traffic
from parity_reports.domain.differences import Kind
from parity_reports.domain.drift import Cause
from parity_reports.domain.shadow import Latency, Tally, percentile
from parity_reports.models import ShadowMismatch, ShadowRound
from parity_reports.queries import reads, shadow_verdicts
from parity_reports.queries import shadow as queries
from parity_reports.queries.screens.drift import STATES
from parity_reports.queries.shadow import Standing
from parity_reports.queries.shadow_verdicts import Told

_LINES, _OVER = 50, 20
_POINTS = 24
"""Points of a chart at most."""

_THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Times:
    """How long reads took one platform, in milliseconds as shown."""

    reads: int
    p50: str
    p95: str
    p99: str


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One read that is declared: what it found in the window, and how long it took on either side."""

    title: str
    tally: Tally
    legacy: Times | None
    new: Times | None
    made_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class Line:
    """One read that is or was answered differently."""

    name: str
    """What was asked for where that is public, else the code that it has in all reports."""
    is_code: bool
    code: str
    """The code as well, where another line of the list has the same name."""
    differs: str
    cause: str
    state: str
    ended: str
    """How it ended; '' while it stands."""
    row: ShadowMismatch


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything the page shows."""

    told: Told
    standing: Standing
    legacy: Times | None
    new: Times | None
    legacy_points: Sequence[Point]
    new_points: Sequence[Point]
    reads: Sequence[ReadLine]
    lines: Sequence[Line]
    over: Sequence[Line]
    causes: Mapping[str, str]
    """What each cause that is listed means, by its title."""

    @property
    def unlisted(self) -> int:
        """How many reads are answered differently beyond those that are listed."""
        return max(self.standing.open - len(self.lines), 0)

    @property
    def is_over(self) -> bool:
        """Whether the move is over, so that nobody switches anything on any more."""
        return self.standing.stage.traffic is Traffic.AFTER

    @property
    def is_a_line(self) -> bool:
        """Whether there are points enough to draw."""
        return len(self.legacy_points) > 1

    @property
    def slowed(self) -> int:
        """By how many times reads are made more rarely than agreed, to spare the platforms; 1 if they are not."""
        last = max(self.standing.latest, key=lambda row: row.began_at, default=None)
        return last.slowed if last else 1


def of(*, tenant_id: UUID, zone: ZoneInfo, at: datetime) -> Screen:
    """Return the page of a tenant; the number of queries does not grow with what was read."""
    now = queries.standing(tenant_id=tenant_id, at=at)
    rounds = list(queries.of_window(tenant_id=tenant_id, at=at))
    lines = _lines(queries.listed(tenant_id=tenant_id)[:_LINES])
    listed = {Cause(line.row.cause) for line in lines}
    return Screen(
        told=shadow_verdicts.tell(now, at=at),
        standing=now,
        legacy=_times(row.legacy for row in rounds),
        new=_times(row.new for row in rounds),
        legacy_points=_points(rounds, zone=zone, side="legacy"),
        new_points=_points(rounds, zone=zone, side="new"),
        reads=_reads(now, rounds),
        lines=lines,
        over=_lines(queries.resolved(tenant_id=tenant_id)[:_OVER]),
        causes={cause.label: cause.meaning for cause in Cause if cause in listed},
    )


def summary(*, tenant_id: UUID, at: datetime) -> Told | None:
    """Return the verdict beside the comparisons; None while nothing was switched on and nothing was read."""
    now = queries.standing(tenant_id=tenant_id, at=at)
    if now.stage.traffic is not Traffic.MOVING and not now.latest and now.on_until is None:
        return None
    return shadow_verdicts.tell(now, at=at)


def _reads(now: Standing, rounds: Sequence[ShadowRound]) -> list[ReadLine]:
    """Return a line per declared read, made or not."""
    latest = {(row.entity, row.read): row for row in now.latest}
    of_read: dict[tuple[str, str], list[ShadowRound]] = defaultdict(list)
    for row in rounds:
        of_read[row.entity, row.read].append(row)
    found = []
    for entity, each in reads.every().items():
        for read in each:
            last, its = latest.get((entity, read.name)), of_read[entity, read.name]
            found.append(
                ReadLine(
                    title=read.title,
                    tally=sum((tally(row) for row in its), Tally()),
                    legacy=_times(row.legacy for row in its),
                    new=_times(row.new for row in its),
                    made_at=last.ended_at if last else None,
                    problem=last.problem if last else "",
                )
            )
    return found


def tally(row: ShadowRound) -> Tally:
    """Return the counts of a round."""
    return Tally(*(getattr(row, name) for name in Tally.__slots__))


def _times(measured: Iterable[Sequence[int]]) -> Times | None:
    latency = Latency.of([value / _THOUSAND for values in measured for value in values])
    if latency is None:
        return None
    return Times(latency.reads, *(_shown(value) for value in (latency.p50, latency.p95, latency.p99)))


def _shown(milliseconds: float) -> str:
    """Say a time with as many digits as it is worth."""
    return f"{milliseconds:,.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def _points(rounds: Sequence[ShadowRound], *, zone: ZoneInfo, side: str) -> list[Point]:
    """Return the time that 95 % of the reads kept to, over the window, in parts of one length."""
    timed = [row for row in rounds if getattr(row, side)]
    if not timed:
        return []
    first, last = timed[0].began_at, timed[-1].began_at
    length = max((last - first) / _POINTS, timedelta(minutes=1))
    parts: dict[int, list[int]] = defaultdict(list)
    for row in timed:
        parts[min((row.began_at - first) // length, _POINTS - 1)] += getattr(row, side)
    many_days = (last - first) > timedelta(hours=12)
    form = "%a %H:%M" if many_days else "%H:%M"
    return [
        Point((first + part * length).astimezone(zone).strftime(form), round(percentile(values, 95) / _THOUSAND, 2))
        for part, values in sorted(parts.items())
    ]


def _lines(rows: Iterable[ShadowMismatch]) -> list[Line]:
    found = list(rows)
    named = Counter((row.title, row.shown) for row in found)
    return [_line(row, is_alone=named[row.title, row.shown] == 1) for row in found]


def _line(row: ShadowMismatch, *, is_alone: bool) -> Line:
    cause = Cause(row.cause)
    columns = ", ".join(f"{column.replace('_', ' ')} ({kind})" for column, kind in sorted(row.columns.items()))
    if not columns and row.records == 1:
        columns = Kind(row.kind).meaning
    more = f"{row.records:,} records differ" if row.records > 1 else ""
    return Line(
        name=row.shown or row.about,
        is_code=not row.shown,
        code="" if is_alone or not row.shown else row.about,
        differs=": ".join(filter(None, (more, columns))),
        cause=cause.label,
        state="pass" if row.resolved_at else STATES[cause],
        ended=row.get_ended_display(),
        row=row,
    )
