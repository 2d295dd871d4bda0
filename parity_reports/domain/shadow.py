"""Shadow reads: when they run, how they spare the platforms, how long reads took, and what they say in all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from parity_reports.domain import sampling
from parity_reports.domain.verdict import PARITY_ERROR_TARGET

BATCH = 25
"""Sampled records of one round."""

DRAWN = 1_000
"""Records that one pass over an entity's keys draws; rounds take from them until none is left."""

SAMPLE_LIVES = timedelta(days=1)
"""How long drawn records are read before others are drawn: what is new since is among those."""

SHARE = 10
"""The next round waits at least so many times as long as the last one took: the platforms have other work."""

SLOWER = 2.0
"""How many times slower than usual legacy's reads are before fewer are made."""

WORTH_HEEDING = 0.005
"""Seconds under which a read is never slow: there, twice as long is chance."""

LONGEST_PAUSE = 64
"""How many times rarer than agreed reads become at most."""

_USUAL = 5
"""Rounds that must have been timed before anything is slower than usual."""

WINDOW = timedelta(days=1)
"""What the verdict, the latency and the share of mismatches are about."""

SILENT = timedelta(hours=1)
"""After so long without a round nothing is known."""

LONGEST = timedelta(days=30)
"""How long shadow reads are on before somebody decides again."""

KEPT = timedelta(days=30)
"""How long rounds and settled mismatches are kept."""

ENOUGH = 100
"""Reads that must have been compared before they say anything."""


class Ending(StrEnum):
    """How a read that was answered differently came to stand no more. Only the first one says that it agrees."""

    ALIKE = "alike"
    KNOWN = "known"
    """What still differs in it, the last comparison tells of."""
    GONE = "gone"
    """Nobody can ask for it any more: the sampled record is gone from legacy, left behind, or in another list."""

    @property
    def label(self) -> str:
        """A few words for a table."""
        return _ENDINGS[self]


_ENDINGS = {
    Ending.ALIKE: "Alike again",
    Ending.KNOWN: "Differs as your last comparison says",
    Ending.GONE: "No longer there to be read",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How reads are spread: one of `slowed` times the agreed ones are made, the next round at `due_at`."""

    slowed: int
    due_at: datetime


def pace(*, slowed: int, reads: int, per_minute: int, took: timedelta, strained: bool, at: datetime) -> Pace:
    """Return the pace after a round of so many reads: half as many after each strain, twice as many after each calm.

    A round never begins before the budget of the reads made so far is used up, nor before the platforms have had ten
    times as long for other work.
    """
    slowed = min(slowed * 2, LONGEST_PAUSE) if strained else max(slowed // 2, 1)
    wait = timedelta(minutes=1) * (max(reads, 1) / per_minute) * slowed
    return Pace(slowed, at + max(wait, SHARE * took))


def is_slower(now: Sequence[float], usual: Sequence[float]) -> bool:
    """Say whether a round's reads took legacy much longer than usual; `usual` are the medians of earlier rounds."""
    if not now or len(usual) < _USUAL:
        return False
    median = percentile(now, 50)
    return median > WORTH_HEEDING and median > SLOWER * percentile(usual, 50)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest of the values that at least so many percent of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1]


@dataclass(frozen=True, slots=True)
class Latency:
    """How long so many reads took one platform, in seconds."""

    reads: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Latency | None":
        """Sum up; None where nothing was read."""
        if not values:
            return None
        return cls(len(values), *(percentile(values, percent) for percent in (50, 95, 99)))


@dataclass(frozen=True, slots=True)
class Tally:
    """What the rounds of a window found, in reads.

    No mismatch are those that are `newer` (people work on the new platform already) and those that are `known` to
    differ since the last comparison.
    """

    compared: int = 0
    mismatched: int = 0
    newer: int = 0
    known: int = 0
    settled: int = 0
    unasked: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def says_enough(self) -> bool:
        """Whether so many reads were compared that they say something."""
        return self.compared >= ENOUGH

    @property
    def within_target(self) -> bool:
        """Whether no larger share than the charter's differs among those that were read."""
        return self.mismatched <= PARITY_ERROR_TARGET * self.compared

    @property
    def statement(self) -> str:
        """Say how sure the reads make us of all that could have been made."""
        if not self.compared:
            return "Nothing was compared yet."
        bound = sampling.fewer_than_one_in(errors=self.mismatched, compared=self.compared)
        return sampling.statement(bound, of="reads")
