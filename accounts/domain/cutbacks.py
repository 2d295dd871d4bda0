"""Cutbacks: who approves one, when it begins, and when it is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

LONGEST_HOURS = 24
APPROVABLE = timedelta(hours=24)
"""How long a request waits for its approvals: what was urgent yesterday is asked for anew."""


class Side(StrEnum):
    """Whose approval it is."""

    CUSTOMER = "customer"
    VENDOR = "vendor"

    @property
    def other(self) -> "Side":
        """The side that approves besides."""
        return Side.VENDOR if self is Side.CUSTOMER else Side.CUSTOMER


class State(StrEnum):
    """Where a cutback stands."""

    ASKED = "asked"
    RUNNING = "running"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Intact:
    """How many active members have a password that signs them in."""

    members: int
    intact: int
    owners: int
    owners_intact: int

    @property
    def in_words(self) -> str:
        """Say it."""
        return f"{self.intact:,} of {self.members:,} members have a password that works"


@dataclass(frozen=True, slots=True)
class Request:
    """What a decision about an approval looks at."""

    state: State
    approved_by: dict[Side, UUID | None]


def state(*, at: datetime, lapses_at: datetime, ends_at: datetime | None, ended_at: datetime | None) -> State:
    """Return where a cutback stands; its time ends it, whether or not anybody has written that down."""
    if ended_at is not None:
        return State.OVER
    if ends_at is not None:
        return State.RUNNING if at < ends_at else State.OVER
    return State.ASKED if at < lapses_at else State.OVER


def refusal(request: Request, *, side: Side, by: UUID) -> str | None:
    """Say why somebody must not approve, in words fit for them; None when they may."""
    if request.state is not State.ASKED:
        return "This cutback is not waiting for approval any more."
    if request.approved_by[side] not in (None, by):
        return "Somebody else has approved it for your side already."
    if request.approved_by[side.other] == by:
        return "You approved it for the other side. The second approval must be another person's."
    return None


def preflight_refusal(found: Intact) -> tuple[str, str] | None:
    """Say why a cutback would let nobody in, and what to do; None when it would."""
    if found.intact:
        return None
    return (
        "No member has a password that works: a cutback would let nobody in.",
        "Use a recovery code or a passkey, or restore the passwords first if they were taken away.",
    )
