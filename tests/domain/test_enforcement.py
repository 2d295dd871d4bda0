"""How people may sign in, what must stand before passwords are refused, and the rules of codes and cutbacks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import cutbacks, enforcement, recovery
from accounts.domain.cutbacks import Intact, Request, Side
from accounts.domain.enforcement import Asked, Standing, State
from accounts.domain.lockouts import Forecast

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
GRAVE = Forecast(people=100, stuck=1, owners_stuck=1, digest="d" * 64)
RIGHT = Asked(
    is_connected=True, has_passed=True, break_glass=2, forecast=Forecast(people=100, stuck=5), accepted_list="",
    takes_effect_at=AT + 7 * DAY, expires_at=AT + 90 * DAY,
)  # fmt: skip


def test_what_stands_may_be_enforced() -> None:
    assert enforcement.refusal(RIGHT, at=AT) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"is_connected": False}, "not connected"),
        ({"has_passed": False}, "did not pass"),
        ({"break_glass": 1}, "recovery codes"),
        ({"takes_effect_at": AT + 23 * HOUR}, "a day before"),
        ({"takes_effect_at": AT + 61 * DAY}, "within 60 days"),
        ({"expires_at": AT + 7 * DAY}, "end before it begins"),
        ({"forecast": GRAVE}, "1 of 100 people would not get in by themselves, among them 1 owner."),
        ({"forecast": replace(GRAVE, stuck=6, owners_stuck=0)}, "6 of 100 people"),
        ({"forecast": GRAVE, "accepted_list": "e" * 64}, "1 of 100"),
    ],
)
def test_what_does_not_stand_is_named(wrong: dict[str, object], said: str) -> None:
    refused = enforcement.refusal(replace(RIGHT, **wrong), at=AT)  # type: ignore[arg-type]
    assert refused is not None
    assert said in refused[0]
    assert refused[1]


def test_a_forecast_in_which_everybody_gets_in_says_so() -> None:
    assert replace(GRAVE, stuck=0, owners_stuck=0).in_words == "Everybody would get in by themselves."


def test_the_very_list_that_was_seen_may_be_accepted() -> None:
    assert enforcement.refusal(replace(RIGHT, forecast=GRAVE, accepted_list=GRAVE.digest), at=AT) is None


STANDING = Standing(takes_effect_at=AT + DAY, expires_at=AT + 9 * DAY)
CUT = replace(STANDING, cutback_starts_at=AT + 2 * DAY, cutback_ends_at=AT + 2 * DAY + HOUR)


@pytest.mark.parametrize(
    ("standing", "at", "state"),
    [
        (Standing(), AT, State.OPEN),
        (STANDING, AT, State.ANNOUNCED),
        (STANDING, AT + DAY, State.ENFORCED),
        (STANDING, AT + 9 * DAY, State.OPEN),
        (CUT, AT + 2 * DAY, State.CUT_BACK),
        (CUT, AT + 2 * DAY + HOUR, State.ENFORCED),
        (Standing(cutback_starts_at=AT, cutback_ends_at=AT + HOUR), AT, State.OPEN),
    ],
)
def test_the_clock_alone_moves_what_stands(standing: Standing, at: datetime, state: State) -> None:
    assert standing.state(at=at) is state


@given(st.randoms(use_true_random=False))
def test_a_code_is_known_however_it_is_typed(draw: object) -> None:
    code = recovery.write(draw.choice)  # type: ignore[attr-defined]
    assert [len(group) for group in code.split("-")] == [5] * 5
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert recovery.digest(f"  {typed}\n") == recovery.digest(code)
    changed = ("A" if code[0] != "A" else "B") + code[1:]
    assert recovery.digest(changed) != recovery.digest(code)


ONE, OTHER = uuid4(), uuid4()
ASKED = Request(cutbacks.State.ASKED, {Side.CUSTOMER: None, Side.VENDOR: None})


@pytest.mark.parametrize(
    ("request_", "side", "by", "said"),
    [
        (ASKED, Side.CUSTOMER, ONE, None),
        (replace(ASKED, approved_by={Side.CUSTOMER: ONE, Side.VENDOR: None}), Side.VENDOR, OTHER, None),
        (replace(ASKED, approved_by={Side.CUSTOMER: ONE, Side.VENDOR: None}), Side.VENDOR, ONE, "another person's"),
        (replace(ASKED, approved_by={Side.CUSTOMER: ONE, Side.VENDOR: None}), Side.CUSTOMER, OTHER, "Somebody else"),
        (replace(ASKED, state=cutbacks.State.RUNNING), Side.VENDOR, OTHER, "not waiting"),
        (replace(ASKED, state=cutbacks.State.OVER), Side.VENDOR, OTHER, "not waiting"),
    ],
)
def test_two_different_people_approve_a_cutback(request_: Request, side: Side, by: object, said: str | None) -> None:
    refused = cutbacks.refusal(request_, side=side, by=by)  # type: ignore[arg-type]
    assert refused is None if said is None else refused is not None and said in refused


def test_a_cutback_that_lets_nobody_in_is_refused() -> None:
    assert cutbacks.preflight_refusal(Intact(members=3, intact=0, owners=1, owners_intact=0)) is not None
    assert cutbacks.preflight_refusal(Intact(members=3, intact=1, owners=1, owners_intact=0)) is None
