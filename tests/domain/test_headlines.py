"""What a report says first never says more than was compared."""

import pytest

from parity_reports.domain import headlines
from parity_reports.domain.verdict import Tally

AGREED = Tally(expected=20_000, actual=20_000, compared=20_000)


def said(verdict, *, method="full", tally=AGREED, samples=()):
    return headlines.headline(verdict, method=method, tally=tally, samples=samples)


def test_only_what_was_wholly_compared_is_called_equal():
    assert "equal" in said("equal")
    assert "equal" not in said("equal", method="checksums")
    assert said("sampled", method="sample", samples=[(0, 20_000)]) == (
        "A sample agrees: 20,000 records were compared. 99 % confident that fewer than 1 in 4,343 records differ."
    )
    assert "too small" in said("sampled", method="sample", samples=[(0, 1)])
    assert "99 % confident" in said("different", tally=Tally(compared=1_000, different=1), samples=[(1, 1_000)])


def test_what_a_sample_says_is_not_said_of_an_entity_that_was_read_in_full_and_differs():
    """Half of a small entity differ; of another one a sample agrees."""
    told = said("different", tally=Tally(compared=20_020, different=10), samples=[(0, 20_000)])
    assert told == (
        "10 of 20,020 compared records do not agree. Where a sample was read: 99 % confident that fewer than 1 in 4,343"
        " records differ."
    )


@pytest.mark.parametrize(
    ("tally", "samples", "incomplete", "state"),
    [
        (AGREED, (), False, "pass"),
        (AGREED, [(0, 20_000)], False, "pass"),
        (AGREED, [(0, 300)], False, "warn"),
        (Tally(compared=1_000, different=2), [(2, 1_000)], False, "fail"),
        (AGREED, [(0, 20_000)], True, "incomplete"),
    ],
)
def test_a_sample_is_on_target_only_if_what_it_says_of_all_records_is(tally, samples, incomplete, state):
    assert headlines.differing(tally, incomplete=incomplete, samples=samples)[3] == state
