"""Redaction: what nobody declared public never shows a value, an exact small count or a key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_reports.domain import redaction
from parity_reports.domain.redaction import Exposure, Shown

texts = st.one_of(st.none(), st.text(min_size=1))


@pytest.mark.parametrize("declared", [None, "", "Public", "PUBLIC", "internal", "secret", 1, True])
def test_only_the_exact_word_opens_a_column(declared):
    assert Exposure.of(declared) is Exposure.INTERNAL
    assert Exposure.of("public") is Exposure.PUBLIC


@given(texts, texts)
def test_an_internal_column_shows_neither_value(expected, actual):
    assert redaction.values(Exposure.INTERNAL, expected=expected, actual=actual) == Shown("", "")


@given(texts, texts)
def test_a_public_column_tells_null_from_empty_and_from_any_text(expected, actual):
    shown = redaction.values(Exposure.PUBLIC, expected=expected, actual=actual)
    assert (shown.expected == "∅") is (expected is None)
    assert (shown.actual == "∅") is (actual is None)
    assert len(shown.expected) <= redaction.LONGEST_SHOWN + 3


@given(st.integers(min_value=0, max_value=10_000))
def test_small_counts_about_an_internal_column_are_not_exact(number):
    shown = redaction.count(Exposure.INTERNAL, number)
    assert shown == (number if number == 0 or number >= redaction.K else "<5")
    assert redaction.count(Exposure.PUBLIC, number) == number


keys = st.tuples(st.text(), st.text())


@given(keys, keys)
def test_different_records_have_different_names_even_where_their_parts_run_together(left, right):
    def name(key):
        return redaction.pseudonym(secret=b"s", entity=key[0], key=key[1])

    assert (name(left) == name(right)) is (left == right)


def test_the_same_record_has_another_name_for_another_tenant():
    names = {redaction.pseudonym(secret=secret, entity="flights", key="B6-1") for secret in (b"one", b"two")}
    assert len(names) == 2
    assert all(len(name) == 16 and "B6" not in name for name in names)
