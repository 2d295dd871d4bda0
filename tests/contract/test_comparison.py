"""One suite over the fake and the real comparison: what a mapping promises against what the new platform holds."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from backfills.domain import spec as specs
from core.comparison import ColumnDifference, Segment
from portal.adapters.comparison import DuckComparison
from portal.adapters.comparison.spark import SparkComparison
from tests import sparking
from tests.fakes.comparison import FakeComparison
from tests.people import (
    INVARIANTS,
    LEGACY_FILES,
    NEW_FILES,
    NEW_YORK,
    PEOPLE,
    ZONES,
    ZONES_MOVED,
    fill,
    in_files,
    legacy_person,
    new_person,
    plan,
)


class World:
    """Two platforms with rows, and a comparison over them."""

    def __init__(self, make, *, divides=True):
        self.make, self.divides = make, divides

    def compare(
        self,
        people,
        moved,
        *,
        entity="people",
        segment=Segment(),  # noqa: B008 - a frozen value
        zones=(NEW_YORK,),
        zones_moved=ZONES_MOVED,
        on_hold=(),
    ):
        comparison = self.make(
            {"zone_mast": list(zones), "person_mast": people}, {"clean.zone": zones_moved, "clean.person": moved}
        )
        found = []
        findings = comparison.compare(replace(plan(entity), on_hold=on_hold), segment=segment, report=found.append)
        return findings, sorted(found, key=lambda difference: difference.key)


FILES = ("sqlite to csv", "csv to parquet", "parquet to duckdb", "duckdb to sqlite")


@pytest.fixture(scope="module")
def machines():
    with sparking.shared() as found:
        yield found


@pytest.fixture(params=["fake", "duckdb", *(pytest.param(one, marks=pytest.mark.slow) for one in ("spark", *FILES))])
def world(request):
    if request.param == "fake":
        return World(FakeComparison)
    if request.param in FILES:
        one, _, two = request.param.partition(" to ")
        folder = request.getfixturevalue("tmp_path")

        def written(legacy, new):
            return DuckComparison(
                legacy=in_files(one, folder / "legacy", legacy, LEGACY_FILES),
                new=in_files(two, folder / "new", new, NEW_FILES),
                settle=0,
                threads=1,
                memory_limit="300MB",
            )

        return World(written)
    people = request.getfixturevalue("people_platforms")
    if request.param == "spark":
        request.getfixturevalue("machines")

        def spread(legacy, new):
            fill(people.legacy_owner, legacy)
            fill(people.new_owner, new)
            # So few records of a task that there are several tasks and buckets wherever there are records.
            return SparkComparison(people.legacy_reader, people.new_loader, sparking.ADDRESS, records=3, settle=0)

        return World(spread, divides=False)

    def make(legacy, new):
        fill(people.legacy_owner, legacy)
        fill(people.new_owner, new)
        return DuckComparison(
            legacy=people.legacy_reader, new=people.new_loader, settle=0, threads=1, memory_limit="300MB"
        )

    return World(make)


def test_what_moved_as_promised_is_equal(world):
    findings, found = world.compare([legacy_person(1), legacy_person(2, None)], [new_person(1), new_person(2, None)])
    assert found == []
    assert (findings.expected, findings.actual, findings.compared) == (2, 2, 2)
    assert {name: tuple(map(Decimal, both)) for name, both in findings.sums.items()}["fee"] == (300, 300)


def test_a_missing_and_an_extra_record_are_named(world):
    findings, found = world.compare([legacy_person(1), legacy_person(2)], [new_person(2), new_person(3)])
    assert [(difference.key, difference.kind) for difference in found] == [("1", "missing"), ("3", "extra")]
    assert (findings.expected, findings.actual, findings.compared) == (2, 2, 3)


def test_what_is_held_is_set_aside_and_counted_but_where_legacy_asks_for_it(world):
    moved = [new_person(1), new_person(2, "Bo"), new_person(3), new_person(4)]
    findings, found = world.compare([legacy_person(1), legacy_person(2)], moved, on_hold=("2", "3", "9"))
    assert [(difference.key, difference.kind) for difference in found] == [("2", "different"), ("4", "extra")]
    assert (findings.expected, findings.actual, findings.compared, findings.on_hold) == (2, 3, 3, 1)
    sums = {name: tuple(map(Decimal, both)) for name, both in findings.sums.items()}
    assert sums["fee"] == (300, 450), "no figure tells of it"


def test_every_differing_column_of_a_record_is_told_with_both_values(world):
    moved = new_person(1, "ann", begins_at=datetime(2013, 7, 1, 13, 30, 0, 500000, tzinfo=UTC), fee=None)
    _, (difference,) = world.compare([legacy_person(1)], [moved])
    assert difference.kind == "different"
    assert difference.columns == (
        ColumnDifference("name", "Ann", "ann"),
        ColumnDifference("fee", "150", None),
        ColumnDifference("begins_at", "2013-07-01 13:30:00+00", "2013-07-01 13:30:00.5+00"),
    )


def test_rows_of_other_tenants_are_never_compared(world):
    findings, found = world.compare(
        [legacy_person(1), legacy_person(2, own_cd="AA")], [new_person(1), new_person(9, owner="t2")]
    )
    assert (found, findings.expected, findings.actual) == ([], 1, 1)


def test_a_row_dropped_by_a_named_rule_is_accounted_and_not_expected(world):
    findings, found = world.compare([legacy_person(1), legacy_person(2, state="A")], [new_person(1)])
    assert (found, findings.expected, findings.dropped) == ([], 1, {"archived": 1})


def test_a_dropped_row_that_is_there_all_the_same_is_extra(world):
    _, (difference,) = world.compare([legacy_person(2, state="A")], [new_person(2)])
    assert difference.kind == "extra"


def test_a_quarantined_row_counts_as_missing_and_says_why(world):
    findings, (difference,) = world.compare([legacy_person(1), legacy_person(2, state="Q")], [new_person(1)])
    assert (difference.kind, difference.because, findings.expected) == ("missing", "contested", 2)


def test_a_row_that_cannot_be_read_counts_as_missing(world):
    _, (difference,) = world.compare([legacy_person(1, flag="?")], [])
    assert (difference.kind, difference.because) == ("missing", "value_not_accepted")


def test_a_value_that_cannot_be_read_equals_nothing_even_null(world):
    _, (difference,) = world.compare([legacy_person(1, fee="NaN")], [new_person(1, fee=None)])
    assert difference.columns == (ColumnDifference("fee", "(unreadable)", None),)


def test_records_whose_keys_cannot_be_read_are_missing_one_by_one(world):
    people = [legacy_person(1), legacy_person(10_000_000_000), legacy_person(10_000_000_001)]
    findings, found = world.compare(people, [new_person(1)])
    assert [(difference.kind, difference.because) for difference in found] == [("missing", "value_not_accepted")] * 2
    assert (findings.expected, findings.actual, findings.compared) == (3, 1, 3)


def test_keys_are_counted_once_whatever_is_wrong_with_them(world):
    """Equal, different, missing, extra, repeated on one side and on both."""
    people = [legacy_person(number) for number in (1, 2, 3, 5, 5, 6, 7, 7)]
    moved = [new_person(number) for number in (1, 4, 5, 6, 6, 7, 7)] + [new_person(2, "Other")]
    findings, found = world.compare(people, moved)
    assert [(difference.key, difference.kind) for difference in found] == [
        ("2", "different"), ("3", "missing"), ("4", "extra"), ("5", "duplicate"), ("6", "duplicate"),
        ("7", "duplicate"),
    ]  # fmt: skip
    assert (findings.expected, findings.actual, findings.compared) == (8, 8, 7)


def test_a_key_that_stands_twice_is_a_finding_on_either_side(world):
    _, found = world.compare(
        [legacy_person(1), legacy_person(1), legacy_person(2)], [new_person(1), new_person(2), new_person(2)]
    )
    assert [(difference.key, difference.kind) for difference in found] == [("1", "duplicate"), ("2", "duplicate")]


def test_what_the_mapping_itself_supplies_is_expected(world):
    _, found = world.compare([], [], entity="zones", zones_moved=ZONES_MOVED[:1])
    assert [(difference.key, difference.kind) for difference in found] == [("XX", "missing")]


def test_look_ups_are_answered_from_the_legacy_rows_and_not_from_what_was_moved(world):
    wrong = [{"owner": "t1", "code": "NY", "time_zone": "UTC"}]
    _, found = world.compare([legacy_person(1)], [new_person(1)], zones_moved=wrong)
    assert found == []


def test_platforms_without_rows_are_equal_in_nothing(world):
    findings, found = world.compare([], [])
    assert (findings.compared, found) == (0, [])


def test_segments_together_find_what_one_segment_finds(world):
    people = [legacy_person(number, f"Person {number}") for number in range(1, 40)]
    moved = [new_person(number, f"Person {number}") for number in range(3, 42) if number != 20]
    comparison = world.make({"zone_mast": [NEW_YORK], "person_mast": people}, {"clean.zone": [], "clean.person": moved})
    segments = comparison.divide(plan(), size=10)
    assert len(segments) == (4 if world.divides else 1)
    found, expected, compared = [], 0, 0
    for segment in segments:
        findings = comparison.compare(plan(), segment=segment, report=found.append)
        expected, compared = expected + findings.expected, compared + findings.compared
    assert (expected, compared) == (39, 41)
    assert sorted((difference.kind, difference.key) for difference in found) == [
        ("extra", "40"), ("extra", "41"), ("missing", "1"), ("missing", "2"), ("missing", "20"),
    ]  # fmt: skip


def test_a_sample_holds_the_same_records_of_both_platforms_and_all_samples_hold_all(world):
    people = [legacy_person(number, f"Person {number}") for number in range(1, 60)]
    moved = [new_person(number, f"Person {number}") for number in range(4, 63) if number != 20]
    comparison = world.make({"zone_mast": [NEW_YORK], "person_mast": people}, {"clean.zone": [], "clean.person": moved})
    found, sizes = [], []
    for bucket in (0, 1, 2):
        sample = Segment(bucket=bucket, of=3, seed="a seed")
        findings = comparison.compare(plan(), segment=sample, report=found.append)
        sizes.append(findings.compared)
    assert comparison.compare(plan(), segment=sample, report=lambda _: None) == findings
    assert sum(sizes) == 62
    assert min(sizes) > 5
    assert sorted((one.kind, one.key) for one in found) == [
        ("extra", "60"), ("extra", "61"), ("extra", "62"), ("missing", "1"), ("missing", "2"), ("missing", "20"),
        ("missing", "3"),
    ]  # fmt: skip


def test_another_seed_gives_another_sample(world):
    moved = [new_person(number) for number in range(100)]
    comparison = world.make({"zone_mast": [], "person_mast": []}, {"clean.zone": [], "clean.person": moved})
    samples = []
    for seed in ("one", "two"):
        found = []
        comparison.compare(plan(), segment=Segment(of=4, seed=seed), report=found.append)
        samples.append({one.key for one in found})
    assert samples[0] != samples[1]


def test_where_the_key_is_computed_a_sample_is_one_of_it(world):
    people = [legacy_person(number, f"Person {number}") for number in range(60)]
    badges = [badge(f"Person {number}") for number in range(1, 60)]
    comparison = world.make({"zone_mast": [], "person_mast": people}, {"clean.badge": badges, "clean.zone": []})
    found, compared = [], 0
    for bucket in (0, 1):
        sample = Segment(bucket=bucket, of=2, seed="s")
        compared += comparison.compare(plan("badges"), segment=sample, report=found.append).compared
    assert (compared, [one.key for one in found]) == (60, ["P-Person 0"])


@pytest.mark.slow
def test_segments_share_out_what_the_mapping_supplies_and_drops(world):
    zones = [{"own_cd": "B6", "zone_cd": f"Z{number}", "tz_nm": "UTC"} for number in range(7)]
    moved = [{"owner": "t1", "code": f"Z{number}", "time_zone": "UTC"} for number in range(6)]
    people = [legacy_person(number, state="A") for number in range(9)]
    comparison = world.make({"zone_mast": zones, "person_mast": people}, {"clean.zone": moved, "clean.person": []})
    found, dropped, expected = [], 0, 0
    for entity in ("zones", "people"):
        for segment in comparison.divide(plan(entity), size=2):
            findings = comparison.compare(plan(entity), segment=segment, report=found.append)
            dropped, expected = dropped + sum(findings.dropped.values()), expected + findings.expected
    assert (dropped, expected) == (9, 8)
    assert sorted(difference.key for difference in found) == ["XX", "Z6"]


def badge(name, fee="1.50"):
    return {"owner": "t1", "code": f"P-{name}", "fee": Decimal(fee)}


def test_records_that_are_merged_are_expected_once_as_the_first_of_them(world):
    people = [legacy_person(10, "Ann", fee="9"), legacy_person(9, "Ann", fee="1.5"), legacy_person(11, "Bob")]
    platforms = (
        {"zone_mast": [], "person_mast": people},
        {"clean.badge": [badge("Ann"), badge("Bob")], "clean.zone": []},
    )
    found = []
    findings = world.make(*platforms).compare(plan("badges"), segment=Segment(), report=found.append)
    assert (found, findings.expected, findings.dropped) == ([], 2, {"same_badge": 1})


def test_where_the_key_is_computed_segments_are_buckets_of_it(world):
    people = [legacy_person(number, f"Person {number % 30}") for number in range(60)]
    badges = [badge(f"Person {number}") for number in range(1, 32)]
    comparison = world.make({"zone_mast": [], "person_mast": people}, {"clean.badge": badges, "clean.zone": []})
    segments = comparison.divide(plan("badges"), size=20)
    assert [segment.of for segment in segments] == ([3, 3, 3] if world.divides else [1])
    found, expected, compared, dropped = [], 0, 0, 0
    for segment in segments:
        findings = comparison.compare(plan("badges"), segment=segment, report=found.append)
        expected, compared = expected + findings.expected, compared + findings.compared
        dropped += sum(findings.dropped.values())
    assert (expected, compared, dropped) == (30, 32, 30)
    assert sorted((difference.kind, difference.key) for difference in found) == [
        ("extra", "P-Person 30"), ("extra", "P-Person 31"), ("missing", "P-Person 0"),
    ]  # fmt: skip


def test_measures_count_on_the_platforms_themselves(world):
    comparison = world.make(
        {"zone_mast": [NEW_YORK], "person_mast": [legacy_person(1), legacy_person(2)]},
        {"clean.zone": ZONES_MOVED, "clean.person": [new_person(1), new_person(1), new_person(3, zone="ZZ")]},
    )
    measures = comparison.measure(plan())
    assert (measures.legacy_rows, measures.new_rows, measures.repeated) == (2, 3, 1)
    assert measures.orphans == {"zone": 1}


def reckon(world, people, moved, *, invariants=INVARIANTS, zones_moved=ZONES_MOVED, size=None):
    """What both sides say to declared invariants, over all segments: (asked, failed, figure)."""
    known = specs.load_set({"people.yaml": PEOPLE + invariants, "zones.yaml": ZONES})
    comparison = world.make(
        {"zone_mast": [NEW_YORK], "person_mast": people}, {"clean.zone": zones_moved, "clean.person": moved}
    )
    total = {}
    for segment in comparison.divide(plan(known=known), size=size) if size else (Segment(),):
        findings = comparison.compare(plan(known=known), segment=segment, report=lambda difference: None)
        for name, sides in findings.reckoned.items():
            before = total.get(name, ((0, 0, 0), (0, 0, 0)))
            total[name] = tuple(
                (old[0] + side.rows, old[1] + side.failed, old[2] + Decimal(side.figure))
                for old, side in zip(before, sides, strict=True)
            )
    return total


def test_declared_invariants_are_asked_of_both_sides(world):
    people = [legacy_person(1), legacy_person(2, flag="N"), legacy_person(3, zone=None, clock=None)]
    moved = [new_person(1, ""), new_person(2, active=False, fee=None), new_person(3, zone="ZZ", begins_at=None)]
    assert reckon(world, people, moved) == {
        "paying": ((3, 0, 3), (3, 0, 2)),
        "fees": ((3, 0, 300), (3, 0, 300)),
        "zone_known": ((2, 0, 0), (3, 1, 0)),
        "named": ((3, 0, 0), (3, 1, 0)),
        "zone_used": ((2, 0, 0), (3, 0, 0)),
    }


def test_a_value_that_cannot_be_read_breaks_whatever_asks_for_it(world):
    found = reckon(world, [legacy_person(1, fee="NaN")], [new_person(1)])
    assert (found["paying"][0], found["fees"][0], found["named"][0]) == ((1, 1, 0), (1, 1, 0), (1, 0, 0))


@pytest.mark.slow
def test_what_segments_say_adds_up_to_what_the_whole_says(world):
    people = [legacy_person(number, f"Person {number}", fee=str(number)) for number in range(1, 12)]
    moved = [new_person(number, f"Person {number}", fee=Decimal(number)) for number in range(3, 14)]
    assert reckon(world, people, moved, size=4) == reckon(world, people, moved)


ASKED = {
    "active": 1,
    "fee * 2 - 1.5 > 298.49": 2,
    "round(fee, 0) == fee": 1,
    "id + 1 <= 3 and id != 0": 2,
    "name == 'Ann' or matches(name, 'B[a-z]+')": 2,
    "coalesce(fee, 0) >= 150": 2,
    "when(is_null(zone), active, True)": 2,
    "not is_null(begins_at)": 2,
    "begins_at < plus_minutes(begins_at, 5)": 2,
    "local_minutes(begins_at, 'UTC') == 810": 2,
    "null_if(name, 'Bob') == 'Ann'": 1,
}
"""Conditions, and of how many of three people each is true."""


def test_every_kind_of_expression_means_the_same_on_either_side(world):
    listed = "".join(f'  - {{name: rule_{number}, says: Rule, holds: "{test}"}}\n' for number, test in enumerate(ASKED))
    people = [
        legacy_person(1),
        legacy_person(2, "Bob", fee="1.505", flag="N"),
        legacy_person(3, None, fee=None, flag="N", zone=None, clock=None),
    ]
    moved = [
        new_person(1),
        new_person(2, "Bob", fee=Decimal("150.50"), active=False),
        new_person(3, None, fee=None, active=False, zone=None, begins_at=None),
    ]
    found = reckon(world, people, moved, invariants=f"invariants:\n{listed}")
    for number, (test, true) in enumerate(ASKED.items()):
        assert found[f"rule_{number}"] == ((3, 3 - true, 0),) * 2, test
