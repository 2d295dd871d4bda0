"""What kind of difference two values show, from mild (spaces) to plain (value)."""

import re
from collections.abc import Mapping
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MOMENT = re.compile(r"(\d{4,}-\d\d-\d\d[ T])?(\d\d:\d\d):(\d\d(?:\.\d+)?)(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)


class Kind(StrEnum):
    """The class of one difference; the only thing a restricted column ever shows."""

    MISSING = "missing"
    EXTRA = "extra"
    DUPLICATE = "duplicate"
    NULL = "null"
    CASE = "case"
    WHITESPACE = "whitespace"
    PRECISION = "precision"
    TRUNCATED = "truncated"
    VALUE = "value"

    @property
    def meaning(self) -> str:
        """One plain sentence for the customer."""
        return _MEANINGS[self]

    @property
    def next_step(self) -> str:
        """What happens next with such a difference, and whose turn it is."""
        return _NEXT[self]


ROW_KINDS = frozenset({Kind.MISSING, Kind.EXTRA, Kind.DUPLICATE})
"""Kinds that concern a whole record, not one of its columns."""

_MEANINGS: Mapping[Kind, str] = {
    Kind.MISSING: "The legacy platform holds this record, the new platform does not.",
    Kind.EXTRA: "The new platform holds this record, the legacy platform does not.",
    Kind.DUPLICATE: "The same key stands more than once on one platform.",
    Kind.NULL: "One platform has a value, the other has none.",
    Kind.CASE: "The values differ in upper and lower case only.",
    Kind.WHITESPACE: "The values differ in spaces only.",
    Kind.PRECISION: "The numbers or times agree only after rounding.",
    Kind.TRUNCATED: "One value is the beginning of the other: it was cut off.",
    Kind.VALUE: "The values differ.",
}


_NEXT: Mapping[Kind, str] = {
    Kind.MISSING: "Settle what a rule holds back, if one does, and run the move again: it takes what has not moved.",
    Kind.EXTRA: "A new run takes away what was deleted in legacy since. What was written on the new platform is yours "
    "to keep or to delete there.",
    Kind.DUPLICATE: "The data lead settles which record stays; then compare again.",
    Kind.NULL: "The data lead looks at how the column is mapped; then the records are moved again.",
    Kind.CASE: "The mapping says whether capitals count. If it says what you want, a new run moves them again.",
    Kind.WHITESPACE: "The mapping says whether spaces count. If it says what you want, a new run moves them again.",
    Kind.PRECISION: "The data lead widens the new platform's column or has the mapping round; they are moved again.",
    Kind.TRUNCATED: "The data lead widens the new platform's column; then the records are moved again.",
    Kind.VALUE: "A new run moves the records again; what differs even then, the data lead looks into.",
}


def classify(expected: str | None, actual: str | None) -> Kind:
    """Name the difference of two values, in text form, that are known to differ.

    The mildest class that accounts for the whole difference wins; a null beside any value is `null`.
    """
    if expected is None or actual is None:
        return Kind.NULL
    if _agree_after_rounding(expected, actual):
        return Kind.PRECISION
    if "".join(expected.split()) == "".join(actual.split()):
        return Kind.WHITESPACE
    if expected.casefold() == actual.casefold():
        return Kind.CASE
    short, long = sorted((expected, actual), key=len)
    numbers = all(_NUMBER.fullmatch(value) for value in (short, long))
    if short and long.startswith(short) and not numbers:
        return Kind.TRUNCATED
    return Kind.VALUE


def _agree_after_rounding(left: str, right: str) -> bool:
    """Whether two numbers, or two times of day, are one and the same at the precision of the coarser."""
    pair = _numbers(left, right) or _fractions(left, right)
    if pair is None:
        return False
    coarse, fine = sorted(pair, key=_scale)
    if _scale(coarse) == _scale(fine):
        return False
    step = Decimal(1).scaleb(-_scale(coarse))
    return any(fine.quantize(step, rounding=how) == coarse for how in (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_FLOOR))


def _numbers(left: str, right: str) -> tuple[Decimal, Decimal] | None:
    if max(len(left), len(right)) > 28 or not (_NUMBER.fullmatch(left) and _NUMBER.fullmatch(right)):
        return None  # 28 digits are what decimal's default context rounds exactly
    one, two = Decimal(left), Decimal(right)
    return (one, two) if max(abs(one.adjusted()), abs(two.adjusted())) < 20 else None


def _fractions(left: str, right: str) -> tuple[Decimal, Decimal] | None:
    """The seconds of two times that agree in everything else."""
    one, two = _MOMENT.fullmatch(left), _MOMENT.fullmatch(right)
    if one is None or two is None or one.group(1, 2, 4) != two.group(1, 2, 4):
        return None
    return Decimal(one[3]), Decimal(two[3])


def _scale(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
