"""The type gate: which PostgreSQL types travel to the engine as they are, and which as text from the server.

The scanner is silently wrong beyond this list: numeric NaN arrives as 0, an unconstrained numeric as a double, a
month as 30 days, a timestamp after the year 294246 wraps around. So the list is closed and everything else is
cast to text on the server, which can be slow but never wrong.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)", re.ASCII)


class Family(StrEnum):
    """What a value is compared as."""

    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    UUID = "uuid"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    BYTES = "bytes"
    JSON = "json"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Passage:
    """How a column passes the gate.

    `native` columns travel as they are; `guard` names the exotic values that must not (they travel as marked
    text beside the column). Others are cast to text on the server.
    """

    family: Family
    native: bool
    guard: str = ""
    precision: int = 0
    scale: int = 0


_PLAIN = {
    "smallint": Family.INTEGER,
    "integer": Family.INTEGER,
    "bigint": Family.INTEGER,
    "boolean": Family.BOOLEAN,
    "text": Family.TEXT,
    "character varying": Family.TEXT,
    "uuid": Family.UUID,
    "real": Family.FLOAT,
    "double precision": Family.FLOAT,
    "bytea": Family.BYTES,
    "time without time zone": Family.TIME,
}
_GUARDED = {
    # Far years overflow: 5874897 for dates, 294276 for timestamps in PostgreSQL. Infinity is beyond them.
    "date": (Family.DATE, "{0} NOT BETWEEN DATE '4000-01-01 BC' AND DATE '200000-12-31'"),
    "timestamp without time zone": (
        Family.TIMESTAMP,
        "{0} NOT BETWEEN TIMESTAMP '4000-01-01 BC' AND TIMESTAMP '200000-12-31'",
    ),
    "timestamp with time zone": (
        Family.TIMESTAMPTZ,
        "{0} NOT BETWEEN TIMESTAMPTZ '4000-01-01 BC' AND TIMESTAMPTZ '200000-12-31'",
    ),
}
_AS_TEXT = {"json": Family.JSON, "jsonb": Family.JSON, "numeric": Family.NUMERIC}


def passage(declared: str) -> Passage:
    """Decide how a column of this catalogue type (`format_type`) travels; unknown types go as text."""
    base = re.sub(r"^(character varying)\(\d+\)$", r"\1", declared)
    base = re.sub(r"^(time|timestamp)\(\d\)( with(?:out)? time zone)$", r"\1\2", base)
    if base in _PLAIN:
        return Passage(_PLAIN[base], native=True)
    if base in _GUARDED:
        family, guard = _GUARDED[base]
        return Passage(family, native=True, guard=guard)
    if match := _NUMERIC.fullmatch(base):
        precision, scale = int(match[1]), int(match[2])
        if precision <= 38 and 0 <= scale <= precision:
            return Passage(Family.NUMERIC, native=True, guard="{0} = 'NaN'", precision=precision, scale=scale)
        return Passage(Family.NUMERIC, native=False)
    return Passage(_AS_TEXT.get(base, Family.OTHER), native=False)
