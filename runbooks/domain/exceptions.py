"""Policy exceptions: an agreed, time-boxed departure from one check."""

from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(days=30)
"""The registry is reviewed twice weekly; nothing in it stands longer than this without being asked for again."""


class ExceptionState(StrEnum):
    """Where an exception stands. Only ACTIVE covers anything."""

    REQUESTED = "requested"
    ACTIVE = "active"
    EXPIRED = "expired"
    REFUSED = "refused"
    REVOKED = "revoked"


def state_of(
    *,
    approved_at: datetime | None,
    refused_at: datetime | None,
    revoked_at: datetime | None,
    expires_at: datetime,
    at: datetime,
) -> ExceptionState:
    """Return the state at a moment. An exception that has expired is expired, whether or not it was approved."""
    if revoked_at is not None:
        return ExceptionState.REVOKED
    if refused_at is not None:
        return ExceptionState.REFUSED
    if expires_at <= at:
        return ExceptionState.EXPIRED
    return ExceptionState.REQUESTED if approved_at is None else ExceptionState.ACTIVE


def problem_with_expiry(*, expires_at: datetime, at: datetime) -> str:
    """Say what is wrong with an expiry, or nothing."""
    if expires_at <= at:
        return "The expiry must lie in the future."
    if expires_at - at > LONGEST:
        return f"An exception stands for at most {LONGEST.days} days. Choose an earlier expiry."
    return ""
