"""When an unproven domain is looked up again."""

from datetime import datetime, timedelta

QUICK = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15))
HOURLY_UNTIL = timedelta(hours=72)
GIVE_UP_AFTER = timedelta(days=30)
NOTICES = (timedelta(days=7), timedelta(days=1))
"""How long before a token is given up its people are reminded of it."""


def next_check_at(*, issued_at: datetime, at: datetime) -> datetime | None:
    """Give the next automatic check of a token issued at `issued_at`, strictly after `at`; None once it has failed.

    1, 5 and 15 minutes after the token was issued, then every hour to 72 hours, then daily to day 30.
    """
    age = at - issued_at
    if age < timedelta(0):
        return issued_at + QUICK[0]
    for step in QUICK:
        if age < step:
            return issued_at + step
    if age < HOURLY_UNTIL:
        return issued_at + (age // timedelta(hours=1) + 1) * timedelta(hours=1)
    if age < GIVE_UP_AFTER:
        return issued_at + (age // timedelta(days=1) + 1) * timedelta(days=1)
    return None


def notice_due(*, issued_at: datetime, at: datetime) -> timedelta | None:
    """Give the notice that has come due, as the time that was left then: 7 days, or 1; None before, and once failed."""
    left = issued_at + GIVE_UP_AFTER - at
    return min((notice for notice in NOTICES if timedelta(0) < left <= notice), default=None)


def has_failed(*, issued_at: datetime, at: datetime) -> bool:
    """Tell whether the token's 30 days are over."""
    return at - issued_at >= GIVE_UP_AFTER
