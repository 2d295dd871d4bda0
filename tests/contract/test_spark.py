"""Comparisons spread over a cluster: as one machine would say, everything or nothing, and nothing left behind.

The comparison's own suite runs over it in `test_comparison.py`, the traps in `test_engine_traps.py`.
"""

import psycopg
import pytest

from backfills.domain import spec as specs
from core.comparison import Segment
from core.ports import Rejected, Unavailable
from portal.adapters.comparison import DuckComparison
from portal.adapters.comparison.spark import SparkComparison, tasks
from tests import planting, sparking
from tests.people import (
    BADGES,
    INVARIANTS,
    NEW_YORK,
    PEOPLE,
    ZONES,
    ZONES_MOVED,
    fill,
    legacy_person,
    new_person,
    plan,
)
from tests.traps import TRAPS

pytestmark = pytest.mark.slow

KNOWN = specs.load_set({"zones": ZONES, "people": PEOPLE + INVARIANTS, "badges": BADGES})
FEES = (
    "999999999999.99", "-999999999999.99", "0.000000000000001", "+1.5", "007.50", "-0", "1e3", "NaN", "Infinity",
    None, "12345678901234567890",
)  # fmt: skip
CLOCKS = (("20131103", "0130"), ("20130310", "0230"), ("20130230", "0100"), ("99991231", "2359"), ("20130701", None))


@pytest.fixture(scope="module")
def machines():
    with sparking.shared() as found:
        yield found


def spread(pair, **changed):
    given = {"records": 7, "settle": 0, "memory_limit": "300MB", **changed}
    return SparkComparison(pair.legacy_reader, pair.new_loader, sparking.ADDRESS, **given)


def told(comparison, the_plan):
    found = []
    findings = comparison.compare(the_plan, segment=Segment(), report=found.append)
    return findings, sorted(found, key=lambda one: (one.key, one.kind))


def odd_people():
    """Legacy rows with every text of the traps, extreme fees and clocks; and rows that mostly are not what is due."""
    texts = [value for trap in TRAPS for kind, value in (trap.left, trap.right) if kind == "text"]
    people = [legacy_person(number, text) for number, text in enumerate(texts)]
    people += [legacy_person(1000 + number, fee=fee) for number, fee in enumerate(FEES)]
    people += [legacy_person(2000 + number, day=day, clock=clock) for number, (day, clock) in enumerate(CLOCKS)]
    people += [legacy_person(3000, flag="?"), legacy_person(3001, state="A"), legacy_person(3002, state="Q")]
    people += [legacy_person(10_000_000_000), legacy_person(3003), legacy_person(3003, "Twice")]
    moved = [new_person(number, text) for number, text in enumerate(texts[1:] + texts[:1])]
    moved += [new_person(1000 + number) for number in range(len(FEES))]
    moved += [new_person(2000 + number, begins_at=None) for number in range(len(CLOCKS))]
    moved += [new_person(3000), new_person(3003), new_person(4000), new_person(4001), new_person(4001)]
    return people, moved


@pytest.mark.parametrize("entity", ["people", "badges", "zones"])
def test_a_cluster_says_of_odd_values_exactly_what_one_machine_says(machines, people_platforms, entity):
    pair = people_platforms
    people, moved = odd_people()
    fill(pair.legacy_owner, {"zone_mast": [NEW_YORK], "person_mast": people})
    badges = [{"owner": "t1", "code": f"P-{row['nm']}", "fee": "1.5"} for row in people[::2]]
    fill(pair.new_owner, {"clean.zone": ZONES_MOVED[:1], "clean.person": moved, "clean.badge": badges})
    alone = DuckComparison(pair.legacy_reader, pair.new_loader, settle=0)
    one, two = told(alone, plan(entity, KNOWN)), told(spread(pair), plan(entity, KNOWN))
    assert two == one
    assert len(one[1]) > (0 if entity == "zones" else 20)


def test_a_row_that_lacks_a_part_of_its_key_is_told_whatever_part_reads_it(machines, people_platforms):
    pair = people_platforms
    line = BADGES.replace("{column: seq, type: bigint}", "{column: line, of: {nm: text, seq: bigint}}")
    fill(pair.legacy_owner, {"person_mast": [*map(legacy_person, range(20)), legacy_person(99) | {"seq": None}]})
    fill(pair.new_owner, {"clean.badge": [{"owner": "t1", "code": "P-Ann", "fee": "1.5"}]})
    the_plan = plan("badges", specs.load_set({"badges": line}))
    for comparison in (DuckComparison(pair.legacy_reader, pair.new_loader, settle=0), spread(pair)):
        with pytest.raises(Rejected, match="1 rows of the legacy platform have nothing in line that can be their key"):
            told(comparison, the_plan)


