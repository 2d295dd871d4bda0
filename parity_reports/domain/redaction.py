"""What of a difference may be shown: an allow-list per column, keys as per-tenant HMAC, small counts as "<k"."""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.pseudonyms import pseudonym

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


__all__ = ["LONGEST_SHOWN", "Exposure", "K", "Shown", "count", "pseudonym", "values"]
