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
