"""Money is exact: whole smallest units, one currency, no float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entitlements.domain.money import Money

minor = st.integers(min_value=-(10**14), max_value=10**14)


@given(minor, minor, minor)
def test_sums_do_not_depend_on_their_order_and_come_back(a: int, b: int, c: int) -> None:
    x, y, z = Money(a, "USD"), Money(b, "USD"), Money(c, "USD")
    assert (x + y) + z == x + (y + z) == z + y + x
    assert x + y - y == x


@given(minor, minor)
def test_a_year_is_twelve_months_of_a_sum_and_of_its_parts(a: int, b: int) -> None:
    x, y = Money(a, "EUR"), Money(b, "EUR")
    assert (x + y).a_year == x.a_year + y.a_year
    assert (x - y).a_year.minor == 12 * (a - b)


@given(minor, st.sampled_from(["USD", "EUR", "JPY", "KWD"]))
def test_what_is_written_can_be_read_back(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    code, number = str(money).removeprefix("−").split(" ")
    digits = {"JPY": 0, "KWD": 3}.get(currency, 2)
    assert code == currency
    assert Decimal(number.replace(",", "")) * 10**digits == abs(amount)


@pytest.mark.parametrize(
    ("money", "words", "signed"),
    [
        (Money(480_000, "USD"), "USD 4,800.00", "+USD 4,800.00"),
        (Money(-5, "USD"), "−USD 0.05", "−USD 0.05"),
        (Money(0, "USD"), "USD 0.00", "USD 0.00"),
        (Money(1_234_567, "JPY"), "JPY 1,234,567", "+JPY 1,234,567"),
    ],
)
def test_an_amount_is_written_with_its_currency(money: Money, words: str, signed: str) -> None:
    assert (str(money), money.signed) == (words, signed)


def test_two_currencies_have_no_sum() -> None:
    with pytest.raises(ValueError, match="USD and EUR have no sum"):
        Money(1, "USD") + Money(1, "EUR")
