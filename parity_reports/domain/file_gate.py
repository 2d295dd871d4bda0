"""The type gate for what the engine reads itself: DuckDB and Parquet by their types, other files by the mapping's.

The list is closed here too, and what is not on it is refused: there is no server that could make a text of it.
Guards and casts are the engine's SQL. Dates and moments keep the borders of the PostgreSQL gate, so that what is
beyond them travels as the same text from everywhere.
"""

import re
from dataclasses import dataclass, replace

from parity_reports.domain.gate import Family, Passage, passage

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)", re.ASCII)
_SHORT_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")


class NotComparable(ValueError):
    """A type that no way leads to exactly; the text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Native:
    """A type of the engine's own: what it passes as, and its cast for that."""

    passage: Passage
    cast: str = "{0}"


_BORDERS = "{{0}} NOT BETWEEN {0} '4000-01-01 (BC)' AND {0} '200000-12-31' OR NOT isfinite({{0}})"
_DAY = Passage(Family.DATE, native=True, guard=_BORDERS.format("DATE"))
_CLOCK = Passage(Family.TIMESTAMP, native=True, guard=_BORDERS.format("TIMESTAMP"))
_MOMENT = Passage(Family.TIMESTAMPTZ, native=True, guard=_BORDERS.format("TIMESTAMPTZ"))
_NATIVE = {
    **dict.fromkeys(_SHORT_WHOLE, Native(Passage(Family.INTEGER, native=True), "{0}::BIGINT")),
    # Beyond 64 bits they are compared as numbers and never joined as whole ones.
    "UBIGINT": Native(Passage(Family.NUMERIC, native=True, precision=20), "{0}::DECIMAL(20,0)"),
    "HUGEINT": Native(Passage(Family.NUMERIC, native=False), "{0}::VARCHAR"),
    "UHUGEINT": Native(Passage(Family.NUMERIC, native=False), "{0}::VARCHAR"),
    "FLOAT": Native(Passage(Family.FLOAT, native=True)),
    "DOUBLE": Native(Passage(Family.FLOAT, native=True)),
    "BOOLEAN": Native(Passage(Family.BOOLEAN, native=True)),
    # Through bytes, so that no collation that a file declares reaches a comparison.
    "VARCHAR": Native(Passage(Family.TEXT, native=True), "decode(encode({0}))"),
    "UUID": Native(Passage(Family.UUID, native=True)),
    "BLOB": Native(Passage(Family.BYTES, native=True)),
    "BIT": Native(Passage(Family.OTHER, native=False), "{0}::VARCHAR"),
    "TIME": Native(Passage(Family.TIME, native=True)),
    "DATE": Native(_DAY),
    "TIMESTAMP": Native(_CLOCK),
    "TIMESTAMP_S": Native(_CLOCK, "TRY_CAST({0} AS TIMESTAMP)"),
    "TIMESTAMP_MS": Native(_CLOCK, "TRY_CAST({0} AS TIMESTAMP)"),
    "TIMESTAMP WITH TIME ZONE": Native(_MOMENT),
    # What is finer than a microsecond is told from what is not, and never rounded.
    "TIMESTAMP_NS": Native(
        Passage(Family.TIMESTAMP, native=True, guard="NOT isfinite({0}) OR epoch_ns({0}) % 1000 <> 0"),
        "{0}::TIMESTAMP",
    ),
}


def native(declared: str) -> Native:
    """Decide how a column of this DuckDB type travels. Raises NotComparable for all that are not on the list."""
    if found := _NATIVE.get(declared):
        return found
    if match := _DECIMAL.fullmatch(declared):
        precision, scale = int(match[1]), int(match[2])
        return Native(Passage(Family.NUMERIC, native=True, precision=precision, scale=scale))
    if declared.startswith("ENUM("):
        return Native(Passage(Family.TEXT, native=True), "{0}::VARCHAR")
    raise NotComparable(f"is of the type {declared[:60]}, which cannot be compared exactly; write it as text")


_WRITTEN = {
    "smallint": Family.INTEGER,
    "integer": Family.INTEGER,
    "bigint": Family.INTEGER,
    "double precision": Family.FLOAT,
    "boolean": Family.BOOLEAN,
    "text": Family.TEXT,
    "enum": Family.TEXT,
    "uuid": Family.UUID,
    "bytea": Family.BYTES,
    "date": Family.DATE,
    "time": Family.TIME,
    "timestamp": Family.TIMESTAMP,
    "timestamptz": Family.TIMESTAMPTZ,
}
READ = "read"
"""The guard of a value that is read from a text: its mark is the text, where that is none of its kind."""


def written(wanted: str) -> Passage:
    """Decide how a column that is written as text is read, by the type that the mapping declares for it.

    A number of more than 38 digits stays text, in its canonical form: no type of the engine holds it.
    """
    if wanted.partition("(")[0] == "numeric":
        found = passage(wanted)
        return replace(found, guard=READ) if found.native else found
    if family := _WRITTEN.get(wanted):
        return Passage(family, native=True, guard=READ)
    raise NotComparable(f"is wanted as {wanted[:60]}, which cannot be read from a text")
