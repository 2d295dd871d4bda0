"""The clock of a support case, its states, and the ladder it comes up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.domain import cases, sla
from comms.domain.cases import CaseState, Severity
from comms.domain.sla import Clock
from cutover.domain.phases import Phase

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))


@pytest.mark.parametrize("phase", list(Phase))
def test_graver_is_sooner_and_a_moving_tenant_never_waits_longer(phase):
    targets = [sla.target(severity=severity, phase=phase.value) for severity in Severity]
    for graver, lesser in pairwise(targets):
        assert graver.respond <= lesser.respond
        assert graver.resolve <= lesser.resolve
    for severity, moving in zip(Severity, targets, strict=True):
        assert moving.respond <= sla.target(severity=severity, phase="prepare").respond
        assert moving.respond < moving.resolve


def test_every_phase_in_which_traffic_moves_is_fast():
    assert {"canary", "ramp", "full", "halted", "rolled_back"} <= sla.MOVING <= {phase.value for phase in Phase}


@given(worked=SPANS, waited=SPANS, after=SPANS)
def test_what_is_left_when_the_clock_stops_is_left_when_it_goes_on(worked, waited, after):
    clock = sla.start(severity=Severity.NORMAL, phase="prepare", at=AT)
    stopped = sla.pause(clock, at=AT + worked)
    left = stopped.left(at=AT + worked)
    assert stopped.due_at is None
    assert stopped.left(at=AT + worked + waited) == left
    assert sla.pause(stopped, at=AT + worked + waited) == stopped
    on = sla.resume(stopped, at=AT + worked + waited)
    assert on.left(at=AT + worked + waited) == left
    assert on.left(at=AT + worked + waited + after) == left - after
    assert sla.resume(on, at=AT + timedelta(days=99)) == on


@given(st.lists(st.tuples(SPANS, SPANS), max_size=6))
def test_however_often_it_stops_only_our_time_counts(turns):
    clock, now, ours = sla.start(severity=Severity.HIGH, phase="prepare", at=AT), AT, timedelta(0)
    promised = clock.left(at=AT)
    for worked, waited in turns:
        clock, now, ours = sla.pause(clock, at=now + worked), now + worked, ours + worked
        clock, now = sla.resume(clock, at=now + waited), now + waited
    assert clock.left(at=now) == promised - ours


def test_the_first_answer_changes_which_deadline_runs():
    clock = Clock(AT + timedelta(hours=1), AT + timedelta(hours=8))
    assert clock.due_at == AT + timedelta(hours=1)
    assert Clock(clock.respond_by, clock.resolve_by, responded=True).due_at == AT + timedelta(hours=8)


def test_the_ladder_is_the_charters_and_ends():
    assert [rung.value for rung, _ in sla.LADDER] == [
        "Engineer on call",
        "SRE lead",
        "Programme manager and CS lead",
        "Executive sponsor",
    ]
    assert sla.rung(0) is None
    assert sla.rung(5) is None
    due = AT + timedelta(hours=1)
    assert sla.escalates_at(due, level=0, severity=Severity.URGENT, at=AT) == due
    assert sla.escalates_at(AT, level=1, severity=Severity.URGENT, at=AT) == AT + sla.patience(Severity.URGENT)
    assert sla.escalates_at(due, level=4, severity=Severity.URGENT, at=AT) is None
    assert sla.escalates_at(None, level=0, severity=Severity.URGENT, at=AT) is None


def test_words_bring_a_case_to_whose_turn_it_is():
    assert cases.after_staff_wrote(CaseState.NEW) is CaseState.WAITING
    assert cases.after_staff_wrote(CaseState.RESOLVED) is CaseState.RESOLVED
    assert cases.after_customer_wrote(CaseState.WAITING) is CaseState.IN_PROGRESS
    assert cases.after_customer_wrote(CaseState.RESOLVED) is CaseState.IN_PROGRESS
    assert cases.after_customer_wrote(CaseState.NEW) is CaseState.NEW


def test_no_case_stays_open_for_ever_and_none_comes_back_from_closed():
    for state in CaseState:
        reached, front = {state}, [state]
        while front:
            front = [target for source in front for target in cases.TRANSITIONS[source] if target not in reached]
            reached |= set(front)
        assert CaseState.CLOSED in reached
    assert cases.sources(CaseState.NEW) == []
