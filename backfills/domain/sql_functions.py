"""What each function of the language is in SQL, given SQL for its arguments; `sql` guards what could fail."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from backfills.domain import evaluation
from backfills.domain.language import Type
from backfills.domain.quoting import text

if TYPE_CHECKING:
    from backfills.domain.sql import Compiler

FAST = 18
"""Digits that DuckDB calculates with in 64 bits."""

_FAST_DECIMAL = r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?"


def _next_local(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    day = f"{sql.local(v[0], v[2])}::date"
    today, tomorrow = sql.wall(day, v[1], v[2]), sql.wall(f"({day} + 1)", v[1], v[2])
    return f"(CASE WHEN {today} > {v[0]} THEN {today} ELSE {tomorrow} END)"


def _local_minutes(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    wall = sql.local(v[0], v[1])
    return f"(extract(hour FROM {wall}) * 60 + extract(minute FROM {wall}))::bigint"


def _plus_minutes(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    if sql.postgres:
        return f"({v[0]} + make_interval(mins => ({v[1]})::int))"
    return f"({v[0]} + to_minutes(({v[1]})::BIGINT))"


def _value(sql: "Compiler", v: list[str], literal: tuple[str, ...]) -> str:
    cases = (f"WHEN {text(key)} THEN {text(to)}" for key, to in sorted(sql.tables[literal[0]].items()))
    return f"(CASE {v[0]} {' '.join(cases)} END)"


def _lookup(sql: "Compiler", v: list[str], literal: tuple[str, ...]) -> str:
    return f"(SELECT l.f__ {sql.looked_up(literal[0], v[0], literal[1])})"


def _exists(sql: "Compiler", v: list[str], literal: tuple[str, ...]) -> str:
    return f"(CASE WHEN {v[0]} IS NOT NULL THEN EXISTS (SELECT 1 {sql.looked_up(literal[0], v[0])}) END)"


def _round(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    return f"round({v[0]}::numeric, {v[1]})" if sql.postgres else f"round({v[0]}, {v[1]})"


def _translate(function: str, source: str, to: str) -> Callable[["Compiler", list[str], tuple[str, ...]], str]:
    def compiled(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
        if sql.postgres:  # in the collation C its own function changes these letters alone, thirty times faster
            return f'{function}({v[0]} COLLATE "C")'
        translated = f"translate({v[0]}, {text(source)}, {text(to)})"
        # Where every character is one byte, DuckDB's own function changes these letters alone.
        return f"(CASE WHEN strlen({v[0]}) = length({v[0]}) THEN {function}({v[0]}) ELSE {translated} END)"

    return compiled


def decimal(sql: "Compiler", value: str) -> str:
    """Return DuckDB's reading of a decimal: through 64 bits where they hold it, which is sixty times as fast."""
    kind = sql.sql_type(Type.DECIMAL)
    return (
        f"(CASE WHEN {sql.full_match(value, _FAST_DECIMAL)} THEN {value}::DECIMAL({FAST},6)::{kind} "
        f"WHEN {sql.full_match(value, evaluation.DECIMAL)} THEN {value}::{kind} END)"
    )


def _date(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    if sql.postgres:
        return f"{v[0]}::date"
    digits = f"CASE WHEN strlen({v[0]}) = 8 THEN {v[0]} ELSE replace({v[0]}, '-', '') END"
    return f"try_strptime({digits}, '%Y%m%d')::DATE"


def digits_of_day(sql: "Compiler", v: list[str]) -> str:
    """Return eight digits for a year, a month and a day that are in range; as text, for numbers could overflow."""
    kind = sql.sql_type(Type.TEXT)
    year, month, day = (f"({value})::{kind}" for value in v)
    return f"({year} || lpad({month}, 2, '0') || lpad({day}, 2, '0'))"


def date_of(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    """Return the date of a year, a month and a day."""
    plain = digits_of_day(sql, v)
    return f"{plain}::date" if sql.postgres else f"try_strptime({plain}, '%Y%m%d')::DATE"


def _instant(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    return f"{v[0]}::timestamptz" if sql.postgres else f"TRY_CAST({v[0]} AS TIMESTAMPTZ)"


def _date_text(sql: "Compiler", v: list[str], _: tuple[str, ...]) -> str:
    return f"to_char({v[0]}, 'YYYYMMDD')" if sql.postgres else f"strftime({v[0]}, '%Y%m%d')"


_a, _z = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FUNCTIONS: Mapping[str, Callable[["Compiler", list[str], tuple[str, ...]], str]] = {
    "trim": lambda sql, v, literal: f"trim({v[0]}, ' ')" if not sql.postgres else f"btrim({v[0]}, ' ')",
    "upper": _translate("upper", _a, _z),
    "lower": _translate("lower", _z, _a),
    "nfc": lambda sql, v, literal: f"normalize({v[0]}, NFC)" if sql.postgres else f"nfc_normalize({v[0]})",
    "concat": lambda sql, v, literal: "(" + " || ".join(v) + ")",
    "matches": lambda sql, v, literal: sql.full_match(v[0], literal[0]),
    "int": lambda sql, v, literal: f"{v[0]}::bigint",
    "bigint": lambda sql, v, literal: f"{v[0]}::bigint",
    "decimal": lambda sql, v, literal: f"{v[0]}::{sql.sql_type(Type.DECIMAL)}",
    "date": _date,
    "date_of": date_of,
    "instant": _instant,
    "hhmm": lambda sql, v, literal: (
        f"(substr({v[0]}, 1, 2)::bigint * 60 + substr({v[0]}, 3, 2)::bigint)"
        if not sql.postgres
        else f"({v[0]}::bigint / 100 * 60 + {v[0]}::bigint % 100)"
    ),
    "yes_no": lambda sql, v, literal: f"({v[0]} = 'Y')",
    "value": _value,
    "text": lambda sql, v, literal: f"({v[0]})::{sql.sql_type(Type.TEXT)}",
    "date_text": _date_text,
    "round": _round,
    "mod": lambda sql, v, literal: f"mod({v[0]}, {v[1]})" if sql.postgres else f"({v[0]} % {v[1]})",
    "at_local": lambda sql, v, literal: sql.wall(v[0], v[1], v[2]),
    "next_local": _next_local,
    "plus_minutes": _plus_minutes,
    "local_minutes": _local_minutes,
    "coalesce": lambda sql, v, literal: f"coalesce({', '.join(v)})",
    "null_if": lambda sql, v, literal: f"nullif({v[0]}, {v[1]})",
    "is_null": lambda sql, v, literal: f"({v[0]} IS NULL)",
    "one_of": lambda sql, v, literal: sql.among(v[0], sql.sets[literal[0]]),
    "lookup": _lookup,
    "exists": _exists,
}
