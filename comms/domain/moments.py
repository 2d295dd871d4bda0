"""Which moment of the move a tenant is in, for its banner: soon, now, or just moved; quiet at any other time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comms.domain.timeline import BEFORE, LATE

NEAR = timedelta(days=2)
AFTERWARDS = timedelta(days=14)


class Moment(StrEnum):
    """What a banner would speak of."""

    ANNOUNCED = "announced"
    NEAR = "near"
    MOVING = "moving"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Course:
    """How far a tenant is on its way."""

    phase: str
    phase_since: datetime
    starts_at: datetime | None
    ends_at: datetime | None


def moment(course: Course, *, at: datetime) -> Moment | None:
    """Return the moment, or None while there is nothing to say."""
    if course.phase in BEFORE:
        if course.starts_at is None or course.ends_at is None or course.ends_at <= at:
            return None
        if course.starts_at - at <= NEAR:
            return Moment.NEAR
        return Moment.ANNOUNCED if course.starts_at - at <= LATE else None
    if course.phase in ("canary", "ramp", "full"):
        return Moment.MOVING
    if course.phase == "stabilise" and at - course.phase_since <= AFTERWARDS:
        return Moment.MOVED
    return None
