"""When a message that was not taken is sent again, and when it is given up (Standard Webhooks 1.0.0)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The pause after the first, second, … attempt that was not taken."""
DISABLE_AFTER = timedelta(hours=120)
_SPREAD = 0.2
_BUSY = timedelta(seconds=60)
_GONE, _KNOWN, _TOO_MANY = 410, 409, 429


class State(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.DELIVERED, State.FAILED}),
    # Somebody sends it again: the same id, a fresh timestamp.
    State.DELIVERED: frozenset({State.PENDING}),
    State.FAILED: frozenset({State.PENDING}),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt leads to."""

    state: State
    pause: timedelta | None = None
    """Until the next attempt, while the message is pending."""
    disables: bool = False
    """Whether the receiver asked for no more messages at all."""


def after(*, status: int | None, attempts: int, chance: float, retry_after: timedelta | None = None) -> Verdict:
    """Decide what follows an attempt; `status` is None where nobody answered, `attempts` counts this one.

    Only 2xx is delivery, and 409 from the second attempt on: a receiver that keeps ids knows the message already.
    410 asks for no more. Pauses spread by ±20 % with `chance` in [0, 1); busy receivers get at least a minute, and a
    Retry-After counts within [pause, 2 × pause].
    """
    if status is not None and (200 <= status < 300 or (status == _KNOWN and attempts > 1)):
        return Verdict(State.DELIVERED)
    if status == _GONE:
        return Verdict(State.FAILED, disables=True)
    if attempts > len(SCHEDULE):
        return Verdict(State.FAILED)
    pause = SCHEDULE[attempts - 1] * (1 - _SPREAD + 2 * _SPREAD * chance)
    if status is None or status == _TOO_MANY:
        pause = max(pause, _BUSY)
    if retry_after is not None:
        pause = min(max(pause, retry_after), 2 * pause)
    return Verdict(State.PENDING, pause=pause)


def retry_after(value: str) -> timedelta | None:
    """Read Retry-After in seconds (RFC 9110 10.2.3); anything else asks for nothing."""
    return timedelta(seconds=int(value)) if value.isascii() and value.isdigit() and len(value) < 7 else None
