"""The language in Python: for tests, and for explaining what becomes of a single object."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from zoneinfo import ZoneInfo

from backfills.domain.language import Call, Const, Node, Ref, Type

type Value = str | int | Decimal | bool | date | datetime | None

INT = r"[+-]?[0-9]{1,9}"
BIGINT = r"[+-]?[0-9]{1,18}"
DECIMAL = r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?"
DATE = r"[12][0-9]{3}[01][0-9][0-3][0-9]|[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
INSTANT = (
    r"[12][0-9]{3}-[01][0-9]-[0-3][0-9][ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::[0-5][0-9])?)"
)
HHMM = r"(?:[01][0-9]|2[0-3])[0-5][0-9]|2400"
MOST_MINUTES = 10_000_000
"""What the functions of these names can read; the same patterns guard the casts in SQL. Groups are slow."""

_LOWER, _UPPER = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_UPPER, _TO_LOWER = str.maketrans(_LOWER, _UPPER), str.maketrans(_UPPER, _LOWER)
_EXACT = Context(prec=120)


@dataclass(frozen=True, slots=True)
class World:
    """What expressions may consult besides their row: declared tables and sets, zones, other entities."""

    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    lookups: Mapping[str, Mapping[str, Mapping[str, str | None]]] = field(default_factory=dict)
    """Per lookup: key → the row's fields."""


@dataclass(slots=True)
class Reading:
    """The worth of one expression, and whether something in it could not be read."""

    value: Value
    bad: bool = False


class _Bad(Exception):
    """Something could not be read."""


def evaluate(node: Node, row: Mapping[str, Value], world: World) -> Reading:
    """Evaluate an expression over a row. Total: what cannot be read gives NULL and `bad`."""
    match node:
        case Const(value=value):
            return Reading(value)
        case Ref(name=name):
            return Reading(row[name])
        case Call(function="when", args=(condition, then, otherwise)):
            chosen = evaluate(condition, row, world)
            taken = evaluate(then if chosen.value is True else otherwise, row, world)
            return Reading(taken.value, chosen.bad or taken.bad)
        case Call(function=name, args=args, literal=literal):
            readings = [evaluate(arg, row, world) for arg in args]
            bad = any(reading.bad for reading in readings)
            values = [reading.value for reading in readings]
            if name in _LENIENT:
                return Reading(_LENIENT[name](values), bad)
            if any(value is None for value in values):
                return Reading(None, bad)
            try:
                return Reading(_STRICT[name](values, literal, world), bad)
            except _Bad:
                return Reading(None, True)
    raise AssertionError(node)


def _and(values: list[Value]) -> Value:
    return False if False in values else None if None in values else True


def _or(values: list[Value]) -> Value:
    return True if True in values else None if None in values else False


_LENIENT: Mapping[str, Callable[[list[Value]], Value]] = {
    "and": _and,
    "or": _or,
    "is_null": lambda values: values[0] is None,
    "coalesce": lambda values: next((value for value in values if value is not None), None),
    "null_if": lambda values: None if values[0] is not None and values[0] == values[1] else values[0],
}
"""What `language.LENIENT` names; `when` is evaluated by `evaluate` itself."""


def _read(pattern: str, text: object) -> str:
    if not re.fullmatch(pattern, str(text)):
        raise _Bad
    return str(text)


def _date(values: list[Value], *_: object) -> Value:
    return _day(_read(DATE, values[0]).replace("-", ""))


def _day(digits: str) -> date:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as error:
        raise _Bad from error


def _date_of(values: list[Value], *_: object) -> Value:
    year, month, day = (int(str(value)) for value in values)
    if not 1000 <= year <= 2999:
        raise _Bad
    try:
        return date(year, month, day)
    except (ValueError, OverflowError) as error:
        raise _Bad from error


def _instant(values: list[Value], *_: object) -> Value:
    try:
        return datetime.fromisoformat(_read(INSTANT, values[0])).astimezone(UTC)
    except ValueError as error:
        raise _Bad from error


def _hhmm(values: list[Value], *_: object) -> Value:
    text = _read(HHMM, values[0])
    return int(text[:2]) * 60 + int(text[2:])


def _yes_no(values: list[Value], *_: object) -> Value:
    return _read("[YN]", values[0]) == "Y"


def _table(values: list[Value], literal: tuple[str, ...], world: World) -> Value:
    try:
        return world.tables[literal[0]][str(values[0])]
    except KeyError as error:
        raise _Bad from error


def _round(values: list[Value], *_: object) -> Value:
    places = Decimal(1).scaleb(-int(str(values[1])))
    return Decimal(str(values[0])).quantize(places, rounding=ROUND_HALF_UP, context=_EXACT)


