"""What becomes of a flight: each kind of dirt of 2013 follows the rule that names it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from backfills.domain import wording
from backfills.domain.evaluation import instant
from backfills.domain.judgement import Fate, judge
from backfills.domain.runs import RunState, ending
from backfills.domain.spec import load_set

FOLDER = Path(__file__).parents[2] / "portal" / "demo" / "mapping"
SPEC = load_set({path.name: path.read_text() for path in FOLDER.glob("*.yaml")})["flights"]
ZONES = {
    "JFK": "America/New_York",
    "LAX": "America/Los_Angeles",
    "SJU": "America/Puerto_Rico",
    "PBI": "America/New_York",
}
WORLD = SPEC.world(
    {
        "airport": {code: {"code": code, "time_zone": zone} for code, zone in ZONES.items()},
        "aircraft": {"N1ZZ": {"registration": "N1ZZ", "type_code": "A"}},
    }
)
FLIGHT = {
    "flt_seq": "1", "carr_cd": "B6", "flt_no": "0112", "flt_dt": "20130115", "leg_no": "1", "org_stn": "JFK",
    "dst_stn": "LAX", "tail_no": "N1ZZ", "sch_dep": "0900", "sch_arr": "1220", "act_dep": "0905", "act_arr": "1215",
    "dep_dly": "5", "arr_dly": "-5", "air_min": "340", "dist_mi": "2475", "can_flg": "N",
}  # fmt: skip
CANCELLED = {"act_dep": None, "act_arr": None, "dep_dly": None, "arr_dly": None, "air_min": None, "can_flg": "Y"}


def verdict(**different: str | None):
    return judge(SPEC, {**FLIGHT, **different}, WORLD)


def test_a_plain_flight_moves_as_it_is() -> None:
    judged = verdict()
    assert judged.verdict.fate is Fate.MIGRATED
    assert judged.values["reference"] == "B6112-20130115-1"
    assert judged.values["departs_on"] == date(2013, 1, 15)
    assert judged.values["scheduled_departure_at"] == datetime(2013, 1, 15, 14, tzinfo=UTC)
    assert judged.values["scheduled_arrival_at"] == datetime(2013, 1, 15, 20, 20, tzinfo=UTC)
    assert judged.values["distance_km"] == Decimal("3983.1")


@pytest.mark.parametrize(
    ("different", "fate", "rule"),
    [
        (CANCELLED, Fate.TRANSFORMED, "cancelled_without_departure"),
        ({"act_arr": None, "arr_dly": None, "air_min": None}, Fate.TRANSFORMED, "diverted_without_arrival"),
        (
            {"sch_dep": "2355", "act_dep": "2400", "sch_arr": "0315", "act_arr": "0310"},
            Fate.TRANSFORMED,
            "midnight_as_2400",
        ),
        ({"tail_no": "N507JB"}, Fate.TRANSFORMED, "aircraft_without_row"),
        ({"tail_no": None}, Fate.TRANSFORMED, "aircraft_unknown"),
        ({"leg_no": "2"}, Fate.TRANSFORMED, "two_legs_one_number"),
        ({"dst_stn": "SJU", "sch_arr": "1345", "act_arr": "1340"}, Fate.TRANSFORMED, "airport_from_mapping"),
        ({"tail_no": "N3AAAA"}, Fate.QUARANTINED, "fleet_number_for_registration"),
        ({"can_flg": "Y"}, Fate.QUARANTINED, "cancelled_yet_departed"),
        ({"act_dep": "0906"}, Fate.QUARANTINED, "departure_disagrees"),
        ({"act_arr": "1216"}, Fate.QUARANTINED, "arrival_disagrees"),
        ({"sch_dep": "2460"}, Fate.QUARANTINED, "unreadable_value"),
        ({"flt_dt": "20130229"}, Fate.QUARANTINED, "unreadable_value"),
        ({"dst_stn": "XXX"}, Fate.QUARANTINED, "missing_reference"),
        ({"dist_mi": None}, Fate.QUARANTINED, "missing_value"),
        ({"air_min": "40000"}, Fate.QUARANTINED, "value_out_of_range"),
    ],
)
def test_each_kind_of_dirt_follows_its_rule(different: dict[str, str | None], fate: Fate, rule: str) -> None:
    judged = verdict(**different)
    assert (judged.verdict.fate, judged.verdict.rule) == (fate, rule)
    if fate is Fate.QUARANTINED:
        words = wording.of(SPEC, fate=fate, rule=rule, column=judged.verdict.column)
        assert judged.verdict.column in SPEC.source_columns
        assert words.because
        assert words.fix


def test_a_delay_across_midnight_falls_on_the_next_day() -> None:
    judged = verdict(sch_dep="2253", act_dep="0153", dep_dly="180", sch_arr="0215", act_arr="0510", arr_dly="175")
    assert judged.values["departs_on"] == date(2013, 1, 15)
    assert judged.values["departed_at"] == datetime(2013, 1, 16, 6, 53, tzinfo=UTC)


def test_a_clock_that_was_not_set_forward_is_known_by_the_delay() -> None:
    """The one such flight of 2013: JetBlue 35 to Palm Beach landed at 02:03, an hour that this night skipped."""
    judged = verdict(
        flt_dt="20130309", dst_stn="PBI", sch_dep="2145", act_dep="2306", dep_dly="81", sch_arr="0034", act_arr="0203",
        arr_dly="89",
    )  # fmt: skip
    assert judged.verdict.rule == "clock_not_set_forward"
    assert judged.values["arrived_at"] == datetime(2013, 3, 10, 7, 3, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_the_later_one_and_one_that_never_comes_counts_as_before() -> None:
    zone = ZoneInfo("America/New_York")
    assert instant(date(2013, 11, 3), 90, zone) == datetime(2013, 11, 3, 6, 30, tzinfo=UTC)
    assert instant(date(2013, 3, 10), 150, zone) == datetime(2013, 3, 10, 7, 30, tzinfo=UTC)
    assert instant(date(2013, 3, 9), 1440, zone) == datetime(2013, 3, 10, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rejected", "state"), [(0, RunState.SUCCEEDED), (10, RunState.SUCCEEDED), (11, RunState.STOPPED)]
)
def test_more_rejects_than_allowed_stop_the_line(rejected: int, state: RunState) -> None:
    totals = {("migrated", ""): 10_000 - rejected, ("quarantined", "x"): rejected}
    assert ending(source_total=10_000, totals=totals, stop_above_percent=0.1) is state


def test_an_empty_source_is_a_success() -> None:
    assert ending(source_total=0, totals={}, stop_above_percent=0.1) is RunState.SUCCEEDED
