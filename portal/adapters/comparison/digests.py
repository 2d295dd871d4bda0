"""Digests of `crossing-parity/1` as SQL, of PostgreSQL (14 or newer) and of DuckDB (docs/parity-encoding.md).

Every expression yields NULL for NULL, so that one rule encodes it; settings that the text forms hang on (UTC, ISO
dates, `extra_float_digits` 1, UTF-8) are the session's to keep.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from core.comparison import Segment
from core.ports import Rejected
from parity_reports.domain import encoding
from parity_reports.domain.gate import Family, passage
from portal.adapters.comparison.quoting import text

FLOAT_DIGITS = 9
"""Digits after the point that a float is rounded to for its digest."""

_HEX_DIGITS = encoding.DIGEST_BITS // 4
_BIG = "1e16"


class Engine(StrEnum):
    """Whose SQL it is."""

    POSTGRES = "postgres"
    DUCKDB = "duckdb"


_KINDS = {
    Family.INTEGER: "integer",
    Family.FLOAT: f"float({FLOAT_DIGITS})",
    Family.BOOLEAN: "boolean",
    Family.UUID: "uuid",
    Family.DATE: "date",
    Family.TIME: "time",
    Family.TIMESTAMP: "timestamp",
    Family.TIMESTAMPTZ: "timestamp",
    Family.BYTES: "bytes",
    Family.JSON: "json",
}


def kind(declared: str) -> str:
    """Return the kind that a column of this PostgreSQL type (`format_type`) is encoded as."""
    found = passage(declared)
    if found.family is Family.NUMERIC:
        return f"decimal({found.scale})" if found.native else "number"
    if found.family is Family.OTHER and declared.startswith("interval") and not declared.endswith("[]"):
        return "interval"
    if declared == "real":
        return f"real({FLOAT_DIGITS})"
    return _KINDS.get(found.family, "text")


def is_computable(kinds: Sequence[str]) -> bool:
    """Tell whether the engines can digest records of these kinds; RFC 8785 is beyond their SQL."""
    return "json" not in kinds


def record(engine: Engine, columns: Sequence[tuple[str, str]], *, code: str) -> str:
    """Return the SQL of an encoded record, as text; `columns` are (kind, SQL of the value)."""
    start = encoding.field("text", code).decode()
    return " || ".join([text(start), *(field(engine, kind, value) for kind, value in columns)])


def digest(engine: Engine, encoded: str) -> str:
    """Return the SQL of an encoded record's digest, as a whole number of 60 bits."""
    if engine is Engine.POSTGRES:
        return f"('x' || left(md5({encoded}), {_HEX_DIGITS}))::bit({encoding.DIGEST_BITS})::bigint"
    return f"('0x' || left(md5({encoded}), {_HEX_DIGITS}))::UBIGINT::BIGINT"


def field(engine: Engine, kind: str, value: str) -> str:
    """Return the SQL of one encoded field. Raises Rejected for a kind that the engine cannot encode."""
    shape, _, parameter = kind.rstrip(")").partition("(")
    shapes = _POSTGRES if engine is Engine.POSTGRES else _DUCKDB
    if shape not in shapes:
        raise Rejected(f"A column of the kind {shape} cannot be digested by {engine}.")
    octets = shapes[shape](value, int(parameter or 0))
    length = "octet_length" if engine is Engine.POSTGRES else "strlen"
    return f"coalesce({length}({octets}) || ':' || {octets}, 'N')"


def sampled(engine: Engine, key: str, segment: Segment) -> str:
    """Return the condition that a key, given as the SQL of its text, falls into a segment that is a sample."""
    return f"{digest(engine, record(engine, [('text', key)], code=segment.seed))} % {segment.of} = {segment.bucket}"


def sums(engine: Engine, records: str, *, buckets: int) -> str:
    """Return the query of the four sums per bucket over a relation of key digests k and record digests d."""
    wide = "numeric" if engine is Engine.POSTGRES else "HUGEINT"
    return (
        f"SELECT (k % {buckets})::integer AS bucket, count(*) AS records, sum(d) AS digests, sum(k >> 28) AS names, "
        f"sum(d::{wide} * (k >> 28)) AS products FROM {records} GROUP BY 1"
    )


type _Shape = Callable[[str, int], str]


def _as(kind: str) -> _Shape:
    return lambda value, _: f"({value})::{kind}"


def _postgres_float(value: str, digits: int) -> str:
    # The cast to numeric takes a double's first 15 significant digits, and 6 of a real: no more are portable.
    return (
        f"(CASE WHEN ({value})::text = '-0' THEN '-0' "
        f"ELSE replace(round(({value})::numeric * {10**digits})::text, 'I', 'i') END)"
    )


