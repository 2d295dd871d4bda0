"""What is done about a drift by its cause, and when a second person must agree."""

import pytest

from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import THRESHOLD, Case, Strategy, decide, why_second_person

ALL = dict.fromkeys(Cause, Strategy.SOURCE)


def case(kind="different", cause=Cause.LATE_WRITE, *, is_held=False):
    return Case(kind, cause, is_held=is_held)


def test_each_cause_has_its_strategy_and_what_nobody_chose_is_left():
    strategies = {Cause.LATE_WRITE: Strategy.SOURCE, Cause.UNKNOWN: Strategy.TARGET}
    assert decide(case(), strategies) is Strategy.SOURCE
    assert decide(case(cause=Cause.UNKNOWN), strategies) is Strategy.TARGET
    assert decide(case(cause=Cause.CLOCK), strategies) is Strategy.ASK


@pytest.mark.parametrize(
    ("cause", "side"),
    [
        (Cause.LATE_WRITE, Strategy.SOURCE),
        (Cause.RULE, Strategy.SOURCE),
        (Cause.NEW_WRITE, Strategy.TARGET),
        (Cause.CLOCK, Strategy.ASK),
        (Cause.UNKNOWN, Strategy.ASK),
    ],
)
def test_the_newest_wins_only_where_it_is_known_which_that_is(cause, side):
    assert decide(case(cause=cause), {cause: Strategy.NEWEST}) is side


def test_what_stands_twice_or_is_held_by_a_rule_is_not_moved_again():
    assert decide(case("duplicate"), ALL) is Strategy.ASK
    assert decide(case("missing", is_held=True), ALL) is Strategy.ASK
    assert decide(case("duplicate"), {Cause.LATE_WRITE: Strategy.TARGET}) is Strategy.TARGET


@pytest.mark.parametrize("kind", ["missing", "extra", "duplicate"])
def test_only_what_both_platforms_hold_is_merged(kind):
    assert decide(case(), {Cause.LATE_WRITE: Strategy.MERGE}) is Strategy.MERGE
    assert decide(case(kind), {Cause.LATE_WRITE: Strategy.MERGE}) is Strategy.ASK


def why(*decided, new_is_home=False):
    return why_second_person(decided, new_is_home=new_is_home)


def test_a_second_person_agrees_to_what_is_many_or_cannot_be_taken_lightly():
    moved = (case(), Strategy.SOURCE)
    assert why(*[moved] * THRESHOLD) == ""
    assert "more than" in why(*[moved] * (THRESHOLD + 1))
    assert "more than" in why(*[(case(), Strategy.TARGET)] * (THRESHOLD + 1))
    assert "removed" in why((case("extra"), Strategy.SOURCE))
    assert "Nobody knows" in why((case(cause=Cause.UNKNOWN), Strategy.SOURCE))
    assert "overwrite" in why(moved, new_is_home=True)
    assert "Nobody knows" in why((case(cause=Cause.UNKNOWN), Strategy.MERGE))
    assert "overwrite" in why((case(), Strategy.MERGE), new_is_home=True)
    assert why((case("extra", Cause.UNKNOWN), Strategy.TARGET), new_is_home=True) == ""
