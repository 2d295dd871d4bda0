"""Typed values in DuckDB's SQL: how a column passes the type gate, and when two values are not equal.

Everything here errs to one side: what cannot be compared exactly is refused or reported as different, never
taken for equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.ports import Rejected
from parity_reports.domain.gate import Family, Passage
from portal.adapters.comparison import texts
from portal.adapters.comparison.quoting import name

_EXACT_DIGITS = 38
_AS_TEXT = frozenset({Family.TEXT, Family.OTHER})
_NUMBERS = frozenset({Family.INTEGER, Family.NUMERIC})


@dataclass(frozen=True, slots=True)
class Value:
    """A value as SQL, with what it is compared as.

    `mark` is SQL that names an exotic value (NaN, far dates, what could not be read) that `sql` cannot hold; it
    is NULL for every ordinary one. A numeric that is not `native` is held as text.
    """

    sql: str
    family: Family
    mark: str = ""
    native: bool = True
    precision: int = 0
    scale: int = 0

    @property
    def text(self) -> str:
        """Return the SQL of the value's text form, NULL for NULL."""
        plain = f"({self.sql})::VARCHAR"
        if self.family is Family.NUMERIC:
            plain = _canonical_number(plain)
        return f"coalesce({self.mark}, {plain})" if self.mark else plain


MARKS = "!"
"""The column in which PostgreSQL sends what the guards of all columns caught, most often NULL."""
_APART = "|"  # stands in no NaN and in no date


def selected(gate: Mapping[str, Passage]) -> str:
    """Return what PostgreSQL selects so that columns pass the gate: their values and, if any is guarded, `MARKS`."""
    values = [_selected(column, passage) for column, passage in gate.items()]
    if guarded := _guarded(gate):
        tests = {column: gate[column].guard.format(name(column)) for column in guarded}
        shown = [f"CASE WHEN {test} THEN {name(column)}::text ELSE '' END" for column, test in tests.items()]
        caught = f"CASE WHEN {' OR '.join(tests.values())} THEN concat_ws('{_APART}', {', '.join(shown)}) END"
        values.append(f"{caught} AS {name(MARKS)}")
    return ", ".join(values)


def marked(gate: Mapping[str, Passage], rows: str) -> str:
    """Return the relation of what was `selected`, each guarded column with its own mark (`<column>!`) beside it."""
    if not (guarded := _guarded(gate)):
        return rows
    marks = [
        f"CASE WHEN {name(MARKS)} IS NOT NULL THEN nullif(split_part({name(MARKS)}, '{_APART}', {place}), '') END "
        f"AS {name(column + MARKS)}"
        for place, column in enumerate(guarded, 1)
    ]
    return f"(SELECT * EXCLUDE ({name(MARKS)}), {', '.join(marks)} FROM {rows})"


def _guarded(gate: Mapping[str, Passage]) -> list[str]:
    return [column for column, passage in gate.items() if passage.native and passage.guard]


def _selected(column: str, passage: Passage) -> str:
    quoted = name(column)
    if passage.native:
        # The value goes as it is, whatever it holds: to test it twice costs the server more than to send it, and behind
        # a CASE a numeric loses the precision without which the scanner reads it as a double.
        return f"{quoted} AS {quoted}"
    if passage.family is Family.JSON:
        return (
            f"CASE WHEN pg_input_is_valid({quoted}::text, 'jsonb') THEN {quoted}::text::jsonb::text "
            f"ELSE {quoted}::text END AS {quoted}"
        )
    return f"{quoted}::text AS {quoted}"


def received(passage: Passage, alias: str, *, relation: str = "") -> Value:
    """Return the value that `marked` delivers, as DuckDB sees it."""
    prefix = f"{name(relation)}." if relation else ""
    value, mark = prefix + name(alias), prefix + name(alias + MARKS) if passage.native and passage.guard else ""
    if mark:
        value = f"(CASE WHEN {mark} IS NULL THEN {value} END)"  # what it marks arrived as something else
    return Value(
        sql=value,
        family=passage.family,
        mark=mark,
        native=passage.native,
        precision=passage.precision,
        scale=passage.scale,
    )


_ENGINE_TYPES = {
    Family.INTEGER: ("SMALLINT", "INTEGER", "BIGINT"),
    Family.FLOAT: ("FLOAT", "DOUBLE"),
    Family.BOOLEAN: ("BOOLEAN",),
    Family.UUID: ("UUID",),
    Family.DATE: ("DATE",),
    Family.TIME: ("TIME",),
    Family.TIMESTAMP: ("TIMESTAMP",),
    Family.TIMESTAMPTZ: ("TIMESTAMP WITH TIME ZONE",),
    Family.BYTES: ("BLOB",),
}


