"""The verdict: nothing that was not wholly compared is called equal."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_reports.domain import verdict
from parity_reports.domain.verdict import Tally, Verdict

counts = st.integers(min_value=0, max_value=10**9)
tallies = st.builds(Tally, *[counts] * len(Tally.__slots__))


@given(tallies, st.integers(0, 9), st.one_of(st.none(), st.integers(1, 9)), st.booleans())
def test_an_entity_is_equal_only_if_every_segment_was_compared_and_nothing_differs(tally, done, total, failed):
    judged = verdict.of_entity(tally, segments_done=done, segments_total=total, failed=failed)
    complete = not failed and total is not None and done == total
    assert (judged is Verdict.EQUAL) is (complete and tally.errors == 0)
    assert (judged is Verdict.INCOMPLETE) is not complete


@given(st.lists(st.sampled_from(list(Verdict)), max_size=6), counts, st.integers(0, 3), st.integers(0, 3))
def test_a_report_is_equal_only_if_all_of_it_is(entities, compared, unknown, broken):
    judged = verdict.of_report(entities, compared=compared, unknown_invariants=unknown, broken_invariants=broken)
    everything = bool(entities) and set(entities) == {Verdict.EQUAL} and compared > 0 and unknown == 0 and broken == 0
    assert (judged is Verdict.EQUAL) is everything
    if Verdict.INCOMPLETE in entities or not entities or not compared:
        assert judged is Verdict.INCOMPLETE


@given(tallies, tallies)
def test_tallies_add_up(one, two):
    assert (one + two).errors == one.errors + two.errors
    assert (one + two) + Tally() == two + one


def test_a_record_dropped_by_a_named_rule_is_no_error_and_a_missing_one_is():
    assert Tally(expected=10, actual=10, compared=10, dropped=5).error_rate == 0
    assert Tally(expected=10, actual=9, compared=10, missing=1).error_rate == Decimal("0.1")


@pytest.mark.parametrize(
    ("errors", "passed", "total", "met"),
    [(0, 5, 5, True), (1, 5, 5, True), (2, 5, 5, False), (0, 4, 5, False), (0, 0, 0, False), (0, 999, 1000, True)],
)
def test_the_charters_targets(errors, passed, total, met):
    """At most 0.1 % of the records may differ, at least 99.9 % of the invariants must hold."""
    tally = Tally(expected=1000, actual=1000, compared=1000, different=errors)
    assert verdict.within_targets(tally, passed=passed, total=total) is met


def test_nothing_compared_has_no_errors_but_is_no_success_either():
    assert Tally().error_rate == 0
    assert verdict.pass_rate(passed=0, total=0) == 0
