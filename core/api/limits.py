"""How often a token may ask: counted in the shared cache, told on every answer.

The headers follow draft-ietf-httpapi-ratelimit-headers.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import http_sf
from django.conf import settings
from django.core.cache import cache

WINDOW = 60
"""Seconds."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Usage:
    """What is left of a caller's quota in this window, and how many seconds the window still lasts."""

    remaining: int
    seconds: int
    exceeded: bool


def count(who: str, *, at: datetime) -> Usage | None:
    """Count one request of a caller; None when the cache does not answer: then nobody is turned away."""
    now = int(at.timestamp())
    seconds = WINDOW - now % WINDOW
    key = f"api.requests:{who}:{now // WINDOW}"
    try:
        cache.add(key, 0, timeout=2 * WINDOW)
        used = cache.incr(key)
    except Exception:  # an API that answers without counting is better than one that does not answer
        log.exception("api.not_counted")
        return None
    return Usage(max(0, settings.API_QUOTA - used), seconds, exceeded=used > settings.API_QUOTA)


def headers(usage: Usage | None) -> dict[str, str]:
    """Return the headers that tell the policy and what is left."""
    told = {"RateLimit-Policy": _field(q=settings.API_QUOTA, w=WINDOW)}
    if usage is not None:
        told["RateLimit"] = _field(r=usage.remaining, t=usage.seconds)
    return told


def _field(**parameters: int) -> str:
    field: Any = [("default", parameters)]
    return str(http_sf.ser(field))
