"""How many digits a number of the language can have, proven from its expression alone.

PostgreSQL calculates without bounds. The comparison's engine does not: it needs a type that holds every possible
result exactly, and the narrower that type, the faster it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_

from backfills.domain.language import Call, Const, Node, Ref, Type, calls_in

MOST = 38
"""Digits of the widest decimal of the comparison's engine."""


@dataclass(frozen=True, slots=True)
class Digits:
    """At most so many digits before and after the decimal point."""

    whole: int
    fraction: int = 0

    @property
    def total(self) -> int:
        """Return the digits of both sides together."""
        return self.whole + self.fraction

    @property
    def provable(self) -> bool:
        """Whether the engine has a type for it."""
        return self.total <= MOST

    def within(self, room: int) -> "Digits":
        """Return what remains of these in so many digits: those before the point first."""
        whole = min(self.whole, room)
        return Digits(whole, min(self.fraction, room - whole))

    def __or__(self, other: "Digits") -> "Digits":
        """Return what holds either."""
        return Digits(max(self.whole, other.whole), max(self.fraction, other.fraction))


INT, BIGINT, DECIMAL, MINUTES = Digits(9), Digits(18), Digits(15, 15), Digits(4)
"""What `int`, `bigint`, `decimal` and the minutes of a day can give; `evaluation` holds the patterns that say so."""

USUAL = Digits(15, 9)
"""Digits that a number of the source may well have; `decimal` reads a few more."""

NARROW, NARROW_WHOLE = Digits(13, 6), Digits(19)
"""What remains of an operand where nothing wider can be calculated exactly; a value beyond it cannot be read."""


def of(node: Node, lets: Mapping[str, Node | Digits]) -> Digits:
    """Return the digits of a number's expression; `lets` are what it may name: declared values, or their digits."""
    match node:
        case Const(value=value):
            return of_number(value if isinstance(value, Decimal | int) else 0)
        case Ref(name=name):
            known = lets[name]
            return known if isinstance(known, Digits) else of(known, lets)
        case Call(function="+" | "-" | "*" as operator, args=(one, two)):
            return result(operator, *operands(operator, of(one, lets), of(two, lets)))
        case Call(function="round", args=(number, Const(value=int(places)))):
            exact = of(number, lets)
            return exact if places >= exact.fraction else Digits(exact.whole + 1, places)
        case Call(function="mod", args=(_, divisor)):
            return of(divisor, lets)
        case Call(function="coalesce" | "null_if", args=args) | Call(function="when", args=(_, *args)):
            return either(*operands("either", *(of(arg, lets) for arg in args)))
        case Call(function=function):
            return {"int": INT, "bigint": BIGINT, "decimal": DECIMAL}.get(function, MINUTES)
    raise AssertionError(node)


def of_number(number: Decimal | int) -> Digits:
    """Return the digits of a literal."""
    _, figures, exponent = Decimal(number).as_tuple()
    places = exponent if isinstance(exponent, int) else 0
    return Digits(max(len(figures) + places, 1), max(-places, 0))


def either(*bounds: Digits) -> Digits:
    """Return what holds each of several numbers."""
    return reduce(or_, bounds, Digits(1))


def result(operator: str, *bounds: Digits) -> Digits:
    """Return what an operator makes of two numbers; any but `+ - *` chooses among them or compares them."""
    if operator == "*":
        one, two = bounds
        return Digits(one.whole + two.whole, one.fraction + two.fraction)
    widest = either(*bounds)
    return Digits(widest.whole + 1, widest.fraction) if operator in ("+", "-") else widest


def operands(operator: str, *bounds: Digits) -> tuple[Digits, ...]:
    """Return in which digits to calculate: all there can be, or what remains so that the result has a type.

    A small factor, such as a literal, keeps all its digits, and the other one those for which there is room beside it.
    """
    if result(operator, *bounds).provable:
        return bounds
    if operator == "*" and min(bound.total for bound in bounds) <= NARROW_WHOLE.total:
        small = min(bounds, key=lambda bound: bound.total)
        return tuple(bound if bound is small else bound.within(MOST - small.total) for bound in bounds)
    return (NARROW if any(bound.fraction for bound in bounds) else NARROW_WHOLE,) * len(bounds)


def is_exact(node: Node, lets: Mapping[str, Node]) -> bool:
    """Whether the comparison's engine has a type for every number that an expression makes, chooses or compares."""
    return all(
        result(call.function, *(of(arg, lets) for arg in numbers)).provable
        for call in calls_in(node)
        if call.function in _TOGETHER and (numbers := _numbers(call))
    )


def is_narrowed(node: Node, lets: Mapping[str, Node]) -> bool:
    """Whether something in an expression is calculated in noticeably fewer digits than it can have."""
    return any(
        kept.whole < min(bound.whole, USUAL.whole) or kept.fraction < min(bound.fraction, USUAL.fraction)
        for call in calls_in(node)
        if call.function in _TOGETHER and (numbers := _numbers(call))
        for bounds in [[of(arg, lets) for arg in numbers]]
        for bound, kept in zip(bounds, operands(call.function, *bounds), strict=True)
    )


_TOGETHER = frozenset({"+", "-", "*", "coalesce", "null_if", "when", "=", "<>", "<", "<=", ">", ">="})


def _numbers(call: Call) -> "tuple[Node, ...]":
    """Return the numbers that a call takes together, if it takes numbers."""
    args = call.args[1:] if call.function == "when" else call.args
    return args if any(arg.type in (Type.INT, Type.DECIMAL) for arg in args) else ()