def check_arrival(passage: Passage, arrived: str, *, column: str) -> None:
    """Raise `Rejected` when a column did not arrive as the gate let it through: its values may have changed."""
    allowed: tuple[str, ...] = ("VARCHAR",)
    if passage.native and passage.family is Family.NUMERIC:
        allowed = (f"DECIMAL({passage.precision},{passage.scale})",)
    elif passage.native:
        allowed = _ENGINE_TYPES.get(passage.family, allowed)
    if arrived not in allowed:
        raise Rejected(f"Column {column} reached the comparison as {arrived}; it cannot be compared exactly.")


def differs(left: Value, right: Value, *, column: str = "") -> str:
    """Return SQL that is TRUE when two values are not equal and FALSE otherwise, never NULL.

    Raises `Rejected` for two types that cannot be compared exactly.
    """
    families = {left.family, right.family}
    if families <= _NUMBERS and not _share_a_type(left, right):
        # No common decimal type holds both: their canonical text does.
        return f"({left.text} IS DISTINCT FROM {right.text})"
    if Family.FLOAT in families and families & _NUMBERS:
        # As doubles, two whole numbers beyond 2^53 would be one. A float is the number that it is shown as.
        return f"({_as_number(left)} IS DISTINCT FROM {_as_number(right)})"
    body = _body(left, right, column)
    if not (left.mark or right.mark):
        return body
    return f"(({left.mark or 'NULL'}) IS DISTINCT FROM ({right.mark or 'NULL'}) OR {body})"


def _body(left: Value, right: Value, column: str) -> str:
    families = {left.family, right.family}
    if families <= _NUMBERS:
        return _numbers(left, right)
    if families == {Family.FLOAT}:
        return _floats(left, right)
    if families == {Family.TEXT, Family.UUID}:
        # The same identifier may be written in upper or lower case; a text that is none differs by itself.
        text, uuid = (left, right) if left.family is Family.TEXT else (right, left)
        return (
            f"(TRY_CAST({text.sql} AS UUID) IS DISTINCT FROM {uuid.sql} "
            f"OR (TRY_CAST({text.sql} AS UUID) IS NULL AND {text.sql} IS NOT NULL))"
        )
    if len(families) == 1 or families <= _AS_TEXT:
        return f"({left.sql} IS DISTINCT FROM {right.sql})"
    raise Rejected(
        f"Column {column or '?'}: the mapping gives {left.family}, the new platform holds {right.family}; "
        "these cannot be compared exactly."
    )


def _numbers(left: Value, right: Value) -> str:
    if left.family is right.family is Family.INTEGER:
        one, two = left.sql, right.sql  # all are signed: the engine itself widens the narrower one
    else:
        kind = f"DECIMAL({_EXACT_DIGITS},{max(left.scale, right.scale)})"
        one, two = f"{left.sql}::{kind}", f"{right.sql}::{kind}"
    return f"({one} IS DISTINCT FROM {two})"


def _floats(left: Value, right: Value) -> str:
    one, two = f"({left.sql})::DOUBLE", f"({right.sql})::DOUBLE"
    # Equal in every bit that means something: 0.0 and -0.0 are told apart, all NaN are one.
    return f"({one} IS DISTINCT FROM {two} OR (signbit({one}) <> signbit({two}) AND NOT isnan({one})) IS TRUE)"


def _as_number(value: Value) -> str:
    """Return the canonical text of a number or a float; negative zero is none of the numbers."""
    if value.family is not Family.FLOAT:
        return value.text
    double = f"({value.sql})::DOUBLE"
    shown = f"CASE WHEN {double} = 0 AND signbit({double}) THEN '-0' ELSE {texts.number(f'({double}::VARCHAR)')} END"
    return f"coalesce({value.mark}, {shown})" if value.mark else f"({shown})"


def _share_a_type(left: Value, right: Value) -> bool:
    whole = max(_whole_digits(left), _whole_digits(right))
    return left.native and right.native and whole + max(left.scale, right.scale) <= _EXACT_DIGITS


def _whole_digits(value: Value) -> int:
    whole = value.precision - value.scale
    return max(whole, 20) if value.family is Family.INTEGER else whole


def _canonical_number(text: str) -> str:
    """Bring a number's text to one form: no zeros at the end of a fraction, no sign before zero."""
    short = f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"
    return f"(CASE WHEN ({short}) = '-0' THEN '0' ELSE {short} END)"