def _mod(values: list[Value], *_: object) -> Value:
    left, right = int(str(values[0])), int(str(values[1]))
    if left < 0 or right <= 0:
        raise _Bad
    return left % right


def _zone(name: Value, world: World) -> ZoneInfo:
    if name not in world.zones:
        raise _Bad
    return ZoneInfo(str(name))


def _minutes(value: Value) -> int:
    minutes = int(str(value))
    if not 0 <= minutes <= 1440:
        raise _Bad
    return minutes


def instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the instant at which a wall clock shows `minutes` after midnight; in UTC.

    As PostgreSQL reads it: an hour that happens twice is the later one (standard time), an hour that a
    spring-forward skips is counted in the offset before it.
    """
    # A wall clock has no zone of its own.
    wall = datetime.combine(day, time.min) + timedelta(minutes=minutes)
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    exists = first.astimezone(zone).replace(tzinfo=None) == wall
    return second if exists else first


def _at_local(values: list[Value], _: object, world: World) -> Value:
    day, minutes, zone = values
    assert isinstance(day, date)
    return instant(day, _minutes(minutes), _zone(zone, world))


def _next_local(values: list[Value], _: object, world: World) -> Value:
    after, minutes, name = values
    assert isinstance(after, datetime)
    zone, count = _zone(name, world), _minutes(minutes)
    day = after.astimezone(zone).date()
    candidate = instant(day, count, zone)
    return candidate if candidate > after else instant(day + timedelta(days=1), count, zone)


def _plus_minutes(values: list[Value], *_: object) -> Value:
    start, minutes = values[0], int(str(values[1]))
    assert isinstance(start, datetime)
    if abs(minutes) > MOST_MINUTES:
        raise _Bad
    return start + timedelta(minutes=minutes)


def _local_minutes(values: list[Value], _: object, world: World) -> Value:
    moment = values[0]
    assert isinstance(moment, datetime)
    wall = moment.astimezone(_zone(values[1], world))
    return wall.hour * 60 + wall.minute


def _arithmetic(operate: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., Value]:
    def apply(values: list[Value], *_: object) -> Value:
        result = operate(Decimal(str(values[0])), Decimal(str(values[1])))
        return int(result) if all(isinstance(value, int) for value in values) else result

    return apply


def _compare(decide: Callable[..., bool]) -> Callable[..., Value]:
    def apply(values: list[Value], *_: object) -> Value:
        left, right = values
        if isinstance(left, str) and isinstance(right, str):  # bytewise, as COLLATE "C"
            return decide(left.encode(), right.encode())
        return decide(left, right)

    return apply


def _lookup(values: list[Value], literal: tuple[str, ...], world: World) -> Value:
    name, column = literal
    found = world.lookups[name].get(str(values[0]))
    return found[column] if found else None


_STRICT: Mapping[str, Callable[..., Value]] = {
    "not": lambda values, *_: not values[0],
    "=": _compare(lambda left, right: left == right),
    "<>": _compare(lambda left, right: left != right),
    "<": _compare(lambda left, right: left < right),
    "<=": _compare(lambda left, right: left <= right),
    ">": _compare(lambda left, right: left > right),
    ">=": _compare(lambda left, right: left >= right),
    "+": _arithmetic(_EXACT.add),
    "-": _arithmetic(_EXACT.subtract),
    "*": _arithmetic(_EXACT.multiply),
    "trim": lambda values, *_: values[0].strip(" "),
    "upper": lambda values, *_: values[0].translate(_TO_UPPER),
    "lower": lambda values, *_: values[0].translate(_TO_LOWER),
    "nfc": lambda values, *_: unicodedata.normalize("NFC", values[0]),
    "concat": lambda values, *_: "".join(values),
    "matches": lambda values, literal, _: re.fullmatch(literal[0], values[0]) is not None,
    "int": lambda values, *_: int(_read(INT, values[0])),
    "bigint": lambda values, *_: int(_read(BIGINT, values[0])),
    "decimal": lambda values, *_: Decimal(_read(DECIMAL, values[0])),
    "date": _date,
    "date_of": _date_of,
    "instant": _instant,
    "hhmm": _hhmm,
    "yes_no": _yes_no,
    "value": _table,
    "text": lambda values, *_: str(values[0]),
    "date_text": lambda values, *_: values[0].strftime("%Y%m%d"),
    "round": _round,
    "mod": _mod,
    "at_local": _at_local,
    "next_local": _next_local,
    "plus_minutes": _plus_minutes,
    "local_minutes": _local_minutes,
    "one_of": lambda values, literal, world: values[0] in world.sets[literal[0]],
    "lookup": _lookup,
    "exists": lambda values, literal, world: str(values[0]) in world.lookups[literal[0]],
}

__all__ = ["Reading", "Type", "Value", "World", "evaluate", "instant"]
