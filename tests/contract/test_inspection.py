"""Judging every row without moving one: kept by the fake in memory and by PostgreSQL on real databases."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import transaction

from backfills.domain.spec import Spec, load_set
from core.inspecting import Example, Found, Inspected
from core.ports import Inspector, Rejected, Unavailable
from core.tenancy import TransactionOpenError
from portal.adapters.inspection import PostgresInspector
from tests.databases import Platforms
from tests.fakes.inspection import FakeInspector
from tests.fakes.rows import encode

STOPS = """\
format: crossing-mapping/1
entity: stops
version: 1
title: Stops
source:
  system: legacy
  table: stop
  tenant: owner
  key: {column: code, type: text}
  columns:
    code: {class: public}
    zone: {class: public}
target: {table: new.stop, tenant: account, key: code}
columns:
  code: {is: upper(trim(code)), type: text, max: 8, required: true, class: public}
  zone: {is: zone, type: text, required: true, class: public}
supplements:
  name: missing_stop
  because: It is known elsewhere.
  rows: [{code: EXTRA, zone: west}]
"""
RIDES = """\
format: crossing-mapping/1
entity: rides
version: 1
title: Rides
after: [stops]
source:
  system: legacy
  table: ride
  tenant: owner
  key: {column: nr, type: bigint}
  columns:
    nr: {class: KEY}
    day: {class: public}
    stop: {class: public}
    fare: {class: internal}
target: {table: new.ride, tenant: account, key: code}
lookups:
  at: {entity: stops, fields: [zone]}
columns:
  code: {is: "concat(nr, '-', day)", type: text, required: true, class: public}
  day: {is: date(day), type: date, required: true, class: public}
  stop: {is: stop, type: text, required: true, references: at, class: public}
  zone: {is: "lookup(stop, 'at', 'zone')", type: text, required: true, class: public}
  fare: {is: decimal(fare), type: "numeric(5,2)", class: internal}
rules:
  - name: test_ride
    when: stop == 'TEST'
    then: drop
    because: A test.
  - name: free_ride
    when: fare == '0'
    then: quarantine
    column: fare
    because: A ride costs something.
    fix: Enter the fare.
  - name: night
    when: stop == 'EXTRA'
    then: keep
    because: Known elsewhere.
