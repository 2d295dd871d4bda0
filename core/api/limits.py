"""How often a token may ask, told on every answer.

The headers follow draft-ietf-httpapi-ratelimit-headers.
"""

from datetime import datetime
from typing import Any

import http_sf

from core import limits
from core.limits import WINDOW, Usage


def count(who: str, *, quota: int, at: datetime) -> Usage | None:
    """Count one request of a caller; see `core.limits`."""
    return limits.count(f"api.requests:{who}", quota=quota, at=at)


def headers(usage: Usage | None, *, quota: int) -> dict[str, str]:
    """Return the headers that tell the policy and what is left."""
    told = {"RateLimit-Policy": _field(q=quota, w=WINDOW)}
    if usage is not None:
        told["RateLimit"] = _field(r=usage.remaining, t=usage.seconds)
    return told


def _field(**parameters: int) -> str:
    field: Any = [("default", parameters)]
    return str(http_sf.ser(field))
