"""Figures are never rounded to the better side."""

from datetime import timedelta

import pytest

from core.charts import Point
from portal.dashboard.queries import figures


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0"), (912, "912"), (9_999, "9,999"), (54_635, "54.6 k"), (999_999, "999.9 k"), (4_829_999, "4.82 M")],
)
def test_a_count_is_never_rounded_up(count: int, words: str) -> None:
    assert figures.short(count) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=38), "38 s"),
        (timedelta(seconds=61), "2 min"),
        (timedelta(hours=3, seconds=1), "4 h"),
        (timedelta(days=2, seconds=1), "3 days"),
    ],
)
def test_an_age_is_never_rounded_down(length: timedelta, words: str) -> None:
    assert figures.span(length) == words


@pytest.mark.parametrize(
    ("value", "shown", "state"),
    [(99.9, "99.90%", "pass"), (99.899, "99.89%", "block"), (99.999, "99.99%", "pass"), (100.0, "100.00%", "pass")],
)
def test_parity_is_held_against_its_target(value: float, shown: str, state: str) -> None:
    figure = figures._parity([Point("a", value)])
    assert (figure.value, figure.state) == (shown, state)


def test_what_was_not_wholly_compared_has_no_percentage() -> None:
    assert figures._parity([Point("a", 100.0), Point("b", None)]).state == "incomplete"
