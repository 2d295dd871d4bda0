"""Gates fail closed: whatever is not a fresh, good answer keeps them shut."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.domain.checks import ASK_AGAIN_AFTER, Check, expiry
from core.domain.gates import Answer, Cover, GateState, Standing, lines, standing, waiting_by_owner
from core.findings import Finding, Outcome

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHECK_IDS = [f"tests.{letter}" for letter in "abcde"]

outcomes = st.sampled_from(list(Outcome))
moments = st.timedeltas(timedelta(days=-2), timedelta(days=2)).map(lambda delta: AT + delta)


def check(check_id: str = "tests.a", *, owner: str = "data", due: str = "T-30") -> Check:
    """Make a check that is never asked."""
    return Check(check_id, "Title", owner, due, timedelta(days=1), frozenset(), "", lambda: None)  # type: ignore[arg-type, return-value]  # never asked


def answer(check_id: str, outcome: Outcome, expires_at: datetime) -> Answer:
    """Make an answer."""
    return Answer(check_id, Finding(outcome, "Found"), AT - timedelta(days=3), expires_at)


answers = st.dictionaries(
    st.sampled_from(CHECK_IDS), st.builds(answer, st.just("tests.a"), outcomes, moments), max_size=5
)
covers = st.lists(st.builds(Cover, st.sampled_from(CHECK_IDS), st.text(min_size=1, max_size=3), moments), max_size=5)


def state(found: dict[str, Answer], exceptions: list[Cover]) -> GateState:
    """Judge the gate of all checks."""
    checks = [check(check_id) for check_id in CHECK_IDS]
    return GateState("gate", AT, lines(checks=checks, answers=found, covers=exceptions, at=AT))


@given(found=answers, exceptions=covers)
def test_a_gate_is_open_only_if_every_check_has_a_fresh_answer_that_passes_or_is_covered(
    found: dict[str, Answer], exceptions: list[Cover]
) -> None:
    def lets_through(check_id: str) -> bool:
        given = found.get(check_id)
        if given is None or given.expires_at <= AT:
            return False
        covered = any(cover.check_id == check_id and cover.expires_at > AT for cover in exceptions)
        return given.outcome in (Outcome.PASS, Outcome.WARN) or (given.outcome is Outcome.BLOCK and covered)

    assert state(found, exceptions).open is all(lets_through(check_id) for check_id in CHECK_IDS)


@given(found=answers, exceptions=covers, removed=st.sampled_from(CHECK_IDS))
def test_knowing_less_never_opens_a_gate(found: dict[str, Answer], exceptions: list[Cover], removed: str) -> None:
    less = {check_id: given for check_id, given in found.items() if check_id != removed}
    if state(less, exceptions).open:
        assert state(found, exceptions).open


@given(found=answers, exceptions=covers)
def test_what_blocks_and_what_lets_through_are_all_there_is(found: dict[str, Answer], exceptions: list[Cover]) -> None:
    gate = state(found, exceptions)
    assert [line.check_id for line in gate.lines] == CHECK_IDS
    assert len(gate.blocking) == sum(line.blocks for line in gate.lines) == waiting_by_owner(gate.lines).total()
    assert all(line.cover for line in gate.covered)
    assert all(line.cover is None for line in gate.lines if line.standing is not Standing.COVERED)


@given(
    found=st.fixed_dictionaries(
        {
            check_id: st.builds(
                answer,
                st.just(check_id),
                st.sampled_from([Outcome.PASS, Outcome.WARN, Outcome.BLOCK]),
                st.timedeltas(timedelta(seconds=1), timedelta(days=2)).map(lambda delta: AT + delta),
            )
            for check_id in CHECK_IDS
        }
    ),
    exceptions=covers,
)
def test_an_open_gate_shuts_at_its_first_expiry(found: dict[str, Answer], exceptions: list[Cover]) -> None:
    gate = state(found, exceptions)
    assume(gate.open)
    until = gate.open_until
    assert until is not None
    assert until > AT
    checks = [check(check_id) for check_id in CHECK_IDS]

    def at(moment: datetime) -> GateState:
        return GateState("gate", moment, lines(checks=checks, answers=found, covers=exceptions, at=moment))

    assert at(until - timedelta(microseconds=1)).open
    assert not at(until).open


def test_a_gate_without_checks_is_shut() -> None:
    assert not GateState("gate", AT, ()).open


def test_an_answer_ends_at_its_expiry_not_after_it() -> None:
    given = answer("tests.a", Outcome.PASS, AT)
    assert standing(answer=given, cover=None, at=AT - timedelta(microseconds=1)) is Standing.PASSED
    assert standing(answer=given, cover=None, at=AT) is Standing.EXPIRED


@given(outcome=outcomes)
def test_an_exception_covers_a_block_and_nothing_else(outcome: Outcome) -> None:
    cover = Cover("tests.a", "e1", AT + timedelta(days=1))
    covered = standing(answer=answer("tests.a", outcome, AT + timedelta(days=1)), cover=cover, at=AT)
    assert (covered is Standing.COVERED) is (outcome is Outcome.BLOCK)


NAMED = {"flights:no_name:stn": "2026-11-20", "flights:no_gate:": "2026-11-21"}


@pytest.mark.parametrize(
    ("covers", "by"),
    [
        ([{}], None),
        ([NAMED], "e0"),
        ([NAMED | {"flights:no_name:stn": "2026-11-19"}], None),
        ([NAMED | {"flights:no_name:stn": "2026-11-25", "planes:no_name:": "2026-11-19"}], "e0"),
        ([{"flights:no_name:stn": "2026-11-20"}], None),
        ([{"flights:no_name:stn": "2026-11-20"}, {"flights:no_gate:": "2026-11-21"}], "e0"),
        ([NAMED, {"flights:no_gate:": "2026-11-21"}], "e0"),
    ],
    ids=["none named", "all", "one came later", "more than asked", "half", "two halves", "the longer ones count"],
)
def test_an_exception_covers_what_was_named_when_it_was_asked_for(covers: list[dict[str, str]], by: str | None) -> None:
    ends = AT + timedelta(days=1)
    found = Answer("tests.a", Finding(Outcome.BLOCK, "Rows are rejected.", items=NAMED), AT, ends)
    given = [Cover("tests.a", f"e{n}", ends + timedelta(days=n), items=items) for n, items in enumerate(covers)]
    (line,) = lines(checks=[check()], answers={"tests.a": found}, covers=given, at=AT)
    assert (line.standing is Standing.COVERED, line.cover and line.cover.exception_id) == (by is not None, by)


@pytest.mark.parametrize(
    ("items", "covers", "by"),
    [
        ({}, [NAMED], None),
        ({}, [NAMED, {}], "e1"),
        ({"flights": ""}, [{}], None),
        ({"flights": ""}, [{"planes": ""}], None),
        ({"flights": ""}, [{"flights": ""}], "e0"),
    ],
    ids=["it blocks on something else", "one for all of it", "none named", "another named", "that one"],
)
def test_an_exception_that_names_something_covers_that_alone(
    items: dict[str, str], covers: list[dict[str, str]], by: str | None
) -> None:
    ends = AT + timedelta(days=1)
    found = Answer("tests.a", Finding(Outcome.BLOCK, "Nothing has moved yet.", items=items), AT, ends)
    given = [Cover("tests.a", f"e{n}", ends, items=named) for n, named in enumerate(covers)]
    (line,) = lines(checks=[check()], answers={"tests.a": found}, covers=given, at=AT)
    assert (line.standing is Standing.COVERED, line.cover and line.cover.exception_id) == (by is not None, by)


def test_an_unknown_answer_holds_for_minutes_only() -> None:
    assert expiry(check=check(), outcome=Outcome.UNKNOWN, at=AT) == AT + ASK_AGAIN_AFTER
    assert expiry(check=check(), outcome=Outcome.BLOCK, at=AT) == AT + timedelta(days=1)


@pytest.mark.parametrize(("due", "days"), [("T-30", -30), ("T0", 0), ("T+14", 14)])
def test_a_check_is_due_relative_to_the_cutover(due: str, days: int) -> None:
    assert check(due=due).due_days == days


@pytest.mark.parametrize("due", ["", "30", "T", "T30", "T--1", "soon"])
def test_a_check_with_a_nonsense_due_day_is_refused(due: str) -> None:
    with pytest.raises(ValueError, match="due"):
        check(due=due)


def test_a_check_has_an_owner_whose_turn_it_is() -> None:
    with pytest.raises(ValueError, match="owner"):
        check(owner="somebody")
