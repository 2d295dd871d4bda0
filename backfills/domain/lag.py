"""How far behind legacy the new platform is, and how far it may be."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from core.findings import Outcome

RPO = timedelta(minutes=5)
"""What may be lost at most, if legacy is lost now (charter)."""
LIMIT = timedelta(minutes=30)
"""From here on it is no delay any more but a fault: it blocks, and where nothing else explains it it stops the line."""

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

    @property
    def is_of_old_file(self) -> bool:
        """Whether what was read was older than its reading, or nobody knows how old: a file."""
        return self.read_at is not None and (self.since is None or self.since < self.read_at)

    def behind(self, *, at: datetime) -> timedelta | None:
        """Return how long ago that was."""
        return None if self.since is None else max(at - self.since, timedelta(0))


def arrived(*, started_at: datetime | None, source_version: str, watermark: datetime | None) -> datetime | None:
    """Return up to which moment a run has brought everything over that legacy had; None where nobody knows.

    A server's rows are those of the run's beginning, by our clock: its own tells from where to read on, and need not
    agree with ours. A file, which alone has a version, knows of nothing later than the latest change it tells of.
    """
    if started_at is None or not source_version:
        return started_at
    return min(started_at, watermark) if watermark else None


def worst(lags: Iterable[Lag]) -> Lag | None:
    """Return the entity that is furthest behind; one of which nothing is known is."""
    return min(lags, key=lambda lag: lag.since or _NEVER, default=None)


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


_UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))
