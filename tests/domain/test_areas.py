"""The dashboard's areas: every check has one, and an area stands as its worst check."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.checks import Check
from core.domain.gates import Line, Standing
from core.readiness import CHECKS
from portal.dashboard.queries import areas

AT = datetime(2026, 11, 26, tzinfo=UTC)
WORST_FIRST = ["block", "unknown", "expired", "none", "covered", "warn", "pass"]


def line(check_id: str, standing: Standing) -> Line:
    check = Check(check_id, check_id, "cs", "T-3", timedelta(days=1), frozenset(), "", ask=lambda **_: None)
    return Line(check, standing)


def test_every_check_of_the_house_belongs_to_an_area():
    assert [check_id for check_id in CHECKS if areas.area_of(check_id) is None] == []


def test_the_longest_beginning_of_an_id_decides():
    assert areas.area_of("parity_reports.workflows_covered").id == "ux"
    assert areas.area_of("parity_reports.equal").id == "data"
    assert areas.area_of("somebody.elses") is None


@given(st.lists(st.sampled_from(list(Standing)), min_size=1, max_size=6))
def test_an_area_stands_as_its_worst_check(standings):
    (cell,) = areas.cells(line(f"comms.c{n}", standing) for n, standing in enumerate(standings))
    states = [WORST_FIRST.index(areas.STATES[standing]) for standing in standings]
    assert WORST_FIRST.index(cell.state) == min(states)
    blocked = sum(standing is Standing.BLOCKED for standing in standings)
    assert cell.words.startswith(str(blocked)) if blocked else not cell.words[0].isdigit()


@pytest.mark.parametrize("standing", Standing)
def test_a_state_has_words_of_its_own(standing):
    (cell,) = areas.cells([line("comms.one", standing)])
    assert cell.words
    assert cell.state in WORST_FIRST
