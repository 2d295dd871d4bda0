"""How often somebody may ask: counted in the shared cache, a minute at a time.

While the cache is away each process counts for itself: then somebody may ask as often of each, and not without end.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from django.core.cache import cache

WINDOW = 60
"""Seconds."""

_MOST_ALONE = 10_000
"""Callers that one process counts in one minute without the cache; those beyond them are not counted."""

log = logging.getLogger(__name__)
_alone: Counter[str] = Counter()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Usage:
    """What is left of a caller's quota in this window, and how many seconds the window still lasts."""

    remaining: int
    seconds: int
    exceeded: bool


def count(what: str, *, quota: int, at: datetime) -> Usage | None:
    """Count one request; None when neither the cache nor this process can: then nobody is turned away."""
    now = int(at.timestamp())
    minute, seconds = str(now // WINDOW), WINDOW - now % WINDOW
    key = f"{what}:{minute}"
    try:
        cache.add(key, 0, timeout=2 * WINDOW)
        used = cache.incr(key)
    except Exception:  # whatever a cache's client raises
        log.exception("limits.counted_alone")
        used = _count_alone(key, minute=minute)
    return Usage(max(0, quota - used), seconds, exceeded=used > quota) if used else None


def _count_alone(key: str, *, minute: str) -> int:
    """Count in this process, which keeps one minute and so many callers; 0 for one caller too many."""
    with _lock:
        if not next(iter(_alone), key).endswith(f":{minute}"):
            _alone.clear()
        if key not in _alone and len(_alone) >= _MOST_ALONE:
            return 0
        _alone[key] += 1
        return _alone[key]
