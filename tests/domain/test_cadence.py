"""When an unproven domain is looked up again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import cadence

ISSUED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def schedule() -> list[timedelta]:
    """Walk the whole schedule as beat would."""
    steps, at = [], ISSUED
    while (due := cadence.next_check_at(issued_at=ISSUED, at=at)) is not None:
        steps.append(due - ISSUED)
        at = due
    return steps


def test_the_schedule_is_quick_then_hourly_then_daily_to_day_thirty() -> None:
    steps = schedule()
    assert steps[:3] == [timedelta(minutes=minutes) for minutes in (1, 5, 15)]
    assert steps[3:75] == [timedelta(hours=hours) for hours in range(1, 73)]
    assert steps[75:] == [timedelta(days=days) for days in range(4, 31)]


@given(st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=40)))
def test_the_next_check_is_always_ahead_until_the_token_fails(age: timedelta) -> None:
    due = cadence.next_check_at(issued_at=ISSUED, at=ISSUED + age)
    if cadence.has_failed(issued_at=ISSUED, at=ISSUED + age):
        assert due is None
    else:
        assert due is not None
        assert due > ISSUED + age
        assert due - (ISSUED + age) <= timedelta(days=1) + cadence.QUICK[0]


@pytest.mark.parametrize(
    ("left", "notice"),
    [
        (timedelta(days=7, seconds=1), None),
        (timedelta(days=7), timedelta(days=7)),
        (timedelta(days=1, seconds=1), timedelta(days=7)),
        (timedelta(days=1), timedelta(days=1)),
        (timedelta(0), None),
    ],
)
def test_notices_come_due_a_week_and_a_day_before_the_end(left: timedelta, notice: timedelta | None) -> None:
    assert cadence.notice_due(issued_at=ISSUED, at=ISSUED + cadence.GIVE_UP_AFTER - left) == notice


@pytest.mark.parametrize(
    ("age", "failed"), [(timedelta(days=30) - timedelta(seconds=1), False), (timedelta(days=30), True)]
)
def test_a_token_fails_after_thirty_days(age: timedelta, failed: bool) -> None:
    assert cadence.has_failed(issued_at=ISSUED, at=ISSUED + age) is failed
