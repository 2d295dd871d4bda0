"""The kind of a difference: the mildest that accounts for all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_reports.domain.differences import ROW_KINDS, Kind, classify


@pytest.mark.parametrize(
    ("expected", "actual", "kind"),
    [
        (None, "x", Kind.NULL),
        ("", None, Kind.NULL),
        ("NULL", None, Kind.NULL),
        ("Abc", "abc", Kind.CASE),
        ("STRASSE", "straße", Kind.CASE),
        (" a b", "a b ", Kind.WHITESPACE),
        ("a\u00a0b", "a b", Kind.WHITESPACE),
        ("", " ", Kind.WHITESPACE),
        ("1.005", "1.01", Kind.PRECISION),
        ("0.30000000000000004", "0.3", Kind.PRECISION),
        ("10.01", "10.02", Kind.VALUE),
        ("1234", "1235.0", Kind.VALUE),
        ("1234", "1234.4", Kind.PRECISION),
        ("2013-01-01 10:00:00.5+00", "2013-01-01 10:00:00+00", Kind.PRECISION),
        ("2013-01-01 10:00:00.5+00", "2013-01-01 10:01:00+00", Kind.VALUE),
        ("2013-01-01 10:00:00+00", "2013-01-01 15:00:00+00", Kind.VALUE),
        ("Rafael Hernandez Airport", "Rafael Hern", Kind.TRUNCATED),
        ("", "abc", Kind.VALUE),
        ("abc", "abd", Kind.VALUE),
        ("1e999999", "1", Kind.VALUE),
    ],
)
def test_the_kind_of_a_difference(expected, actual, kind):
    assert classify(expected, actual) is kind


values = st.one_of(st.none(), st.text(), st.decimals(allow_nan=True).map(str), st.datetimes().map(str))


@given(values, values)
def test_any_two_values_have_one_kind_whichever_stands_first(left, right):
    assert classify(left, right) is classify(right, left)
    assert classify(left, right) not in ROW_KINDS


@given(st.text(), st.text())
def test_a_null_is_told_from_every_text(left, right):
    assert classify(None, left) is Kind.NULL
    assert classify(right, None) is Kind.NULL


def test_every_kind_is_explained():
    assert all(kind.meaning.endswith(".") for kind in Kind)
