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


@dataclass(frozen=True, slots=True)
class Lag:
    """One entity: up to which moment everything of it has arrived; None where that was never known."""

    entity: str
    title: str
    since: datetime | None
    is_followed: bool
    """Whether the mapping says what tells of changes, so that it can be caught up within minutes."""

    def behind(self, *, at: datetime) -> timedelta | None:
        """Return how long ago that was."""
        return None if self.since is None else max(at - self.since, timedelta(0))


def worst(lags: Iterable[Lag]) -> Lag | None:
    """Return the entity that is furthest behind; one of which nothing is known is."""
    never = datetime.min.replace(tzinfo=UTC)
    return min(lags, key=lambda lag: lag.since or never, default=None)


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
