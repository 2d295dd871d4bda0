"""Enforcing company sign-in: what must stand before it is announced, how long it holds, and where it stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from accounts.domain.lockouts import Forecast
from accounts.domain.recovery import SEATS

SHORTEST_NOTICE = timedelta(days=1)
LONGEST_NOTICE = timedelta(days=60)
LONGEST = timedelta(days=180)
"""How long it may hold without somebody deciding again."""
WARN_DAYS = (14, 7, 1)
"""How many days before its end people are told."""
EXPIRY_WARNING = timedelta(days=WARN_DAYS[0])

CLOCK_SLACK = timedelta(minutes=5)
"""A form that was open for a moment still gives a whole day's notice."""


class State(StrEnum):
    """How a tenant's people may sign in now."""

    OPEN = "open"
    ANNOUNCED = "announced"
    ENFORCED = "enforced"
    CUT_BACK = "cut_back"
    REMOVED = "removed"
    """Passwords were taken away for good."""

    @property
    def refuses_passwords(self) -> bool:
        """Whether a password signs nobody of the tenant in."""
        return self in (State.ENFORCED, State.REMOVED)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at a moment: an enforcement with its dates, a cutback with its end, or neither."""

    takes_effect_at: datetime | None = None
    expires_at: datetime | None = None
    cutback_starts_at: datetime | None = None
    cutback_ends_at: datetime | None = None
    removed_at: datetime | None = None

    def state(self, *, at: datetime) -> State:
        """Return where it stands; a cutback goes before everything else."""
        is_announced = self.takes_effect_at is not None and self.expires_at is not None and at < self.expires_at
        is_enforced = is_announced and self.takes_effect_at is not None and at >= self.takes_effect_at
        if (is_enforced or self.removed_at) and self.cutback_ends_at is not None and at < self.cutback_ends_at:
            return State.CUT_BACK
        if self.removed_at:
            return State.REMOVED
        if is_enforced:
            return State.ENFORCED
        return State.ANNOUNCED if is_announced else State.OPEN


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision about enforcing looks at."""

    is_connected: bool
    has_passed: bool
    """Whether the last test of the connection as it is now passed."""
    break_glass: int
    """Break-glass owners who hold codes."""
    forecast: Forecast
    accepted_list: str
    """Digest of the list of people locked out that was seen and accepted."""
    takes_effect_at: datetime
    expires_at: datetime


def refusal(asked: Asked, *, at: datetime) -> tuple[str, str] | None:
    """Say why company sign-in cannot be enforced like this, and what to do; None when it can."""
    if not asked.is_connected:
        return "Your identity provider is not connected.", "Connect it under “Single sign-on” first."
    if not asked.has_passed:
        return "The last test sign-in did not pass.", "Test the connection under “Single sign-on” until it does."
    if asked.break_glass < len(SEATS):
        return (
            "Two owners must hold recovery codes first: they are the way in when your provider fails.",
            "Choose two owners below, and let each make their codes.",
        )
    if asked.takes_effect_at < at + SHORTEST_NOTICE - CLOCK_SLACK:
        return "Your people must hear of it at least a day before.", "Choose a later day for it to begin."
    if asked.takes_effect_at > at + LONGEST_NOTICE:
        return f"It must begin within {LONGEST_NOTICE.days} days.", "Choose an earlier day for it to begin."
    if asked.expires_at <= asked.takes_effect_at:
        return "It would end before it begins.", "Choose a later day for its end."
    if asked.forecast.is_grave and asked.accepted_list != asked.forecast.digest:
        return asked.forecast.in_words, "Look at the list, and put it right or accept it as it stands there."
    return None


def ending(*, expires_at: datetime, told: int | None, at: datetime) -> int | None:
    """Return of how many days before the end people are to be told now, 0 once it is over, or None.

    Each step once, and of several missed the last.
    """
    due = min((days for days in (*WARN_DAYS, 0) if at >= expires_at - timedelta(days=days)), default=None)
    return due if due is not None and (told is None or due < told) else None
