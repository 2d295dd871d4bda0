"""What of a difference may be shown: an allow-list per column, keys as per-tenant HMAC, small counts as "<k"."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

K = 5
"""Counts about a restricted column that are smaller than this are shown as "<5"."""

LONGEST_SHOWN = 200
"""Characters of a public value that a sample keeps."""


class Exposure(StrEnum):
    """Whether a column's values may leave the comparison. What nobody declared public is internal."""

    PUBLIC = "public"
    INTERNAL = "internal"

    @classmethod
    def of(cls, declared: object) -> "Exposure":
        """Read a declaration; anything but the exact word "public" restricts."""
        return cls.PUBLIC if declared == cls.PUBLIC.value else cls.INTERNAL


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair of values as a report may hold it; empty where it may not show them."""

    expected: str
    actual: str


def values(exposure: Exposure, *, expected: str | None, actual: str | None) -> Shown:
    """Return what a sample may keep of the two values: both or nothing."""
    if exposure is not Exposure.PUBLIC:
        return Shown("", "")
    return Shown(_value(expected), _value(actual))


def _value(value: str | None) -> str:
    """Render a value so that null, the empty text and the text "NULL" stay apart."""
    if value is None:
        return "∅"
    shown = value if len(value) <= LONGEST_SHOWN else value[:LONGEST_SHOWN] + "…"
    return f"“{shown}”"


def count(exposure: Exposure, number: int) -> int | str:
    """Return a count about one column as it may be shown: exact if public, "<k" if restricted and small."""
    if exposure is Exposure.PUBLIC or number == 0 or number >= K:
        return number
    return f"<{K}"


def pseudonym(*, secret: bytes, entity: str, key: str) -> str:
    """Return the name a record has in this tenant's reports: 16 hex digits of an HMAC-SHA-256 of its key.

    The same record has the same name in every report of one tenant, another one in every other tenant's.
    Parts are length-prefixed, so that no two keys run together.
    """
    message = b"".join(b"%d:%b" % (len(part.encode()), part.encode()) for part in (entity, key))
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:16]
