"""When a job is tried again, and what its progress honestly says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.jobs import TRANSITIONS, UNFINISHED, GiveUp, JobState, Progress, Retry, after_failure, pause

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
chances = st.floats(0, 1, exclude_max=True)


@given(attempts=st.integers(1, 10_000), chance=chances)
def test_pause_stays_between_its_bounds(attempts: int, chance: float) -> None:
    assert timedelta(seconds=4) <= pause(attempts=attempts, chance=chance) <= timedelta(minutes=18)


@given(attempts=st.integers(1, 50), chance=chances)
def test_pause_never_shrinks_with_attempts(attempts: int, chance: float) -> None:
    assert pause(attempts=attempts, chance=chance) <= pause(attempts=attempts + 1, chance=chance)


def test_pause_spreads_jobs_that_failed_together() -> None:
    assert pause(attempts=1, chance=0) == timedelta(seconds=4)
    assert pause(attempts=1, chance=0.5) == timedelta(seconds=5)
    assert pause(attempts=2, chance=0.5) == timedelta(seconds=10)


def test_pause_needs_an_attempt() -> None:
    with pytest.raises(ValueError, match="attempt"):
        pause(attempts=0, chance=0)


@given(attempts=st.integers(1, 20), max_attempts=st.integers(1, 20), chance=chances)
def test_a_job_is_tried_exactly_as_often_as_it_may(attempts: int, max_attempts: int, chance: float) -> None:
    decision = after_failure(attempts=attempts, max_attempts=max_attempts, chance=chance)
    assert isinstance(decision, Retry if attempts < max_attempts else GiveUp)


def test_a_permanent_failure_is_never_repeated() -> None:
    assert after_failure(attempts=1, max_attempts=5, chance=0, permanent=True) == GiveUp()


def test_every_state_is_reachable_and_only_a_person_revives_a_job() -> None:
    assert set(TRANSITIONS) == set(JobState)
    reached, edge = {JobState.QUEUED}, {JobState.QUEUED}
    while edge:
        edge = {after for state in edge for after in TRANSITIONS[state]} - reached
        reached |= edge
    assert reached == set(JobState)
    ends = {state for state in JobState if not TRANSITIONS[state]}
    assert ends == {JobState.DONE, JobState.CANCELLED}
    assert UNFINISHED.isdisjoint(ends | {JobState.DEAD})


@given(
    done=st.integers(0, 10**9),
    first=st.integers(0, 10**9),
    total=st.none() | st.integers(0, 10**9),
    seconds=st.floats(-10, 10**7),
)
def test_progress_never_says_nonsense(done: int, first: int, total: int | None, seconds: float) -> None:
    progress = Progress(done, total, AT, first)
    at = AT + timedelta(seconds=seconds)
    fraction, left = progress.fraction, progress.time_left(at=at)
    assert fraction is None or 0 <= fraction <= 1
    assert left is None or timedelta(0) <= left <= timedelta(days=365)


def test_rate_and_time_left_count_from_where_the_attempt_began() -> None:
    resumed = Progress(done=600, total=1000, measured_at=AT, first_done=500)
    at = AT + timedelta(seconds=10)
    assert resumed.rate(at=at) == 10
    assert resumed.time_left(at=at) == timedelta(seconds=40)


def test_no_time_left_is_told_from_a_guess() -> None:
    at = AT + timedelta(seconds=1)
    assert Progress(1, 1000, AT).time_left(at=at) is None
    assert Progress(500, None, AT).time_left(at=at) is None
    assert Progress(0, 1000, None).time_left(at=at) is None
    assert Progress(500, 1000, AT).time_left(at=at) == timedelta(seconds=1)


def test_a_stalled_job_takes_longer_and_longer() -> None:
    stalled = Progress(500, 1000, AT)
    soon, late = (stalled.time_left(at=AT + timedelta(seconds=seconds)) for seconds in (10, 100))
    assert soon is not None
    assert late is not None
    assert soon < late
