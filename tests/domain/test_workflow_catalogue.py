"""A catalogue that contradicts itself is refused, and the refusal names file and line."""

from datetime import date
from pathlib import Path

import pytest

from core.domain.declared import SpecError
from parity_reports.domain import guides, workflows
from parity_reports.domain.workflows import Parity
from tests.changes import WORKFLOWS as GOOD

DEMO = Path(__file__).parents[2] / "portal" / "demo"
SEGMENTS = ("major", "national", "regional")


def demo() -> workflows.Catalogue:
    return workflows.load_set({path.name: path.read_text() for path in (DEMO / "workflows").glob("*.yaml")})


def refusal(change: str, into: str) -> str:
    assert change in GOOD
    with pytest.raises(SpecError) as raised:
        workflows.load_set({"flights.yaml": GOOD.replace(change, into, 1)})
    return str(raised.value)


def test_the_good_one_is_read() -> None:
    delay, swap = workflows.load(GOOD)
    assert (delay.area, delay.parity, delay.roles, delay.entity) == ("Flights", Parity.CHANGED, ("member",), "flights")
    assert delay.compat
    assert (delay.compat.toggle, delay.compat.longest.days) == ("compat.codes", 60)
    assert (swap.new, swap.arrives_on, swap.parity.is_there) == (None, date(2027, 2, 15), False)


@pytest.mark.parametrize(
    ("change", "into", "words"),
    [
        ("title: Log a delay", "titel: Log", "flights.yaml:6: workflows.0.titel: Additional properties"),
        ("roles: [member]", "roles: [pilot]", "flights.yaml:8: workflows.0.roles.0: 'pilot' is not one of"),
        ("roles: [member]", "roles: []", "flights.yaml:8: workflows.0.roles: [] should be non-empty"),
        ("parity: changed", "parity: better", "flights.yaml:9: workflows.0.parity: 'better' is not one of"),
        ("ops/delays.do", "/ops/delays", "flights.yaml:10: workflows.0.old.path: '/ops/delays' does not match"),
        ("longest_days: 60", "longest_days: 999", "flights.yaml:13: workflows.0.compat.longest_days: 999 is greater"),
        ("2027-02-15", "2027-02-30", "flights.yaml:20: swap_crew: day is out of range for month"),
        (
            "    arrives_on: 2027-02-15\n",
            "",
            "flights.yaml:19: swap_crew: a date of arrival belongs to what is planned",
        ),
        ("parity: changed", "parity: same", "flights.yaml:9: log_delay: what is the same has neither differences"),
        ("parity: changed", "parity: retired", "flights.yaml:11: log_delay: what is retired has no new place"),
        (
            "    differences: [Codes have names.]\n",
            "",
            "flights.yaml:9: log_delay: what is changed names its differences",
        ),
        (
            "parity: planned\n    arrives_on: 2027-02-15",
            "parity: moved",
            "flights.yaml:19: swap_crew: what is moved has",
        ),
        ("id: swap_crew", "id: log_delay", "flights.yaml:15: log_delay: another workflow has this id"),
        ("crew/swap.do", "ops/delays.do", "flights.yaml:15: swap_crew: 'ops/delays.do' is the old place of two"),
        ("format: crossing", "format: {crossing", "flights.yaml:2: not YAML"),
    ],
)
def test_a_contradiction_is_refused_with_its_line(change: str, into: str, words: str) -> None:
    assert refusal(change, into).startswith(words)


def test_one_old_place_may_belong_to_workflows_of_different_segments() -> None:
    apart = GOOD.replace("[major, regional]", "[regional]").replace("crew/swap.do", "ops/delays.do")
    catalogue = workflows.load_set({"flights.yaml": apart})
    for segment, found in (("regional", "log_delay"), ("major", "swap_crew")):
        workflow = catalogue.was_at("ops/delays.do", segment=segment)
        assert workflow
        assert workflow.id == found


@pytest.mark.parametrize("path", ["ops/delays.do", "/OPS/Delays.do/", "ops/delays.do/DL1141/today"])
def test_an_old_address_is_found_by_itself_and_from_below(path: str) -> None:
    workflow = workflows.load_set({"flights.yaml": GOOD}).was_at(path, segment="national")
    assert workflow
    assert workflow.id == "log_delay"


@pytest.mark.parametrize("path", ["", "/", "ops", "delays.do", "crew/swap.done"])
def test_an_unknown_address_leads_nowhere(path: str) -> None:
    assert workflows.load_set({"flights.yaml": GOOD}).was_at(path, segment="major") is None


def test_an_entity_that_the_mapping_lacks_is_named() -> None:
    catalogue = workflows.load_set({"flights.yaml": GOOD})
    assert workflows.unmapped(catalogue, entities=["flights"]) == []
    assert workflows.unmapped(catalogue, entities=[]) == [
        "log_delay touches 'flights', which the mapping does not have"
    ]


@pytest.mark.parametrize(
    ("change", "into", "moves"),
    [
        ("Log a delay", "Log delays", False),
        ("Type it.", "Type it!", False),
        ("path: flights/delay", "path: flights/delays", True),
        ("Codes have names.", "Codes are gone.", True),
        ("parity: changed", "parity: moved", True),
    ],
)
def test_the_fingerprint_moves_with_what_somebody_would_meet(change: str, into: str, moves: bool) -> None:
    before, after = workflows.load(GOOD)[0], workflows.load(GOOD.replace(change, into, 1))[0]
    assert (before.fingerprint != after.fingerprint) is moves


@pytest.mark.parametrize("segment", SEGMENTS)
def test_the_demo_has_ten_workflows_of_every_segment_and_every_parity(segment: str) -> None:
    found = demo().of_segment(segment)
    assert len(found) >= 10
    assert {one.parity for one in found} >= {Parity.SAME, Parity.MOVED, Parity.CHANGED, Parity.PLANNED}


@pytest.mark.parametrize("segment", SEGMENTS)
def test_the_demos_guides_tell_every_role_of_what_changes_for_it(segment: str) -> None:
    catalogue = demo()
    written = guides.load_set(
        {path.name: path.read_text() for path in (DEMO / "guides").glob("*.md")}, catalogue=catalogue
    )
    assert guides.uncovered(catalogue.workflows.values(), guides=written.values(), segment=segment) == []
    assert len(written) >= 8
    assert all(len(guide.text.split()) >= 200 for guide in written.values())
