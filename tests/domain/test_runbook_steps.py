"""The runbook's timeline and the life of an exception."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runbooks.domain import exceptions, template
from runbooks.domain.exceptions import ExceptionState
from runbooks.domain.template import StepState

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def step(key: str = "a", day: int = 0, *, gates: bool = True, signed: bool = False) -> StepState:
    return StepState(key, key, day, gates, signed)


def test_the_template_covers_the_charter_from_t60_to_t15_with_unique_keys():
    days = [item.due for item in template.STEPS]
    assert min(days) >= -60
    assert max(days) == 15
    assert len({item.key for item in template.STEPS}) == len(template.STEPS)
    assert all(item.due < 0 for item in template.STEPS if item.gates)


def test_days_are_called_as_the_programme_calls_them():
    assert [template.label(day) for day in (-14, 0, 15)] == ["T-14", "T0", "T+15"]


def test_only_unsigned_gating_steps_hold_the_go_no_go_back_earliest_first():
    steps = [step("late", -1), step("signed", -9, signed=True), step("early", -30), step("after", 3, gates=False)]
    assert [item.key for item in template.unsigned_gating(steps)] == ["early", "late"]


def test_a_step_is_overdue_only_after_its_day():
    t0 = date(2026, 12, 5)
    steps = [step("today", -13), step("yesterday", -14), step("done", -20, signed=True)]
    found = template.overdue(steps, cutover_on=t0, today=date(2026, 11, 22))
    assert [item.key for item in found] == ["yesterday"]


moments = st.none() | st.timedeltas(-timedelta(days=300), timedelta(days=300)).map(lambda away: AT + away)


@given(moments, moments, moments, st.timedeltas(-timedelta(days=40), timedelta(days=40)))
def test_an_exception_covers_only_while_approved_unrevoked_and_unexpired(approved, refused, revoked, left):
    state = exceptions.state_of(
        approved_at=approved, refused_at=refused, revoked_at=revoked, expires_at=AT + left, at=AT
    )
    stands = approved is not None and refused is None and revoked is None and left > timedelta(0)
    assert (state is ExceptionState.ACTIVE) == stands


def test_an_exception_must_end_in_the_future_and_within_thirty_days():
    assert "future" in exceptions.problem_with_expiry(expires_at=AT, at=AT)
    assert "30 days" in exceptions.problem_with_expiry(expires_at=AT + timedelta(days=30, seconds=1), at=AT)
    assert exceptions.problem_with_expiry(expires_at=AT + timedelta(days=30), at=AT) == ""