def _postgres_interval(value: str, _: int) -> str:
    months = f"(extract(year FROM {value}) * 12 + extract(month FROM {value}))::bigint"
    clock = (
        f"((extract(hour FROM {value}) * 60 + extract(minute FROM {value})) * 60000000 "
        f"+ extract(microseconds FROM {value}))::bigint"
    )
    return (
        f"(CASE WHEN isfinite({value}) THEN {months} || ',' || extract(day FROM {value})::bigint || ',' || {clock} "
        f"ELSE ({value})::text END)"
    )


def _postgres_moment(value: str, _: int) -> str:
    # Through numeric, which is exact. In its last years PostgreSQL rounds the epoch to a tenth of a millisecond, and
    # the microseconds pass what a bigint holds.
    far = (
        f"(({value})::date - DATE '1970-01-01')::numeric * 86400000000 + extract(epoch FROM ({value})::time) * 1000000"
    )
    return (
        f"(CASE WHEN NOT isfinite({value}) THEN ({value})::text WHEN {value} < '290000-01-01' "
        f"THEN (extract(epoch FROM {value}) * 1000000)::bigint::text ELSE trunc({far})::text END)"
    )


_POSTGRES: Mapping[str, _Shape] = {
    "text": _as("text"),
    "integer": _as("text"),
    "number": lambda value, _: f"replace(trim_scale({value})::text, 'I', 'i')",
    "decimal": _as("text"),
    "float": _postgres_float,
    "real": _postgres_float,
    "boolean": _as("integer::text"),
    "date": _as("text"),
    "time": lambda value, _: f"(extract(epoch FROM {value}) * 1000000)::bigint::text",
    "timestamp": _postgres_moment,
    "interval": _postgres_interval,
    "uuid": _as("text"),
    "bytes": lambda value, _: f"encode({value}, 'hex')",
}


def _duckdb_number(value: str, _: int) -> str:
    shown = f"({value})::VARCHAR"
    short = f"CASE WHEN contains({shown}, '.') THEN rtrim(rtrim({shown}, '0'), '.') ELSE {shown} END"
    return f"replace({short}, 'I', 'i')"


def _duckdb_float(significant: int) -> _Shape:
    def shape(value: str, digits: int) -> str:
        shown = f"format('{{:.{significant}g}}', ({value})::DOUBLE)"
        figures = f"regexp_extract({shown}, '^[^e]+')"
        exponent = f"regexp_extract({shown}, 'e(.+)$', 1)::INTEGER"
        behind = f"strlen(regexp_extract({figures}, '[.](.*)$', 1))"
        large = f"replace({figures}, '.', '') || repeat('0', {exponent} - {behind} + {digits})"
        rounded = f"replace(({shown}::DECIMAL(38,{digits}))::VARCHAR, '.', '')::HUGEINT::VARCHAR"
        return (
            f"(CASE WHEN isnan({value}) THEN 'NaN' WHEN isinf({value}) THEN replace({shown}, 'inf', 'infinity') "
            f"WHEN {shown} = '-0' THEN '-0' WHEN abs({value}) >= {_BIG} THEN {large} "
            # The engine's cast of a very small number rounds up, whatever it is.
            f"WHEN abs({value}) < 1e-{digits + 2} THEN '0' ELSE {rounded} END)"
        )

    return shape


def _duckdb_interval(value: str, _: int) -> str:
    months = f"(datepart('year', {value}) * 12 + datepart('month', {value}))"
    clock = (
        f"((datepart('hour', {value}) * 60 + datepart('minute', {value})) * 60000000 "
        f"+ datepart('microseconds', {value}))"
    )
    return f"({months} || ',' || datepart('day', {value}) || ',' || {clock})"


_DUCKDB: Mapping[str, _Shape] = {
    "text": _as("VARCHAR"),
    "integer": _as("VARCHAR"),
    "number": _duckdb_number,
    "decimal": _as("VARCHAR"),
    "float": _duckdb_float(15),
    "real": _duckdb_float(6),
    "boolean": _as("INTEGER::VARCHAR"),
    "date": lambda value, _: f"replace(({value})::VARCHAR, ' (BC)', ' BC')",
    "time": lambda value, _: f"epoch_us({value})::VARCHAR",
    "timestamp": lambda value, _: (
        f"(CASE WHEN isfinite({value}) THEN epoch_us({value})::VARCHAR ELSE ({value})::VARCHAR END)"
    ),
    "interval": _duckdb_interval,
    "uuid": _as("VARCHAR"),
    "bytes": lambda value, _: f"lower(hex({value}))",
}
