"""When a job may run, when it is tried again and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; the row's state column holds the value."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    # Back to QUEUED is a retry or a lease that ran out; CANCELLED also when a newer job of the same key waits already.
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.DONE, JobState.DEAD, JobState.CANCELLED}),
    # A person looked at it and tries again.
    JobState.DEAD: frozenset({JobState.QUEUED}),
    JobState.DONE: frozenset(),
    JobState.CANCELLED: frozenset(),
}

UNFINISHED = frozenset({JobState.QUEUED, JobState.RUNNING})

RING_AGAIN_AFTER = timedelta(seconds=30)
"""How long a bell may stay unanswered before the sweeper rings again."""

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=15)
_SPREAD = 0.2


def pause(*, attempts: int, chance: float) -> timedelta:
    """Return how long to wait after the given number of failed attempts.

    Doubles from 5 s up to 15 min, spread by ±20 % with `chance` in [0, 1) so that jobs which failed together
    do not come back together.
    """
    if attempts < 1:
        raise ValueError("a pause follows at least one attempt")
    # 2**8 * 5 s is already past the longest pause; without the bound a large count overflows timedelta.
    pause_length = min(_FIRST_PAUSE * (1 << min(attempts - 1, 8)), _LONGEST_PAUSE)
    return pause_length * (1 - _SPREAD + 2 * _SPREAD * chance)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again, not before the pause is over."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again by itself: a person has to look."""


def after_failure(*, attempts: int, max_attempts: int, chance: float, permanent: bool = False) -> Retry | GiveUp:
    """Decide what follows a failed attempt.

    `attempts` counts the failed one. A `permanent` failure (the outside refused, the input is wrong) is never
    repeated: the same question would get the same answer.
    """
    if permanent or attempts >= max_attempts:
        return GiveUp()
    return Retry(after=pause(attempts=attempts, chance=chance))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; `total` is None while nobody knows."""

    done: int
    total: int | None
    measured_at: datetime | None
    """When this attempt first told how far it was; None before it did."""
    first_done: int = 0
    """What it told then: a resumed run does not begin at nought."""

    @property
    def fraction(self) -> float | None:
        """Return the share done in [0, 1], or None when the total is unknown or zero."""
        if not self.total:
            return None
        return min(self.done / self.total, 1.0)

    def rate(self, *, at: datetime) -> float | None:
        """Return units per second of this attempt, or None before there is anything to measure."""
        if self.measured_at is None:
            return None
        seconds = (at - self.measured_at).total_seconds()
        moved = self.done - self.first_done
        if seconds <= 0 or moved <= 0:
            return None
        return moved / seconds

    def time_left(self, *, at: datetime) -> timedelta | None:
        """Return the time left at the rate so far, or None where a figure would be a guess.

        A guess is: no total, no rate, or less than 2 % and fewer than 5 s of measurement behind it.
        """
        rate = self.rate(at=at)
        if rate is None or self.measured_at is None or not self.total:
            return None
        elapsed = (at - self.measured_at).total_seconds()
        if elapsed < 5 and (self.done - self.first_done) / self.total < 0.02:
            return None
        left = max(self.total - self.done, 0) / rate
        # Beyond a year the figure says nothing, and timedelta has an end.
        return timedelta(seconds=min(left, 365 * 86_400))