def test_every_corruption_planted_among_many_records_is_found_and_none_is_invented(machines, people_platforms):
    planted = planting.plant(people_platforms, records=20_000, corruptions=30, seed=3)
    found = {}
    comparison = spread(people_platforms, records=3_000)
    findings = comparison.compare(plan(), segment=Segment(), report=planting.found_in(found))
    assert found == planted
    assert findings.expected == 20_000


@pytest.fixture
def moved(people_platforms):
    pair = people_platforms
    people = [legacy_person(number, f"Person {number}") for number in range(1, 40)]
    badges = [{"owner": "t1", "code": f"P-Person {number}", "fee": "1.5"} for number in range(1, 40)]
    fill(pair.legacy_owner, {"zone_mast": [NEW_YORK], "person_mast": people})
    new = [new_person(number, f"Person {number}") for number in range(1, 40)]
    fill(pair.new_owner, {"clean.zone": ZONES_MOVED, "clean.person": new, "clean.badge": badges})
    return pair


@pytest.mark.parametrize("side", ["legacy", "new"])
def test_a_platform_that_stops_half_way_never_ends_in_an_answer(machines, moved, side):
    """One of the tasks loses its connection in the middle of its rows; the others read theirs to the end."""
    owner, table, key, reader, stopped = {
        "legacy": (moved.legacy_owner, "person_mast", "seq", "legacy_reader", "nm"),
        "new": (moved.new_owner, "clean.person", "id", "new_loader", "name"),
    }[side]
    view = f"{table.replace('person', 'failing')}"
    with psycopg.connect(owner) as connection:
        columns = [row[0] for row in connection.execute(f"SELECT * FROM {table} LIMIT 0").description or ()]
        # Stable, so that it is asked for only where the column is: not where rows are merely counted.
        connection.execute(
            "CREATE OR REPLACE FUNCTION ends(k bigint) RETURNS text LANGUAGE plpgsql STABLE AS "
            "'BEGIN IF k = 20 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN $$$$; END'"
        )
        ends = f"{stopped} || ends({key})"
        listed = ", ".join(f"{ends} AS {column}" if column == stopped else column for column in columns)
        connection.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT {listed} FROM {table}")
        connection.execute(f"GRANT SELECT ON {view} TO {reader}")
    failing = specs.load_set({"people": PEOPLE.replace(f"table: {table}", f"table: {view}"), "zones": ZONES})
    found = []
    with pytest.raises(Unavailable, match="before everything was read"):
        spread(moved).compare(plan(known=failing), segment=Segment(), report=found.append)
    assert found == []


def test_what_arrives_before_the_second_reading_of_everything_is_not_reported(machines, moved):
    """Where the key is computed, records that legacy seems to lack are not to be asked for alone."""
    extra = {"owner": "t1", "code": "P-Late", "fee": "1.5"}
    wrong = {"owner": "t1", "code": "P-Never", "fee": "1.5"}
    with psycopg.connect(moved.new_owner) as connection:
        for row in (extra, wrong):
            connection.execute("INSERT INTO clean.badge VALUES (%(owner)s, %(code)s, %(fee)s)", row)

    def arrive(seconds):
        with psycopg.connect(moved.legacy_owner) as connection:
            connection.execute("INSERT INTO person_mast SELECT own_cd, 99, 'Late', fee FROM person_mast LIMIT 1")
            # So many more records that there would be more buckets.
            connection.execute("INSERT INTO person_mast SELECT own_cd, seq + 100, nm, fee FROM person_mast")

    _, found = told(spread(moved, sleep=arrive), plan("badges"))
    assert [(one.key, one.kind) for one in found] == [("P-Never", "extra")]


def test_machines_with_another_release_are_refused(machines, moved, monkeypatch):
    monkeypatch.setattr(tasks, "release", lambda: "of last year")
    with pytest.raises(Rejected, match="different releases"):
        told(spread(moved), plan())


@pytest.mark.parametrize("reading", ["first", "second"])
def test_records_that_are_lost_on_their_way_are_noticed(machines, moved, monkeypatch, reading):
    """A cluster that forgets: of each part's records, those of a bucket do not arrive."""
    with psycopg.connect(moved.new_owner) as connection:
        connection.execute("INSERT INTO clean.badge VALUES ('t1', 'P-Never', 1.5)")
    run, seen = type(machines).run, []

    def forgetful(self, parts, read, judge, *, buckets, beside):
        seen.append(reading)
        if len(seen) == ["first", "second"].index(reading) + 1:
            read = sparking.Forgetting(read, beside[0][0] if beside else 0)
        return run(self, parts, read, judge, buckets=buckets, beside=beside)

    monkeypatch.setattr(type(machines), "run", forgetful)
    with pytest.raises(Unavailable, match="lost records"):
        told(spread(moved), plan("badges"))
    assert len(seen) == ["first", "second"].index(reading) + 1
