"""How often somebody may ask: counted in the shared cache, a minute at a time."""

import logging
from dataclasses import dataclass
from datetime import datetime

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


def count(what: str, *, quota: int, at: datetime) -> Usage | None:
    """Count one request; None when the cache does not answer: then nobody is turned away."""
    now = int(at.timestamp())
    seconds = WINDOW - now % WINDOW
    key = f"{what}:{now // WINDOW}"
    try:
        cache.add(key, 0, timeout=2 * WINDOW)
        used = cache.incr(key)
    except Exception:  # an answer without counting is better than none
        log.exception("limits.not_counted")
        return None
    return Usage(max(0, quota - used), seconds, exceeded=used > quota)
