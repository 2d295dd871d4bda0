"""What is proven of the digits of a number."""

import re
from decimal import Decimal

import pytest

from backfills.domain import digits, evaluation
from backfills.domain.digits import Digits
from backfills.domain.language import Type, parse
from core.domain.declared import SpecError

NAMES = {"a": Type.TEXT, "n": Type.INT}
LETS = {"n": parse("int(a) * 100", names=NAMES, literals={})}


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("int(a)", Digits(9)),
        ("int(a) + 1", Digits(10)),
        ("int(a) * int(a)", Digits(18)),
        ("n", Digits(12)),
        ("hhmm(a)", Digits(4)),
        ("mod(int(a), 60)", Digits(2)),
        ("decimal(a)", Digits(15, 15)),
        ("decimal(a) * 100", Digits(18, 15)),
        ("decimal(a) - 0.25", Digits(16, 15)),
        ("round(decimal(a) * 1.609344, 1)", Digits(17, 1)),
        ("round(1.5, 4)", Digits(1, 1)),
        ("coalesce(decimal(a), n)", Digits(15, 15)),
        ("when(is_null(a), None, 7)", Digits(1)),
        ("null_if(n, 0)", Digits(12)),
    ],
)
def test_the_digits_of_an_expression_are_proven_from_it(text, bound):
    assert digits.of(parse(text, names=NAMES, literals={}), LETS) == bound


def test_what_no_type_could_hold_is_calculated_with_small_operands_alone():
    product = parse("decimal(a) * decimal(a)", names=NAMES, literals={})
    assert digits.of(product, {}) == Digits(26, 12)
    assert digits.of(product, {}).provable


def test_a_literal_factor_keeps_its_digits_and_leaves_the_rest_to_the_other():
    product = parse("decimal(a) * 0.45359237", names=NAMES, literals={})
    assert digits.operands("*", Digits(15, 15), Digits(1, 8)) == (Digits(15, 14), Digits(1, 8))
    assert digits.of(product, {}) == Digits(16, 22)
    assert not digits.is_narrowed(product, {})
    assert digits.is_narrowed(parse("1 + decimal(a) * decimal(a)", names=NAMES, literals={}), {})
    assert not digits.is_narrowed(parse("round(decimal(a), 3) * round(decimal(a), 3)", names=NAMES, literals={}), {})
    assert not digits.is_narrowed(parse("when(is_null(a), 'x', 'y')", names=NAMES, literals={}), {})


def test_what_is_chosen_from_has_a_type_together_too():
    chosen = parse("coalesce(decimal(a), decimal(a) * decimal(a))", names=NAMES, literals={})
    assert digits.of(chosen, {}) == digits.NARROW
    whole = parse("int(a) * int(a) * int(a) * int(a) * int(a)", names=NAMES, literals={})
    assert digits.of(whole, {}) == Digits(38)


@pytest.mark.parametrize("literal", ["1e-16", "1e15", "1e400", "0.1234567890123456", "-1234567890"])
def test_a_literal_has_no_more_digits_than_a_number_of_the_source_can_have(literal):
    with pytest.raises(SpecError):
        parse(literal, names=NAMES, literals={})


@pytest.mark.parametrize(
    ("number", "bound"),
    [(0, Digits(1)), (-120, Digits(3)), (Decimal("0.05"), Digits(1, 2)), (Decimal("1E-7"), Digits(1, 7))],
)
def test_the_digits_of_a_literal(number, bound):
    assert digits.of_number(number) == bound


@pytest.mark.parametrize(
    ("pattern", "bound"), [(evaluation.INT, digits.INT), (evaluation.DECIMAL, digits.DECIMAL)], ids=["int", "decimal"]
)
def test_the_patterns_of_numbers_allow_just_these_digits(pattern, bound):
    fraction = f".{'9' * bound.fraction}" if bound.fraction else ""
    assert re.fullmatch(pattern, "-" + "9" * bound.whole + fraction)
    assert not re.fullmatch(pattern, "9" * (bound.whole + 1))
    assert not re.fullmatch(pattern, "9" + fraction + ".9" if not fraction else "9" + fraction + "9")
