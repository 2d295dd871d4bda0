"""Signing messages per Standard Webhooks 1.0.0."""

import base64
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook

SECRET_BYTES = 32
TOLERANCE = timedelta(minutes=5)
"""How far a message's timestamp may be from now, in either direction, for a receiver to take it."""


def secret_from(random: bytes) -> str:
    """Write random bytes as a signing secret; ValueError unless there are 32 of them."""
    if len(random) != SECRET_BYTES:
        raise ValueError(f"A signing secret has {SECRET_BYTES} random bytes.")
    return "whsec_" + base64.b64encode(random).decode()


def headers(*, secrets: Sequence[str], message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers that sign a body at a moment, with each of the secrets: a receiver needs to know one.

    The id is the same at each attempt, the moment is that of the attempt.
    """
    moment = at.astimezone(UTC)  # the package would take any other zone's wall clock for UTC
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(math.floor(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, moment, body) for secret in secrets),
        "content-type": "application/json",
    }
