"""The life of an invitation, and the secret in its link."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

VALID_FOR = timedelta(days=7)
TOKEN_BYTES = 32  # the secret of a link, drawn by the use case


class State(StrEnum):
    """Where an invitation stands."""

    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


def state(*, at: datetime, expires_at: datetime, accepted_at: datetime | None, revoked_at: datetime | None) -> State:
    """Tell where an invitation stands at a time; what was decided outlasts the expiry."""
    if accepted_at is not None:
        return State.ACCEPTED
    if revoked_at is not None:
        return State.REVOKED
    return State.EXPIRED if at >= expires_at else State.PENDING


def digest(token: str) -> str:
    """Return what is kept of the secret: SHA-256 in hex. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def mask(email: str) -> str:
    """Show whose address it is to those who know it: `owner@jetblue.example` becomes `o…@jetblue.example`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"
