"""Which way an entity is compared, and that the reason is said."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.comparison import Survey
from parity_reports.domain.ladder import SMALL, Engine, Last, Method, choose

MILLION = Survey(1_000_000, 10**8, 1_000_000, 10**8)
AGREED = Last(Decimal(0))


def test_what_is_to_be_evidence_is_compared_row_by_row_whatever_it_costs():
    choice = choose(method=Method.FULL, survey=MILLION, last=AGREED)
    assert choice.engine is Engine.TYPED
    assert choice.because == "Compared row by row in full because only that is evidence for your go/no-go."


def test_a_comparison_that_would_take_too_long_says_how_long_and_where_it_would_be_faster():
    slow = Last(Decimal(0), speed=20.0)
    choice = choose(method=Method.FULL, survey=MILLION, last=slow)
    assert choice.engine is Engine.TYPED
    assert "takes about 14 hours" in choice.because
    assert "Spark or a warehouse" in choice.because
    day = choose(method=Method.FULL, survey=MILLION, last=slow, window=timedelta(days=1))
    assert "hours" not in day.because


def test_where_records_come_slowly_checksums_are_advised_if_they_are_to_be_had():
    slow = Last(Decimal(0), speed=1_500.0)
    assert choose(method=Method.FULL, survey=MILLION, last=slow).because == (
        "Compared row by row in full because only that is evidence for your go/no-go; records come slowly (1,500 a "
        "second), so checksums are advised between full comparisons."
    )
    clever = Survey(1_000_000, 1, 1_000_000, 1, obstacle="its mapping is too clever")
    few = Survey(300_000, 1, 300_000, 1)
    for survey, last in ((clever, slow), (few, slow), (MILLION, Last(Decimal(0), speed=60_000.0))):
        assert "slowly" not in choose(method=Method.FULL, survey=survey, last=last).because


def test_where_there_is_a_cluster_it_compares_what_one_machine_would_not_in_time_and_only_that():
    slow = Last(Decimal(0), speed=20.0)
    choice = choose(method=Method.FULL, survey=MILLION, last=slow, has_cluster=True)
    assert choice.engine is Engine.CLUSTER
    assert choice.because == (
        "Compared row by row in full because only that is evidence for your go/no-go, and on a cluster because one "
        "machine would take about 14 hours."
    )
    assert choose(method=Method.FULL, survey=MILLION, last=AGREED, has_cluster=True).engine is Engine.TYPED
    day = choose(method=Method.FULL, survey=MILLION, last=slow, window=timedelta(days=1), has_cluster=True)
    assert day.engine is Engine.TYPED


def test_one_by_checksums_after_a_full_comparison_is_pushed_down():
    choice = choose(method=Method.CHECKSUMS, survey=MILLION, last=AGREED)
    assert choice.engine is Engine.PUSHDOWN
    assert "checksums" in choice.because


@pytest.mark.parametrize(
    ("survey", "last", "reason"),
    [
        (MILLION, None, "no full comparison yet"),
        (MILLION, Last(Decimal("0.01")), "too many records differed last time"),
        (Survey(1_000_000, 1, 1_000_000, 1, obstacle="its mapping is too clever"), AGREED, "its mapping is too clever"),
        (Survey(100, 1, 100, 1), AGREED, "so few"),
    ],
)
def test_one_by_checksums_that_would_save_nothing_reads_everything_and_says_why(survey, last, reason):
    choice = choose(method=Method.CHECKSUMS, survey=survey, last=last)
    assert choice.engine is Engine.TYPED
    assert f"because {reason}" in choice.because or reason in choice.because


def test_a_sample_is_drawn_where_it_saves_something():
    choice = choose(method=Method.SAMPLE, survey=MILLION, last=None)
    assert (choice.engine, choice.one_in) == (Engine.SAMPLED, 50)
    assert "1 in 50 records" in choice.because
    assert choose(method=Method.SAMPLE, survey=Survey(30_000, 1, 30_000, 1), last=None).engine is Engine.TYPED
    assert choose(method=Method.SAMPLE, survey=Survey(3, 1, 30_000_000, 1), last=None).engine is Engine.SAMPLED


sizes = st.integers(0, 10**9)


@given(
    st.sampled_from(list(Method)),
    st.builds(Survey, sizes, sizes, sizes, sizes, st.sampled_from(["", "it cannot be done"])),
    st.none() | st.builds(Last, st.decimals(0, 1), st.none() | st.floats(1, 10**6)),
    st.booleans(),
)
def test_every_choice_is_one_sentence_with_its_reason(method, survey, last, has_cluster):
    choice = choose(method=method, survey=survey, last=last, has_cluster=has_cluster)
    assert "because" in choice.because
    assert choice.because.endswith(".")
    assert choice.because.count(". ") == 0
    assert len(choice.because) <= 300
    assert (choice.one_in > 1) is (choice.engine is Engine.SAMPLED)
    if method is Method.FULL or max(survey.legacy_rows, survey.new_rows) <= SMALL:
        assert choice.engine.reads_everything
    assert has_cluster or choice.engine is not Engine.CLUSTER
    if survey.obstacle:
        assert choice.engine is not Engine.PUSHDOWN
