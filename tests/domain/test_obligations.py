"""How a promise stands: what can be asked is asked, what nothing keeps is a gap."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain import obligations
from compliance.domain.obligations import STANDARD, Kind, Standing

TODAY = date(2026, 11, 26)


def stands(*checks: str, opens: dict[str, bool] | None = None, control="", plan="", due=None) -> Standing:
    return obligations.standing(checks=checks, opens=opens or {}, control=control, plan=plan, plan_due_on=due, on=TODAY)


def test_a_promise_is_kept_while_all_of_its_checks_pass():
    assert stands("a", "b", opens={"a": True, "b": True, "c": False}) is Standing.KEPT
    assert stands("a", "b", opens={"a": True, "b": False}) is Standing.AT_RISK


def test_a_check_that_does_not_exist_keeps_nothing():
    assert stands("gone", opens={"a": True}) is Standing.GAP
    assert stands("gone", "a", opens={"a": True}) is Standing.KEPT


def test_a_stated_control_counts_only_where_nothing_is_asked():
    assert stands(control="Our lawyers look") is Standing.KEPT
    assert stands(control="  ") is Standing.GAP
    assert stands("gone", control="Our lawyers look") is Standing.GAP


def test_a_plan_closes_a_gap_until_its_day_has_passed():
    assert stands(plan="A region", due=TODAY) is Standing.PLANNED
    assert stands(plan="A region", due=TODAY - timedelta(days=1)) is Standing.GAP
    assert stands(plan="", due=TODAY) is Standing.GAP


@given(st.dictionaries(st.sampled_from("abcd"), st.booleans()), st.lists(st.sampled_from("abcde"), unique=True))
def test_no_stated_word_outweighs_an_answer_that_blocks(opens, checks):
    found = stands(*checks, opens=opens, control="Stated", plan="Planned", due=TODAY)
    if any(opens.get(check) is False for check in checks):
        assert found is Standing.AT_RISK


def test_the_charters_promises_name_what_keeps_them():
    assert all(one.checks or one.control for one in STANDARD)
    assert len({one.key for one in STANDARD}) == len(STANDARD)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_name(kind):
    assert kind.label
