"""The language in SQL: each expression as a value and a test whether it is bad.

Two dialects: `postgres` for the batch statement in the target database, `duckdb` for the comparison. The
text is built from the parsed tree alone; every name and literal of the spec is quoted here, and a cast that
could fail stands inside a CASE that guards it, so that no row can make a statement fail.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from backfills.domain import digits, evaluation, shapes, sql_functions
from backfills.domain.digits import Digits
from backfills.domain.language import LENIENT, OPERATORS, Call, Const, Node, Ref, Type
from backfills.domain.quoting import quote, text
from backfills.domain.sql_functions import FAST, FUNCTIONS


class Dialect(StrEnum):
    """Where the SQL runs."""

    POSTGRES = "postgres"
    DUCKDB = "duckdb"


_SQL_TYPES = {
    Dialect.POSTGRES: {
        Type.TEXT: "text", Type.INT: "bigint", Type.DECIMAL: "numeric", Type.BOOL: "boolean",
        Type.DATE: "date", Type.INSTANT: "timestamptz", Type.NULL: "text",
    },
    Dialect.DUCKDB: {
        Type.TEXT: "VARCHAR", Type.INT: "BIGINT", Type.DECIMAL: "DECIMAL(30,15)", Type.BOOL: "BOOLEAN",
        Type.DATE: "DATE", Type.INSTANT: "TIMESTAMPTZ", Type.NULL: "VARCHAR",
    },
}  # fmt: skip

_ARITHMETIC = ("+", "-", "*")
_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_CHOICES = ("coalesce", "null_if")
_SHAPES = {"date": evaluation.DATE, "instant": evaluation.INSTANT}
_FEW_ZONES = 16
"""Up to so many declared zones, DuckDB converts by a branch per zone."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles expressions of one spec for one dialect.

    `lookups` gives, per lookup name, a relation (a table, a CTE or a bracketed SELECT) that holds only the
    tenant's rows, and the name of its key column. `zones` are the time zones the spec declares. `lets` are the
    declared values that stand in columns of their own.
    """

    dialect: Dialect
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    lookups: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    lets: Mapping[str, Node] = field(default_factory=dict)
    together: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By function and column, the column that tells that this one is as usual (`shapes.groups`)."""

    @property
    def postgres(self) -> bool:
        """Whether this is PostgreSQL."""
        return self.dialect is Dialect.POSTGRES

    def bound(self, node: Node) -> Digits:
        """Return the digits that a number can have."""
        return digits.of(node, self.lets)

    def value(self, node: Node) -> str:
        """Return the SQL of an expression's worth; NULL where something cannot be read."""
        match node:
            case Const(value=value, type=kind):
                return self._literal(value, kind)
            case Ref(name=name):
                return quote(name)
            case Call(function="when", args=(condition, *branches)):
                then, otherwise = self._together(branches)
                return f"(CASE WHEN {self.value(condition)} THEN {then} ELSE {otherwise} END)"
            case Call(function="decimal", args=(arg,)) if not self.postgres:
                return sql_functions.decimal(self, self.value(arg))
            case Call(function="nfc", args=(arg,)) if self.postgres and shapes.is_cheap(arg):
                plain, read = self.value(arg), self.value(shapes.innermost(arg))
                return f"(CASE WHEN {shapes.is_ascii(read)} THEN {plain} ELSE normalize({plain}, NFC) END)"
            case Call(function="date" | "instant" as name, args=(arg,)) if not self.postgres:
                # What has the shape of one and is none is read as NULL: no need to read it twice.
                text_value = self.value(arg)
                shape = self.full_match(text_value, _SHAPES[name])
                return f"(CASE WHEN {shape} THEN {FUNCTIONS[name](self, [text_value], ())} END)"
            case Call(function=name, args=args) if name in OPERATORS:
                plain = self._operator(name, args)
                guard = self._guard(node, [self.value(arg) for arg in args])
                return f"(CASE WHEN {guard} THEN {plain} END)" if guard else plain
            case Call(function=name, args=args, literal=literal):
                values = self._together(args) if name in _CHOICES else [self.value(arg) for arg in args]
                plain = FUNCTIONS[name](self, values, literal)
                guard = self._guard(node, values)
                return f"(CASE WHEN {guard} THEN {plain} END)" if guard else plain
        raise AssertionError(node)

    def bad(self, node: Node) -> str | None:
        """Return the SQL test that something in the expression could not be read; None: it always can."""
        if not isinstance(node, Call):
            return None
        if node.function == "when":
            condition, *args = node.args
            branches = [_any([self.bad(arg), wide]) for arg, wide in zip(args, self._too_wide(args), strict=True)]
            chosen = None
            if any(branches):
                yes, no = (branch or "FALSE" for branch in branches)
                chosen = f"(CASE WHEN {self.value(condition)} THEN {yes} ELSE {no} END)"
            return _any([self.bad(condition), chosen])
        tests = [self.bad(arg) for arg in node.args]
        values = [self.value(arg) for arg in node.args]
        if node.function in _CHOICES or node.function in _COMPARISONS:
            tests += self._too_wide(node.args)
        guard = self._guard(node, values)
        if guard:
            present = " AND ".join(f"{value} IS NOT NULL" for value in values)
            tests.append(f"({present} AND ({guard}) IS NOT TRUE)")
        return _any(tests)

    def shows(self, node: Node) -> bool:
        """Say whether an expression is surely NULL where something in it could not be read."""
        if self.bad(node) is None:
            return True
        assert isinstance(node, Call)
        return node.function not in LENIENT and all(self.shows(arg) for arg in node.args)

    def sql_type(self, kind: Type) -> str:
        """Return the dialect's name of a type."""
        return _SQL_TYPES[self.dialect][kind]

    def full_match(self, value: str, pattern: str) -> str:
        """Return the test that a text matches a pattern as a whole."""
        if self.postgres:
            return f'({value} COLLATE "C" ~ {text(f"^(?:{pattern})$")})'
        return f"regexp_full_match({value}, {text(pattern)})"

    def _literal(self, value: str | int | Decimal | bool | None, kind: Type) -> str:
        match value:
            case None:
                return "NULL"
            case bool():
                return "TRUE" if value else "FALSE"
            case str():
                return f"{text(value)}::{self.sql_type(kind)}"
            case Decimal():
                exact = self.sql_type(kind) if self.postgres else decimal_type(digits.of_number(value))
                return f"{value:f}::{exact}"
        return f"({value})" if value < 0 else str(value)

    def _operator(self, name: str, args: tuple[Node, ...]) -> str:
        values = self._together(args) if name in _COMPARISONS else [self.value(arg) for arg in args]
        if name == "not":
            return f"(NOT {values[0]})"
        if name in ("and", "or"):
            return "(" + f" {name.upper()} ".join(values) + ")"
        if name in _ARITHMETIC:
            kinds = ("numeric", "numeric") if self.postgres else self._exact(name, args)
            left, right = (f"{value}::{kind}" for value, kind in zip(values, kinds, strict=True))
            return f"({left} {name} {right})"
        if self.postgres and args[0].type is Type.TEXT:
            return f'({values[0]} COLLATE "C" {name} {values[1]})'
        return f"({values[0]} {name} {values[1]})"

    def _exact(self, operator: str, args: tuple[Node, ...]) -> tuple[str, str]:
        """Return the types in which DuckDB calculates without rounding or overflow."""
        one, two = digits.operands(operator, *(self.bound(arg) for arg in args))
        result = digits.result(operator, one, two)
        if all(arg.type is Type.INT for arg in args):
            kind = "BIGINT" if result.total <= FAST else "HUGEINT"
            return kind, kind
        if operator == "*":
            # Two narrow operands would be multiplied in 64 bits, whatever the result needs.
            wide = Digits(max(one.total, FAST + 1) - one.fraction, one.fraction) if result.total > FAST else one
            return decimal_type(wide), decimal_type(two)
        return decimal_type(result), decimal_type(result)

    def _narrowed(self, node: Call, values: list[str]) -> str | None:
        """Return the test that operands are small enough for a result that their type alone does not allow."""
        bounds = [self.bound(arg) for arg in node.args]
        narrow = digits.operands(node.function, *bounds)
        tests = [_fits(value, bound, small) for value, bound, small in zip(values, bounds, narrow, strict=True)]
        return _all(tests)

    def _together(self, args: Sequence[Node]) -> list[str]:
        """Return values to choose among or to compare; in DuckDB decimals of one type, for it rounds what it unites."""
        values = [self.value(arg) for arg in args]
        if self.postgres or not any(arg.type is Type.DECIMAL for arg in args):
            return values
        bounds = [self.bound(arg) for arg in args]
        narrow = digits.operands("either", *bounds)
        kind = decimal_type(digits.either(*narrow))
        cast = [f"{value}::{kind}" for value in values]
        tests = [_fits(value, bound, small) for value, bound, small in zip(values, bounds, narrow, strict=True)]
        return [f"(CASE WHEN {test} THEN {one} END)" if test else one for one, test in zip(cast, tests, strict=True)]

    def _too_wide(self, args: Sequence[Node]) -> list[str | None]:
        """Return, per value, the test that `_together` could not take it."""
        if self.postgres or not any(arg.type is Type.DECIMAL for arg in args):
            return [None] * len(args)
        values, bounds = [self.value(arg) for arg in args], [self.bound(arg) for arg in args]
        fits = map(_fits, values, bounds, digits.operands("either", *bounds))
        return [
            f"({value} IS NOT NULL AND ({test}) IS NOT TRUE)" if test else None
            for value, test in zip(values, fits, strict=True)
        ]

    def _guard(self, node: Call, values: list[str]) -> str | None:
        match node.function:
            case "+" | "-" | "*":
                return None if self.postgres else self._narrowed(node, values)
            case "int":
                return self._shaped(node, values[0], shapes.usual_int, evaluation.INT)
            case "bigint":
                return self._shaped(node, values[0], shapes.usual_int, evaluation.BIGINT)
            case "decimal":
                return self._shaped(node, values[0], shapes.usual_decimal, evaluation.DECIMAL)
            case "hhmm":
                return self._shaped(node, values[0], shapes.usual_hhmm, evaluation.HHMM)
            case "yes_no":
                return f"({values[0]} IN ('Y', 'N'))"
            case "date":
                shape = self._shaped(node, values[0], shapes.usual_date, evaluation.DATE)
                if self.postgres:
                    return f"({shape} AND pg_input_is_valid({values[0]}, 'date'))"
                return f"({shape} AND {FUNCTIONS['date'](self, values, ())} IS NOT NULL)"
            case "instant":
                shape = self.full_match(values[0], evaluation.INSTANT)
                if self.postgres:
                    return f"({shape} AND pg_input_is_valid({values[0]}, 'timestamptz'))"
                return f"({shape} AND {FUNCTIONS['instant'](self, values, ())} IS NOT NULL)"
            case "date_of":
                year, month, day = values
                plain = sql_functions.digits_of_day(self, values)
                real = (
                    f"pg_input_is_valid({plain}, 'date')"
                    if self.postgres
                    else f"{sql_functions.date_of(self, values, ())} IS NOT NULL"
                )
                return (
                    f"({year} BETWEEN 1000 AND 2999 AND {month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND 31 AND {real})"
                )
            case "value":
                return self.among(values[0], self.tables[node.literal[0]])
            case "mod":
                return f"({values[0]} >= 0 AND {values[1]} > 0)"
            case "at_local" | "next_local":
                _, minutes, zone = node.args
                within = None if _is_of_day(minutes) else f"{values[1]} BETWEEN 0 AND 1440"
                declared = isinstance(zone, Const) and zone.value in self.zones
                return _all([within, None if declared else self.among(values[2], self.zones)])
            case "local_minutes":
                return self.among(values[1], self.zones)
            case "plus_minutes":
                return f"({values[1]} BETWEEN {-evaluation.MOST_MINUTES} AND {evaluation.MOST_MINUTES})"
        return None

    def _shaped(self, node: Call, value: str, usual: Callable[[str], str], pattern: str) -> str:
        """Return the test that a text can be read, with a cheap one before it where that may be asked for."""
        strict, arg = self.full_match(value, pattern), node.args[0]
        if not self.postgres or not shapes.is_cheap(arg):
            return strict
        flag = self.together.get((node.function, arg.name)) if isinstance(arg, Ref) else None
        return f"({f'{quote(flag)} OR ' if flag else ''}{usual(value)} OR {strict})"

    def among(self, value: str, items: Collection[str]) -> str:
        """Return the test that a text is one of a list."""
        return f"({value} IN ({', '.join(text(item) for item in sorted(items))}))" if items else "FALSE"

    def looked_up(self, lookup: str, value: str, column: str = "") -> str:
        """Return FROM and WHERE of a look-up; `l.f__` is the column asked for.

        The names inside are no spec's, so that `value`, which stands inside, cannot be taken for one of them.
        """
        relation, key = self.lookups[lookup]
        asked = f", o.{quote(column)} AS f__" if column else ""
        rows = f"(SELECT o.{quote(key)} AS k__{asked} FROM {relation} AS o)"  # noqa: S608 - quoted here
        return f"FROM {rows} AS l WHERE l.k__ = {value}"

    def wall(self, day: str, minutes: str, zone: str) -> str:
        """Return the instant of a local day and minutes after its midnight."""
        if self.postgres:
            return f"(({day} + make_interval(mins => ({minutes})::int)) AT TIME ZONE {zone})"
        return self._zoned(zone, f"{day}::TIMESTAMP + to_minutes(({minutes})::BIGINT)")

    def local(self, moment: str, zone: str) -> str:
        """Return the wall clock of an instant."""
        return f"({moment} AT TIME ZONE {zone})" if self.postgres else self._zoned(zone, moment)

    def _zoned(self, zone: str, moment: str) -> str:
        """Return DuckDB's conversion; of a zone that is the same in all rows it is ten times as fast."""
        if not 0 < len(self.zones) <= _FEW_ZONES:
            return f"timezone({zone}, {moment})"
        cases = (f"WHEN {text(one)} THEN timezone({text(one)}, {moment})" for one in sorted(self.zones))
        return f"(CASE {zone} {' '.join(cases)} END)"


def _is_of_day(minutes: Node) -> bool:
    """Whether an expression gives the minutes of a day, and nothing else."""
    return isinstance(minutes, Call) and minutes.function in ("hhmm", "local_minutes")


def decimal_type(bound: Digits) -> str:
    """Return DuckDB's type of a decimal with at most so many digits."""
    return f"DECIMAL({min(bound.total, digits.MOST)},{bound.fraction})"


def _fits(value: str, bound: Digits, small: Digits) -> str | None:
    """Return the test that a number of at most `bound` digits has at most `small` ones; None where it always has."""
    if small == bound:
        return None
    # There and back: numbers of two types would be compared in a third one, rounded.
    kind = decimal_type(bound)
    return f"TRY_CAST(TRY_CAST({value} AS {decimal_type(small)}) AS {kind}) = {value}::{kind}"


def _all(tests: list[str | None]) -> str | None:
    real = [test for test in tests if test]
    return "(" + " AND ".join(real) + ")" if real else None


def _any(tests: list[str | None]) -> str | None:
    real = [test for test in tests if test]
    return "(" + " OR ".join(real) + ")" if real else None
