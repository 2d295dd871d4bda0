"""How far behind legacy the new platform is, and how far it may be."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

from core.findings import Outcome

RPO = timedelta(minutes=5)
"""What may be lost at most, if legacy is lost now (charter)."""
LIMIT = timedelta(minutes=30)
"""From here on it is no delay any more but a fault: it blocks, and where nothing else explains it it stops the line."""
UNSEEN = "What a transaction of more than 5 minutes changed in legacy is met by drift or the next full run only."
"""What a blind spot of the watermark means (`catching.MARGIN`)."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lag:
    """One entity: up to which moment everything of it has arrived; None where that was never known."""

    entity: str
    title: str
    since: datetime | None
    is_followed: bool
    """Whether the mapping says what tells of changes, so that it can be caught up within minutes."""
    read_at: datetime | None = None
    """When legacy was last read for it; None where it never was to its end."""
    is_exported: bool = False
    """Whether it was a file of which the mapping says as of when it holds everything."""
    blind_spot: str = ""
    """Why what a long transaction of legacy changed may have been passed over by what was read; '' where not."""
    trouble: str = ""
    """Why it counts as late however short that is, if it does; it says what is known instead."""
    fix: str = ""

    @property
    def is_of_old_file(self) -> bool:
        """Whether what was read was older than its reading, or nobody knows how old: a file."""
        return self.read_at is not None and (self.since is None or self.since < self.read_at)

    def outcome(self, *, at: datetime) -> Outcome:
        """Judge how far behind it is."""
        return Outcome.BLOCK if self.trouble else outcome(self.behind(at=at))

    def behind(self, *, at: datetime) -> timedelta | None:
        """Return how long ago that was."""
        return None if self.since is None else max(at - self.since, timedelta(0))


@dataclass(frozen=True, slots=True)
class Reading:
    """A run that accounted for every row: when it began, what it read, and how many rows it wrote or removed here."""

    at: datetime
    version: str
    rows: int | None
    wrote: int


def why_not_frozen(readings: Sequence[Reading]) -> str:
    """Return what speaks against legacy's being frozen, given what was read since, oldest first; or nothing.

    A file must hold what it held, to the byte; a server's rows must be as many, and none may have had to be written.
    """
    for former, later in pairwise(readings):
        if former.version != later.version or former.rows != later.rows or (not later.version and later.wrote):
            return f"legacy held other rows on {later.at:%Y-%m-%d} than before"
    return "" if readings else "they were last read before that"


def arrived(
    *, started_at: datetime | None, source_version: str, watermark: datetime | None, as_of: datetime | None = None
) -> datetime | None:
    """Return up to which moment a run has brought everything over that legacy had; None where nobody knows.

    A server's rows are those of the run's beginning, by our clock: its own tells from where to read on, and need not
    agree with ours. A file, which alone has a version, holds everything as of when the mapping says; where it does not
    say, it knows of nothing later than the latest change it tells of.
    """
    if started_at is None or not source_version:
        return started_at
    known = as_of or watermark
    return min(started_at, known) if known else None


def worst(lags: Iterable[Lag]) -> Lag | None:
    """Return the entity that is furthest behind; one that never moved is, then one that is in trouble."""
    return min(lags, key=lambda lag: (lag.read_at is not None and not lag.trouble, lag.since or _NEVER), default=None)


def unread(lags: Iterable[Lag]) -> Lag | None:
    """Return the entity that was read longest ago; one that never was is."""
    return min(lags, key=lambda lag: lag.read_at or _NEVER, default=None)


def counted(lags: Collection[Lag], *, traffic_moves: bool) -> list[Lag]:
    """Return the entities of which it matters how far behind they are.

    Once traffic moves, all; before, those that can be caught up: the others are moved in full shortly before.
    """
    return [lag for lag in lags if traffic_moves or lag.is_followed]


def outcome(behind: timedelta | None) -> Outcome:
    """Judge how far behind something is."""
    if behind is None:
        return Outcome.UNKNOWN
    if behind <= RPO:
        return Outcome.PASS
    return Outcome.WARN if behind <= LIMIT else Outcome.BLOCK


def words(behind: timedelta) -> str:
    """Say a length of time, rounded up as what may be lost is: “4 minutes”."""
    minutes = max(1, ceil(behind / timedelta(minutes=1)))
    size, unit = next((size, unit) for size, unit in _UNITS if minutes >= 2 * size or size == 1)
    number = -(-minutes // size)
    return f"{number} {unit}{'' if number == 1 else 's'}"


def often(minutes: int) -> str:
    """Say how many minutes lie between two catch-ups: “every 3 minutes”."""
    return "every minute" if minutes == 1 else f"every {minutes} minutes"


_UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))