"""


ACCOUNT = uuid4()


def mapping(*, key: str = "public") -> dict[str, Spec]:
    return dict(load_set({"stops.yaml": STOPS, "rides.yaml": RIDES.replace("KEY", key)}))


@pytest.fixture(params=["fake", "postgres"])
def inspector(request: pytest.FixtureRequest) -> Iterator[Inspector]:
    if request.param == "fake":
        yield FakeInspector()
    else:
        platforms: Platforms = request.getfixturevalue("airline_platforms")
        yield PostgresInspector(url=platforms.new_loader)


def stop(code: str, zone: str | None = "east") -> dict[str, str | None]:
    return {"code": code, "zone": zone}


def ride(nr: int, **different: Any) -> dict[str, str | None]:
    return {"nr": str(nr), "day": "20130115", "stop": "A", "fare": "2.50", **different}


def inspect(inspector: Inspector, specs: dict[str, Spec], *, stops: Any = (), rides: Any = (), batch: int = 2) -> Any:
    told = {}
    with inspector.session(specs=specs, account_id=ACCOUNT) as session:
        for name, rows in (("stops", list(stops)), ("rides", list(rides))):
            for first in range(0, len(rows), batch):
                session.judge(spec=specs[name], rows=encode(specs[name], rows[first : first + batch]))
            told[name] = session.finish(spec=specs[name])
    return told


def faults(one: Inspected) -> dict[tuple[str, str], int]:
    return {(found.rule, found.column): found.count for found in one.faults}


def test_what_a_run_would_do_is_foretold_row_by_row(inspector: Inspector) -> None:
    rides = [ride(1), ride(2, stop="TEST"), ride(3, stop="EXTRA"), ride(4, fare="0"), ride(5, day="never")]
    told = inspect(inspector, mapping(), stops=[stop("a"), stop("B")], rides=rides)
    assert told["stops"] == Inspected({("migrated", ""): 2})
    assert told["rides"].totals == {
        ("migrated", ""): 1,
        ("dropped", "test_ride"): 1,
        ("transformed", "night"): 1,
        ("quarantined", "free_ride"): 1,
        ("quarantined", "unreadable_value"): 1,
    }


def test_every_fault_of_a_row_is_told_and_each_cause_once(inspector: Inspector) -> None:
    rides = [ride(1, day="never", stop="NOWHERE", fare="0"), ride(2, stop="NOWHERE"), ride(3, day=None), ride(4)]
    told = inspect(inspector, mapping(), stops=[stop("A")], rides=rides)["rides"]
    assert told.totals == {
        ("quarantined", "free_ride"): 1,
        ("quarantined", "missing_reference"): 1,
        ("quarantined", "missing_value"): 1,
        ("migrated", ""): 1,
    }
    # The zone of an unknown stop is missing too, and the code of a ride without a day: neither is told again.
    assert faults(told) == {
        ("free_ride", "fare"): 1,
        ("unreadable_value", "day"): 1,
        ("missing_reference", "stop"): 2,
        ("missing_value", "day"): 1,
    }


def test_rows_are_named_and_values_shown_as_far_as_they_are_public(inspector: Inspector) -> None:
    rides = [ride(number, day="x" * 90, fare="0") for number in range(1, 8)]
    told = {one.rule: one for one in inspect(inspector, mapping(), stops=[stop("A")], rides=rides)["rides"].faults}
    assert told["unreadable_value"] == Found(
        "unreadable_value", "day", 7, tuple(Example(str(number), "x" * 60) for number in range(1, 6))
    )
    assert told["free_ride"].examples == tuple(Example(str(number), None) for number in range(1, 6))
    hidden = inspect(inspector, mapping(key="internal"), stops=[stop("A")], rides=rides)["rides"]
    assert {example.key for one in hidden.faults for example in one.examples} == {""}


def test_rows_that_would_be_one_object_follow_the_mappings_rule(inspector: Inspector) -> None:
    told = inspect(inspector, mapping(), stops=[stop(" a"), stop("A"), stop("B"), stop("a")])["stops"]
    assert told.totals == {("migrated", ""): 2, ("quarantined", "duplicate_key"): 2}
    assert told.faults == (Found("duplicate_key", "code", 2, (Example("A", None), Example("a", None))),)
    merging = STOPS + "duplicates: {name: same_stop, then: merge, because: They are one.}\n"
    specs = dict(load_set({"stops.yaml": merging, "rides.yaml": RIDES.replace("KEY", "public")}))
    told = inspect(inspector, specs, stops=[stop(" a"), stop("A"), stop("B")], rides=[ride(1)])
    assert told["stops"] == Inspected({("migrated", ""): 2, ("merged", "same_stop"): 1})
    assert told["rides"].totals == {("migrated", ""): 1}


def test_rows_that_have_one_key_are_refused_with_what_to_do(inspector: Inspector) -> None:
    with pytest.raises(Rejected, match=r"have one nr: .* must name a key that stands once"):
        inspect(inspector, mapping(), stops=[stop("A")], rides=[ride(1), ride(1, day="20130116")])


def test_a_row_of_legacy_stands_before_one_of_the_mapping(inspector: Inspector) -> None:
    told = inspect(inspector, mapping(), stops=[stop("extra", "north")], rides=[ride(1, stop="EXTRA")])
    assert told["stops"].totals == {("migrated", ""): 1}
    assert told["rides"].totals == {("transformed", "night"): 1}


HOSTILE = ["", " ", "'; DROP TABLE x; --", "\\N", "a\tb\nc\\", "%s %(x)s", "é" * 9000, "9" * 400, "١٢", "\u202e", "{}"]


def test_no_row_makes_it_fail(inspector: Inspector) -> None:
    stops = [stop(f"{value}{number}", value) for number, value in enumerate(HOSTILE)]
    rides = [
        ride(number, **{column: value})
        for number, (column, value) in enumerate((c, v) for c in ("day", "stop", "fare") for v in HOSTILE)
    ]
    told = inspect(inspector, mapping(), stops=[*stops, stop("A")], rides=rides, batch=7)
    assert sum(told["rides"].totals.values()) == len(rides)
    assert sum(told["stops"].totals.values()) == len(stops) + 1


def test_nothing_is_nothing(inspector: Inspector) -> None:
    assert inspect(inspector, mapping())["rides"] == Inspected()


def test_nothing_stays_and_the_server_refuses_what_would(airline_platforms: Platforms) -> None:
    """The session is read-only but for its own temporary tables."""

    def tables() -> list[tuple[str, ...]]:
        with psycopg.connect(airline_platforms.new_owner) as connection:
            return connection.execute("SELECT oid::regclass::text, reltuples FROM pg_class ORDER BY 1").fetchall()

    before = tables()
    with PostgresInspector(url=airline_platforms.new_loader).session(specs=mapping(), account_id=ACCOUNT) as session:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.connection.execute("DELETE FROM platform.airport")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.connection.execute("CREATE TABLE crossing_stage.mine (a int)")
    assert [name for name, _ in tables()] == [name for name, _ in before]


@pytest.mark.django_db
def test_it_is_not_spoken_to_inside_a_transaction(inspector: Inspector) -> None:
    with (
        transaction.atomic(),
        pytest.raises(TransactionOpenError),
        inspector.session(specs=mapping(), account_id=ACCOUNT),
    ):
        pass


def test_a_platform_that_does_not_answer_is_unavailable() -> None:
    elsewhere = PostgresInspector(url="postgres://someone:secret@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable, match="does not answer"), elsewhere.session(specs=mapping(), account_id=ACCOUNT):
        pass
