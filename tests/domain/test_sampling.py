"""What a sample says is true as often as it claims to be."""

import hashlib
import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_reports.domain import sampling
from parity_reports.domain.sampling import CONFIDENCE, fewer_than_one_in, one_in, together, upper_bound


def at_most(errors, compared, share):
    """The exact probability of at most so many differences."""
    p = Fraction(share)
    return sum(comb(compared, k) * p**k * (1 - p) ** (compared - k) for k in range(errors + 1))


@given(st.data(), st.integers(1, 150))
def test_the_bound_is_the_exact_binomial_one_and_never_below_it(data, compared):
    errors = data.draw(st.integers(0, compared))
    bound = upper_bound(errors=errors, compared=compared)
    doubt = Fraction(1) - Fraction("0.99")
    assert errors / compared <= bound <= 1
    if errors < compared:
        assert at_most(errors, compared, bound * (1 + 1e-9)) <= doubt
        assert at_most(errors, compared, bound * (1 - 1e-6)) >= doubt


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_more_records_and_fewer_differences_say_more(compared, more):
    assert fewer_than_one_in(errors=0, compared=compared + more) >= fewer_than_one_in(errors=0, compared=compared)
    assert fewer_than_one_in(errors=1, compared=compared + 1) <= fewer_than_one_in(errors=0, compared=compared + 1)


def test_without_a_difference_it_is_the_rule_of_three():
    """With 99 % it is rather a rule of 4.6."""
    assert fewer_than_one_in(errors=0, compared=20_000) == 4_343
    assert fewer_than_one_in(errors=0, compared=4_603) == 1_000
    assert fewer_than_one_in(errors=0, compared=300) == 65
    # R: binom.test(3, 1000, alternative = "less", conf.level = 0.99) gives 0.01001
    assert fewer_than_one_in(errors=3, compared=1_000) == 99


@pytest.mark.parametrize(("errors", "compared"), [(0, 0), (1, 1), (0, 1), (5, 5)])
def test_a_sample_that_says_nothing_claims_nothing(errors, compared):
    assert fewer_than_one_in(errors=errors, compared=compared) == 1
    assert "too small" in sampling.statement(1)


def test_a_large_sample_with_many_differences_is_bounded_in_no_time():
    assert upper_bound(errors=500_000, compared=1_000_000) == pytest.approx(0.50116, abs=1e-4)


def test_several_samples_hold_together_with_the_same_confidence():
    alone = fewer_than_one_in(errors=0, compared=20_000)
    assert together([(0, 20_000)]) == alone
    assert together([(0, 20_000), (0, 20_000)]) < alone
    assert together([(0, 20_000), (3, 20_000)]) < together([(0, 20_000), (0, 20_000)])
    assert together([]) == 1


def test_a_sample_has_about_twenty_thousand_records_and_a_small_entity_none():
    assert [one_in(number) for number in (0, 10, 20_000, 39_999, 40_000, 1_000_000)] == [1, 1, 1, 1, 2, 50]


def test_it_is_said_in_one_form():
    assert sampling.statement(4_343) == "99 % confident that fewer than 1 in 4,343 records differ."


def sample(records, differing, share, seed):
    """Draw as the engine does, by a digest of each key; return (errors, compared)."""
    drawn = [
        number
        for number in range(records)
        if int(hashlib.md5(f"{seed}:{number}".encode(), usedforsecurity=False).hexdigest()[:15], 16) % share == 0
    ]
    return sum(number in differing for number in drawn), len(drawn)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, 0.0002, 0.001, 0.004, 0.02])
def test_what_is_stated_holds_in_as_many_of_a_thousand_samples_as_is_claimed(rate):
    """How many of 1,000 samples may be wrong is itself bounded: by what a doubt of 1 % gives but once in a million."""
    runs, records, share = 1_000, 6_000, 5
    dice = random.Random(f"{rate}")
    wrong = 0
    for run in range(runs):
        differing = set(dice.sample(range(records), round(rate * records)))
        errors, compared = sample(records, differing, share, f"{rate}-{run}")
        wrong += Fraction(len(differing), records) >= Fraction(1, fewer_than_one_in(errors=errors, compared=compared))
    allowed = next(n for n in range(runs) if 1 - at_most(n, runs, Fraction(1) - Fraction(str(CONFIDENCE))) < 1e-6)
    assert wrong <= allowed
