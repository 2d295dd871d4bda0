"""What the real comparison does when a platform changes, stops or refuses while it is being read."""

import dataclasses
import threading
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import transaction
from psycopg import sql

from backfills.domain import spec as specs
from core.comparison import Segment
from core.ports import Rejected, Unavailable
from core.tenancy import TransactionOpenError
from portal.adapters.comparison import DuckComparison, duck
from tests.people import INVARIANTS, NEW_YORK, PEOPLE, ZONES, ZONES_MOVED, fill, legacy_person, new_person, plan


@pytest.fixture
def pair(people_platforms):
    return people_platforms


@pytest.fixture
def comparison(pair):
    fill(pair.legacy_owner, {"zone_mast": [NEW_YORK], "person_mast": [legacy_person(1), legacy_person(2)]})
    fill(pair.new_owner, {"clean.zone": ZONES_MOVED, "clean.person": [new_person(1), new_person(2)]})
    return DuckComparison(legacy=pair.legacy_reader, new=pair.new_loader, settle=0, threads=1, memory_limit="300MB")


def differing(comparison, the_plan=None):
    found = []
    comparison.compare(the_plan or plan(), segment=Segment(), report=found.append)
    return [(difference.key, difference.kind) for difference in found]


def test_what_was_in_flight_and_arrives_before_the_second_reading_is_not_reported(comparison, pair):
    moved = [new_person(1, "late"), new_person(3)]
    fill(pair.new_owner, {"clean.person": moved})
    waited = []

    def arrive(seconds):
        waited.append(seconds)
        fill(pair.new_owner, {"clean.person": [new_person(1), new_person(2), new_person(3)]})
        fill(pair.legacy_owner, {"person_mast": [legacy_person(1), legacy_person(2), legacy_person(3, "Other")]})

    live = dataclasses.replace(comparison, settle=0.25, sleep=arrive)
    assert differing(live) == [("3", "different")]
    assert waited == [0.25]


def test_what_was_in_flight_breaks_no_declared_invariant_and_what_stays_broken_does(comparison, pair):
    """A person, their zone and a fee arrive on the new platform after the first reading; one name stays wrong."""
    known = specs.load_set({"people.yaml": PEOPLE + INVARIANTS, "zones.yaml": ZONES})
    rome = {"own_cd": "B6", "zone_cd": "RO", "tz_nm": "UTC"}
    people = [legacy_person(1), legacy_person(2, fee="3"), legacy_person(3), legacy_person(4)]
    new = [new_person(1), new_person(2, ""), new_person(3)]
    fill(pair.legacy_owner, {"zone_mast": [NEW_YORK], "person_mast": people})
    fill(pair.new_owner, {"clean.person": new})

    def arrive(_):
        people[3]["zone"] = "RO"
        fill(pair.legacy_owner, {"zone_mast": [NEW_YORK, rome], "person_mast": people})
        last = new_person(4, zone="RO", begins_at=datetime(2013, 7, 1, 9, 30, tzinfo=UTC))
        fill(pair.new_owner, {
            "clean.zone": [*ZONES_MOVED, {"owner": "t1", "code": "RO", "time_zone": "UTC"}],
            "clean.person": [new[0], new_person(2, "", fee=Decimal(300)), new[2], last],
        })  # fmt: skip

    live, found = dataclasses.replace(comparison, sleep=arrive), []
    findings = live.compare(plan(known=known), segment=Segment(), report=found.append)
    assert [(one.key, [each.column for each in one.columns]) for one in found] == [("2", ["name"])]
    told = {
        name: [(side.rows, side.failed, Decimal(side.figure)) for side in sides]
        for name, sides in findings.reckoned.items()
    }
    assert told == {
        "paying": [(4, 0, 4), (4, 0, 4)],
        "fees": [(4, 0, 750), (4, 0, 750)],
        "zone_known": [(4, 0, 0), (4, 0, 0)],
        "named": [(4, 0, 0), (4, 1, 0)],
        "zone_used": [(4, 0, 0), (4, 0, 0)],
    }


def test_a_record_that_changes_after_the_first_reading_alone_is_not_reported(comparison, pair):
    fill(pair.new_owner, {"clean.person": [new_person(1, "wrong"), new_person(2)]})

    def change(_):
        fill(pair.new_owner, {"clean.person": [new_person(1, "wrong"), new_person(2, "changed a moment ago")]})

    assert differing(dataclasses.replace(comparison, sleep=change)) == [("1", "different")]


def test_equal_records_are_read_once(comparison):
    def fail(_):
        raise AssertionError("nothing differs, so nothing is to be read again")

    assert differing(dataclasses.replace(comparison, sleep=fail)) == []


@pytest.mark.parametrize(
    ("side", "statement"),
    [
        ("legacy", "INSERT INTO person_mast (own_cd) VALUES ('B6')"),
        ("new", "INSERT INTO clean.person (owner) VALUES ('t1')"),
    ],
)
def test_a_row_without_its_key_falls_out_of_no_range(comparison, pair, side, statement):
    with psycopg.connect(getattr(pair, f"{side}_owner")) as connection:
        connection.execute(statement)
    first, *_ = segments = comparison.divide(plan(), size=1)
    assert segments == (Segment(None, "1"), Segment("1", "2"), Segment("2", None))
    with pytest.raises(Rejected, match=f"1 rows of the {side} platform have nothing in .* that can be their key"):
        comparison.compare(plan(), segment=first, report=pytest.fail)


