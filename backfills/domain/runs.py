"""The states of a run, and what its figures mean."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from backfills.domain.judgement import Fate


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    """Every source row is accounted for, and few enough were rejected."""
    STOPPED = "stopped"
    """Every source row is accounted for, but too many were rejected: the line is stopped."""
    FAILED = "failed"
    """It could not be brought to its end; what is committed stays."""
    CANCELLED = "cancelled"
    """Somebody ended it early; what is committed stays."""

    @property
    def is_over(self) -> bool:
        """Whether the run moves no further by itself."""
        return self.is_accounted or self.is_cut_short

    @property
    def is_cut_short(self) -> bool:
        """Whether it ended before every source row had its one outcome."""
        return self in (RunState.FAILED, RunState.CANCELLED)

    @property
    def is_accounted(self) -> bool:
        """Whether every source row has its one outcome (the database holds to it)."""
        return self in (RunState.SUCCEEDED, RunState.STOPPED)

    @property
    def was_accounted(self) -> bool:
        """Whether every source row had its one outcome when the run last ended."""
        return self.is_accounted or self is RunState.RETRYING


TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.PAUSED, RunState.FAILED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset(
        {RunState.PAUSED, RunState.SUCCEEDED, RunState.STOPPED, RunState.FAILED, RunState.CANCELLED}
    ),
    RunState.PAUSED: frozenset({RunState.QUEUED, RunState.RUNNING, RunState.CANCELLED}),
    # What was rejected is judged again.
    RunState.SUCCEEDED: frozenset({RunState.RETRYING}),
    RunState.STOPPED: frozenset({RunState.RETRYING}),
    # One that is refused leaves the run as it stood.
    RunState.RETRYING: frozenset({RunState.SUCCEEDED, RunState.STOPPED}),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}

OVER = frozenset(state for state in RunState if state.is_over)
MOVING = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.RETRYING})
ACTIVE = MOVING | {RunState.PAUSED}


def before(*targets: RunState) -> list[RunState]:
    """Return the states from which a run may come to one of these."""
    return [state for state, following in TRANSITIONS.items() if following & set(targets)]


def quarantined(totals: Mapping[tuple[str, str], int]) -> int:
    """Count the rejected rows among (fate, rule) → rows."""
    return sum(count for (fate, _), count in totals.items() if fate == Fate.QUARANTINED)


def are_too_many(rejected: int, *, rows: int, stop_above_percent: float) -> bool:
    """Say whether so many rejected rows stop the line."""
    return rejected * 100 > rows * stop_above_percent


def ending(*, source_total: int, totals: Mapping[tuple[str, str], int], stop_above_percent: float) -> RunState:
    """Decide how a run ends whose every row is accounted for."""
    too_many = are_too_many(quarantined(totals), rows=source_total, stop_above_percent=stop_above_percent)
    return RunState.STOPPED if too_many else RunState.SUCCEEDED


def why_stopped(*, source_total: int, totals: Mapping[tuple[str, str], int], stop_above_percent: float) -> str:
    """Say why a run stops the line, in words fit for the customer."""
    return too_many_words(quarantined(totals), rows=source_total, stop_above_percent=stop_above_percent)


def too_many_words(rejected: int, *, rows: int, stop_above_percent: float) -> str:
    """Say that so many rejected rows are too many, in words fit for the customer."""
    return (
        f"{rejected:,} of {rows:,} rows were rejected, more than the {stop_above_percent:g} % that the mapping allows."
    )


def seconds_left(
    *, source_total: int | None, read: int, rows_per_second: int | None, measured: float | None
) -> float | None:
    """Return how long the rows still to be read take, None for a guess: as measured, and never faster than allowed."""
    if source_total is None or rows_per_second is None:
        return measured
    return max((source_total - read) / rows_per_second, measured or 0.0, 0.0)


def is_conserved(*, source_total: int, counts: Iterable[int]) -> bool:
    """Say whether the outcomes add up to the source: nothing lost, nothing counted twice."""
    return source_total == sum(counts)
