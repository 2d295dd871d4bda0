"""The clock of a support case: when we must have answered and settled it, and who hears when we have not.

It runs round the clock, faster while traffic moves, and stands still while the case waits for the customer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comms.domain.cases import Severity
from core.permissions import StaffRole

MOVING = frozenset({"canary", "ramp", "full", "stabilise", "halted", "rolled_back"})
"""Phases in which a fault hurts people at work."""


@dataclass(frozen=True, slots=True)
class Target:
    """How soon we answer first, and how soon the case is settled."""

    respond: timedelta
    resolve: timedelta


def _hours(respond: float, resolve: float) -> Target:
    return Target(timedelta(hours=respond), timedelta(hours=resolve))


_PREPARING = {
    Severity.URGENT: _hours(1, 8),
    Severity.HIGH: _hours(4, 48),
    Severity.NORMAL: _hours(8, 120),
    Severity.LOW: _hours(48, 240),
}
_IN_MOTION = {
    Severity.URGENT: _hours(0.25, 4),
    Severity.HIGH: _hours(1, 24),
    Severity.NORMAL: _hours(4, 72),
    Severity.LOW: _hours(24, 240),
}


class Rung(StrEnum):
    """Who a case comes up to when its clock has run out, in the charter's order."""

    ON_CALL = "Engineer on call"
    SRE_LEAD = "SRE lead"
    PROGRAMME = "Programme manager and CS lead"
    SPONSOR = "Executive sponsor"


LADDER: tuple[tuple[Rung, tuple[StaffRole, ...]], ...] = (
    (Rung.ON_CALL, (StaffRole.TECHNICAL_LEAD,)),
    (Rung.SRE_LEAD, (StaffRole.SRE_LEAD,)),
    (Rung.PROGRAMME, (StaffRole.PROGRAMME_MANAGER, StaffRole.CS_LEAD)),
    (Rung.SPONSOR, (StaffRole.STEERING_GROUP,)),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A case's two deadlines and what has happened to them."""

    respond_by: datetime
    resolve_by: datetime
    responded: bool = False
    paused_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """The deadline that runs now; None while the clock stands still."""
        if self.paused_at is not None:
            return None
        return self.resolve_by if self.responded else min(self.respond_by, self.resolve_by)

    def left(self, *, at: datetime) -> timedelta:
        """Return the time left (negative: over) as of a moment; while it stands still, as of when it stopped."""
        deadline = self.resolve_by if self.responded else min(self.respond_by, self.resolve_by)
        return deadline - (self.paused_at or at)


def target(*, severity: Severity, phase: str) -> Target:
    """Return what we promise for a case of this severity in this phase."""
    return (_IN_MOTION if phase in MOVING else _PREPARING)[severity]


def start(*, severity: Severity, phase: str, at: datetime) -> Clock:
    """Start the clock of a new case."""
    promised = target(severity=severity, phase=phase)
    return Clock(respond_by=at + promised.respond, resolve_by=at + promised.resolve)


def pause(clock: Clock, *, at: datetime) -> Clock:
    """Stop the clock while the case waits for the customer; a clock that stands stays as it is."""
    if clock.paused_at is not None:
        return clock
    return Clock(clock.respond_by, clock.resolve_by, clock.responded, at)


def resume(clock: Clock, *, at: datetime) -> Clock:
    """Let the clock run on: what was left when it stopped is left now."""
    if clock.paused_at is None:
        return clock
    waited = max(at - clock.paused_at, timedelta(0))
    return Clock(clock.respond_by + waited, clock.resolve_by + waited, clock.responded)


def patience(severity: Severity) -> timedelta:
    """Return how long each rung of the ladder has before the case comes up to the next."""
    return _IN_MOTION[severity].respond * 2


def rung(level: int) -> tuple[Rung, tuple[StaffRole, ...]] | None:
    """Return who hears at an escalation level (1 is the first), or None before the first and above the last."""
    return LADDER[level - 1] if 0 < level <= len(LADDER) else None


def escalates_at(due_at: datetime | None, *, level: int, severity: Severity, at: datetime) -> datetime | None:
    """Return when a case comes up to the next rung: when its clock runs out, but each rung first gets its time."""
    if due_at is None or rung(level + 1) is None:
        return None
    return due_at if level == 0 else max(due_at, at + patience(severity))
