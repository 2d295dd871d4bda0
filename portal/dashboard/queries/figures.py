"""The figures of the overview, each beside its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from backfills.domain import lag
from backfills.queries import runs
from core import readiness
from core.charts import Goal, Point
from cutover.barriers import MOVED
from cutover.domain.phases import MOVING, Phase
from parity_reports.domain import verdict

PARITY_TARGET = 100 - 100 * verdict.PARITY_ERROR_TARGET
PARITY_GOAL = Goal(float(PARITY_TARGET), f"target {PARITY_TARGET.normalize()}%")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value, its target in words, how it stands, and how it came there."""

    label: str
    value: str
    target: str
    state: str = ""
    words: str = ""
    trend: Sequence[float | None] = ()
    share: int | None = None
    """Percent of the target that is reached, for a bar instead of a trend."""


def read(*, tenant_id: UUID, phase: Phase, blockers: int, parity: Sequence[Point], at: datetime) -> list[Figure]:
    """Return the figures of a tenant; what was never measured says so."""
    moves = runs.moves(tenant_id=tenant_id)
    return [_parity(parity), _moved(moves), _blockers(tenant_id, blockers), _age(moves, phase, at)]


def _parity(points: Sequence[Point]) -> Figure:
    target = f"target {PARITY_TARGET:.2f}%"
    if not points:
        return Figure("Record parity", "", target, words="Not compared yet")
    latest = points[-1].value
    if latest is None:
        return Figure("Record parity", "?", target, "incomplete", "Not wholly compared")
    met = Decimal(str(latest)) >= PARITY_TARGET
    floored = Decimal(str(latest)).quantize(Decimal("0.01"), rounding=ROUND_FLOOR)
    return Figure(
        "Record parity",
        f"{floored}%",
        target,
        "pass" if met else "block",
        "On target" if met else "Below target",
        [point.value for point in points],
    )


def _moved(moves: runs.Moves) -> Figure:
    if not moves.has_begun:
        return Figure("Records moved", "", "", words="Nothing moved yet")
    done, total = moves.accounted, moves.total
    state, words = "stopped", "Not finished"
    if moves.is_active:
        state, words = "running", "Moving"
    elif moves.is_conserved:
        state, words = ("warn", f"{moves.rejected:,} rejected") if moves.rejected else ("pass", "All accounted for")
    return Figure(
        "Records accounted for",
        short(done),
        f"of {short(total)}",
        state,
        words,
        share=100 * done // total if total else 0,
    )


def _blockers(tenant_id: UUID, blockers: int) -> Figure:
    trend = [float(count) for _, count in readiness.blocked_over_time(tenant_id=tenant_id)]
    state, words = ("block", "In the way") if blockers else ("pass", "On target")
    return Figure("Open blockers", f"{blockers}", "target 0", state, words, trend)


def _age(moves: runs.Moves, phase: Phase, at: datetime) -> Figure:
    binds = phase in MOVING
    target = f"limit {span(lag.RPO)}" + ("" if binds else " from the cutover on")
    if moves.caught_up_to is None:
        words = "The files do not tell" if moves.has_begun and moves.is_conserved else "Not everything moved yet"
        return Figure("Age of the copy", "", target, words=words)
    age = at - moves.caught_up_to
    if phase in MOVED:
        return Figure("Age of the copy", span(age), "", words="You work on the new platform")
    state, words = "", ""
    if binds:
        state, words = ("pass", "Within the limit") if age <= lag.RPO else ("block", "Over the limit")
    return Figure("Age of the copy", span(age), target, state, words)


def short(count: int) -> str:
    """Write a count for a figure, never rounded up: 912 · 54.6 k · 4.82 M."""
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if count >= size:
            unit = 1_000_000 if letter == "M" else 1_000
            places = "0.01" if letter == "M" else "0.1"
            return f"{(Decimal(count) / unit).quantize(Decimal(places), rounding=ROUND_FLOOR)} {letter}"
    return f"{count:,}"


def span(length: timedelta) -> str:
    """Write a length of time for a figure, rounded up: 38 s · 4 min · 3 h · 2 days."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{-(-seconds // 60)} min"
    if seconds < 2 * 86400:
        return f"{-(-seconds // 3600)} h"
    return f"{-(-seconds // 86400)} days"