def test_a_platform_that_does_not_answer_makes_it_unavailable_and_betrays_no_credential(comparison):
    parts = urlsplit(comparison.new)
    away = parts._replace(netloc=f"new_loader:s3cret@{parts.hostname or '127.0.0.1'}:1").geturl()
    with pytest.raises(Unavailable) as caught:
        differing(dataclasses.replace(comparison, new=away))
    assert str(caught.value) == "The new platform's database does not answer."
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_platform_that_stops_half_way_never_ends_in_an_answer(comparison, pair):
    """The legacy server ends our session while it still delivers rows."""
    fill(pair.legacy_owner, {"person_mast": []})
    with psycopg.connect(pair.legacy_owner) as connection:
        connection.execute(
            "CREATE OR REPLACE VIEW slow_mast AS SELECT own_cd, seq, nm || pg_sleep(0.001)::text AS nm, fee, flag, "
            "day, clock, zone, state FROM person_mast"
        )
        connection.execute("GRANT SELECT ON slow_mast TO legacy_reader")
        with connection.cursor().copy("COPY person_mast FROM STDIN") as copy:
            for number in range(5000):
                copy.write_row(list(legacy_person(number, "x" * 200).values()))
    slow = specs.load_set({"people": PEOPLE.replace("table: person_mast", "table: slow_mast"), "zones": ZONES})
    done = threading.Event()

    def interrupt():
        with psycopg.connect(pair.legacy_reader, autocommit=True) as connection:
            while not done.wait(0.05):
                ended = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'crossing-comparison' AND state = 'active' "
                    "AND query LIKE '%slow_mast%' AND datname = current_database() "
                    "AND query_start < clock_timestamp() - interval '0.3 s'"
                ).fetchall()
                if ended:
                    return

    killer = threading.Thread(target=interrupt)
    killer.start()
    try:
        with pytest.raises(Unavailable, match="before everything was read"):
            differing(comparison, dataclasses.replace(plan(), spec=slow["people"], others=slow))
    finally:
        done.set()
        killer.join()


def test_a_table_that_is_not_there_is_refused_in_words(comparison):
    other = specs.load_set({"people": PEOPLE.replace("clean.person", "clean.nobody"), "zones": ZONES})
    with pytest.raises(Rejected, match=r"The new platform has no table clean\.nobody"):
        differing(comparison, dataclasses.replace(plan(), spec=other["people"]))


def test_a_mapped_column_that_is_not_there_is_refused_in_words(comparison):
    other = specs.load_set({"people": PEOPLE.replace("  active: {", "  actif: {"), "zones": ZONES})
    with pytest.raises(Rejected, match="no column actif"):
        differing(comparison, dataclasses.replace(plan(), spec=other["people"]))


def test_a_column_of_a_type_that_cannot_be_compared_is_refused_not_guessed(comparison):
    text = PEOPLE.replace("active: {is: yes_no(flag), type: boolean", "active: {is: flag, type: text")
    other = specs.load_set({"p": text, "zones": ZONES})
    with pytest.raises(Rejected, match=r"active.*cannot be compared exactly"):
        differing(comparison, dataclasses.replace(plan(), spec=other["people"]))


def test_a_tenants_name_cannot_break_out_of_the_question(comparison):
    hostile = dataclasses.replace(plan(), legacy_tenant="B6' OR '1'='1", new_tenant="t1'); DROP TABLE clean.person; --")
    assert differing(comparison, hostile) == []
    assert differing(comparison, dataclasses.replace(plan(), new_tenant="nobody")) == [
        ("1", "missing"),
        ("2", "missing"),
    ]


def test_it_refuses_to_work_inside_a_transaction(comparison, committed_db):
    with transaction.atomic(), pytest.raises(TransactionOpenError):
        differing(comparison)


def test_the_platforms_are_only_read(comparison, pair):
    """Not even the owner's session could write through it."""
    deletion = "WITH gone AS (DELETE FROM clean.person RETURNING 1) SELECT count(*) AS n FROM gone"
    with (
        pytest.raises((Unavailable, Rejected)),
        duck.session({"new": pair.new_owner}, memory_limit="200MB", threads=1) as session,
    ):
        session.ask("new", deletion)
    assert differing(comparison) == []


def test_its_representation_hides_the_platforms_credentials(comparison):
    assert urlsplit(comparison.new).password not in repr(comparison)


def test_a_backslash_in_a_key_means_itself_however_the_platform_is_set(pair):
    """An old server may still read `\\'` as a quote inside a literal: a key could then end it and add a condition."""
    with psycopg.connect(pair.legacy_owner, autocommit=True) as connection:
        here = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET standard_conforming_strings = off").format(here))
        try:
            with duck.session({"legacy": pair.legacy_reader}, memory_limit="300MB", threads=1) as session:
                key = "\\' OR true --"
                assert session.ask("legacy", f"SELECT {duck.text(key)} AS k") == [(key,)]
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} RESET standard_conforming_strings").format(here))
