"""Two promises, kept by the fakes in memory and by the adapters on real databases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from core.moving import LoadOrder, SourceKeys, SourceRows
from core.ports import Rejected, Unavailable
from core.tenancy import TransactionOpenError
from portal.adapters.comparison.platforms import files
from portal.adapters.legacy import PostgresLegacy
from portal.adapters.newplatform import PostgresMover
from tests import airline
from tests.airline import flight, plane, station
from tests.databases import Platforms
from tests.fakes.platforms import FakeLegacy, FakeMover
from tests.fakes.rows import decode
from tests.mariadb import MariaDb
from tests.moving import ACCOUNT, KEY, SPECS, World, refusing
from tests.sources import ENGINES, InFiles, InMariaDb, InMemory, InPostgres

KINDS = ["fake", "postgres", *(pytest.param(engine, marks=pytest.mark.slow) for engine in ENGINES)]
"""Of the legacy platform; the new one is PostgreSQL beside every real one."""


@pytest.fixture(params=KINDS)
def world(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mariadb_server: Callable[[], MariaDb],
) -> Iterator[World]:
    """Return empty platforms of each kind."""
    FakeLegacy.reset()
    FakeMover.reset()
    if request.param == "fake":
        yield World(InMemory())
        return
    platforms: Platforms = request.getfixturevalue("airline_platforms")
    airline.refill(platforms)
    mover = PostgresMover(url=platforms.new_loader, keys=[KEY])
    if request.param == "postgres":
        made = World(InPostgres(platforms), mover, platforms)
        for table in ("stn_mast", "eqp_mast"):
            made.empty(table)
        yield made
    elif request.param == "mariadb":
        yield World(InMariaDb(mariadb_server()), mover, platforms)
    else:
        monkeypatch.setattr(files, "_SETTLED", 0)
        yield World(InFiles(request.param, tmp_path / "legacy"), mover, platforms)


def keys(world: World, entity: str, **asked: Any) -> list[str]:
    rows = world.legacy.read(spec=SPECS[entity], tenant_ref=airline.CODE, **{"after": None, "limit": 100, **asked})
    column = list(SPECS[entity].source_columns).index(SPECS[entity].key_column)
    return [line.split(b"\t")[column].decode() for line in rows.data.split(b"\n")[:-1]]


def test_numbers_are_read_in_their_own_order_page_by_page(world: World) -> None:
    world.fill("flt_hist", *(flight(number) for number in (10, 9, 100, 1)))
    assert keys(world, "flights", limit=3) == ["1", "9", "10"]
    assert keys(world, "flights", after="10") == ["100"]
    assert keys(world, "flights", after="100") == []


def test_texts_are_read_bytewise(world: World) -> None:
    world.fill("stn_mast", *(station(code) for code in ("b", "B", "a1", "é", "Z")))
    assert keys(world, "airports") == ["B", "Z", "a1", "b", "é"]
    assert keys(world, "airports", after="Z") == ["a1", "b", "é"]


def test_only_the_tenants_own_rows_are_read_and_counted(world: World) -> None:
    world.fill("stn_mast", station("JFK"), station("LAX", carr_cd="YY"))
    assert keys(world, "airports") == ["JFK"]
    assert world.legacy.count(spec=SPECS["airports"], tenant_ref=airline.CODE) == 1
    assert world.legacy.read_keys(spec=SPECS["airports"], tenant_ref=airline.CODE, keys=["LAX"]).count == 0


def test_rows_are_found_by_key_as_far_as_they_exist(world: World) -> None:
    world.fill("flt_hist", *(flight(number) for number in (1, 2, 30)))
    rows = world.legacy.read_keys(spec=SPECS["flights"], tenant_ref=airline.CODE, keys=["30", "4", "2"])
    assert (rows.count, rows.first_key, rows.last_key) == (2, "2", "30")
    assert world.legacy.read_keys(spec=SPECS["flights"], tenant_ref=airline.CODE, keys=[]).count == 0


def test_whatever_a_value_holds_arrives_as_it_was(world: World) -> None:
    odd = "tab\there, line\nbreak, back\\slash, \\N, it's, ünïcode"
    world.fill("stn_mast", station("JFK", stn_nm=odd, tz_nm=None), station("a\tb\\", tz_nm=None))
    rows = world.legacy.read(spec=SPECS["airports"], tenant_ref=airline.CODE, after=None, limit=9)
    assert [(row["stn_cd"], row["stn_nm"], row["tz_nm"]) for row in decode(SPECS["airports"], rows)] == [
        ("JFK", odd, None),
        ("a\tb\\", "a\tb\\", None),
    ]
    assert rows.last_key == "a\tb\\"


def test_batches_follow_each_other_and_add_up(world: World) -> None:
    world.fill("stn_mast", *(station(code) for code in ("AAA", "BBB", "CCC", "NYC", "ZWI")))
    position = world.run(world.order("airports"))
    assert [
        (batch.number, batch.first_key, batch.last_key, batch.rows, batch.changed) for batch in position.batches
    ] == [
        (1, "AAA", "BBB", 2, 2),
        (2, "CCC", "NYC", 2, 1),
        (3, "ZWI", "ZWI", 1, 0),
    ]
    assert position.totals == {
        ("migrated", ""): 3,
        ("dropped", "city_not_airport"): 1,
        ("dropped", "railway_station"): 1,
    }
    assert (position.read, position.supplemented, position.loaded, position.closed) == (5, 4, True, False)


def test_what_was_staged_for_an_account_is_forgotten_and_its_data_stay(world: World) -> None:
    world.fill("stn_mast", *(station(code) for code in ("AAA", "BBB", "CCC", "NYC", "ZWI")))
    order = world.order("airports")
    world.run(order)
    staged = world.mover.staged(account_id=ACCOUNT)
    assert (staged["run"], staged["outcome"]) == (1, 2)  # provenance tells of those that moved
    airports = world.airports()
    assert {"AAA", "BBB", "CCC"} <= airports
    left = world.mover.forget(account_id=ACCOUNT)
    assert set(left) == set(staged)
    assert set(left.values()) == {0}
    assert world.airports() == airports
    assert set(world.mover.forget(account_id=ACCOUNT).values()) == {0}
    with pytest.raises(Rejected):
        world.mover.position(order=order)


def test_what_is_not_to_be_committed_is_taken_back(world: World) -> None:
    world.fill("stn_mast", station("AAA", lat_txt="north"), station("NYC"))
    order = world.order("airports")
    before = world.run(order)
    assert "quarantined" in {fate for fate, _ in before.totals}
    staged = world.mover.staged(account_id=ACCOUNT)
    world.empty("stn_mast")
    world.fill("stn_mast", station("AAA"))
    rows = world.legacy.read_keys(spec=order.spec, tenant_ref=airline.CODE, keys=["AAA"])
    with pytest.raises(Unavailable):
        world.mover.retry(order=order, keys=["AAA"], rows=rows, committing=refusing)
    with pytest.raises(Unavailable):
        world.mover.forget(account_id=ACCOUNT, committing=refusing)
    assert "AAA" not in world.airports()
    assert world.mover.position(order=order, after_batch=10**9) == replace(before, batches=())
    assert world.mover.staged(account_id=ACCOUNT) == staged


def test_what_was_staged_for_others_is_left_alone(world: World) -> None:
    world.fill("stn_mast", station("NYC"))
    world.run(world.order("airports"))
    assert set(world.mover.forget(account_id=uuid4()).values()) == {0}
    assert world.mover.staged(account_id=ACCOUNT)["outcome"] == 1


def test_rows_divide_into_ranges_of_about_one_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fill("flt_hist", *(flight(number) for number in (1, 2, 3, 9, 10, 100)))
    divide = partial(world.legacy.divide, spec=SPECS["flights"], tenant_ref=airline.CODE)
    assert divide(parts=3) == ("2", "9")
    assert divide(parts=1) == divide(parts=0) == ()
    rows = world.legacy.read(spec=SPECS["flights"], tenant_ref=airline.CODE, after="2", until="9", limit=9)
    assert (rows.count, rows.first_key, rows.last_key) == (2, "3", "9")
    # Of many keys, some tell where to divide, the same ones each time.
    monkeypatch.setattr("portal.adapters.legacy.postgres._TELLING", 30)
    world.fill("flt_hist", *map(flight, range(101, 161)))
    assert 1 < int(*divide(parts=2)) < 160
    assert divide(parts=2) == divide(parts=2)


def test_two_workers_are_never_at_one_range_and_the_run_is_loaded_when_all_are(world: World) -> None:
    codes = ("AAA", "BBB", "CCC", "DDD", "NYC", "ZWI")
    world.fill("stn_mast", *(station(code) for code in codes))
    order = world.order("airports")
    assert world.open(order, borders=("CCC",)).ranges == 2
    asked: list[tuple[str | None, str | None]] = []

    def read(after: str | None, until: str | None) -> SourceRows:
        """Let a second worker move a batch while the first one reads."""
        asked.append((after, until))
        if len(asked) == 1:
            world.mover.load(order=order, read=read)
        return world.reader(order)(after, until)

    position = world.mover.load(order=order, read=read)
    assert asked == [(None, "CCC"), ("CCC", None)]
    assert [(batch.number, batch.first_key) for batch in position.batches] == [(1, "DDD"), (2, "AAA")]
    assert not position.loaded
    while not position.loaded:
        position = world.mover.load(order=order, read=read)
    assert asked[2:] == [("BBB", "CCC"), ("NYC", None)]
    assert (position.read, sum(position.totals.values())) == (6, 6)
    assert world.finish(order).closed


def test_of_two_rows_with_one_key_in_two_ranges_one_moves(world: World) -> None:
    world.fill("stn_mast", station(" jfk"), station("AAA"), station("BBB"), station("JFK"))
    position = world.run(world.order("airports"), borders=("AAA",))
    assert position.totals == {("migrated", ""): 3, ("quarantined", "duplicate_key"): 1}


def test_where_rows_are_there_already_or_merge_there_is_one_range(world: World) -> None:
    world.fill("stn_mast", *(station(code) for code in ("AAA", "BBB")))
    world.fill("eqp_mast", plane("N1"), plane("N2"))
    world.run(world.order("airports"))
    assert world.open(world.order("airports"), borders=("AAA",)).ranges == 1
    assert world.open(world.order("aircraft_types"), borders=("N1",)).ranges == 1


def test_opening_twice_keeps_the_place(world: World) -> None:
    world.fill("stn_mast", station("AAA"))
    order = world.order("airports")
    world.run(order)
    assert world.mover.open_run(order=order, source_total=77).read == 1
    assert world.mover.open_run(order=order, source_total=77).source_total == 1


def test_rows_of_one_kind_merge_into_the_first(world: World) -> None:
    world.fill("eqp_mast", plane("N3"), plane("N1"), plane("N2", mfr_nm="BOEING"), plane("N4"))
    position = world.run(world.order("aircraft_types"))
    assert position.totals == {
        ("transformed", "manufacturer_renamed"): 1,
        ("migrated", ""): 1,
        ("merged", "same_type"): 2,
    }
    again = world.run(world.order("aircraft_types"))
    assert again.totals == position.totals
    assert sum(batch.changed for batch in again.batches) == 0


def test_two_rows_that_would_be_one_object_are_not_merged_unless_the_mapping_says_so(world: World) -> None:
    world.fill("stn_mast", station("JFK"), station(" jfk"))
    position = world.run(world.order("airports"))
    assert position.totals == {("migrated", ""): 1, ("quarantined", "duplicate_key"): 1}
    letter = next(letter for batch in position.batches for letter in batch.letters)
    assert (letter.sqlstate, letter.column) == ("23505", "stn_cd")


def test_rejected_rows_are_told_with_their_reason_and_without_their_values(world: World) -> None:
    world.fill("stn_mast", station("AAA", lat_txt="north"))
    position = world.run(world.order("airports"))
    first = next(letter for batch in position.batches for letter in batch.letters)
    assert (first.source_key, first.rule, first.sqlstate, first.column, first.attempts) == (
        "AAA", "unreadable_value", "22P02", "lat_txt", 1,
    )  # fmt: skip
    assert first.payload
    assert b"north" not in first.payload


def test_a_row_that_is_rejected_anew_or_for_another_reason_begins_anew(world: World) -> None:
    def moved(**values: str) -> tuple[datetime, list[datetime]]:
        """Move the row as it is now; return when, and since when it is rejected."""
        world.empty("stn_mast")
        world.fill("stn_mast", station("AAA", **values))
        order = world.order("airports")
        batches = world.run(order).batches
        return order.at, [letter.first_at for batch in batches for letter in batch.letters]

    first, since = moved(lat_txt="north")
    assert since == [first]
    assert moved(lat_txt="south")[1] == [first]
    other, since = moved(lon_txt="west")
    assert since == [other]
    assert moved()[1] == []
    anew, since = moved(lon_txt="west")
    assert since == [anew]


def test_rejected_rows_are_tried_again_and_those_that_are_gone_are_accounted_for(world: World) -> None:
    world.fill("stn_mast", *(station(code, lat_txt="north") for code in ("AAA", "BBB", "CCC")))
    order = world.order("airports")
    world.run(order)
    world.empty("stn_mast")
    world.fill("stn_mast", station("AAA"), station("BBB", lat_txt="south"))
    rows = world.legacy.read_keys(spec=order.spec, tenant_ref=airline.CODE, keys=["AAA", "BBB", "CCC"])
    position = world.mover.retry(order=order, keys=["AAA", "BBB", "CCC"], rows=rows)
    assert position.totals == {
        ("migrated", ""): 1,
        ("quarantined", "unreadable_value"): 1,
        ("dropped", "gone_from_legacy"): 1,
    }
    assert [(letter.source_key, letter.attempts) for letter in position.batches[0].letters] == [("BBB", 2)]
    assert position.batches[0].settled == ("AAA", "CCC")


def test_a_run_closes_only_when_every_source_row_is_accounted_for(world: World) -> None:
    world.fill("stn_mast", station("AAA"))
    order = world.order("airports")
    world.run(order)
    with pytest.raises(Rejected, match="Legacy holds 2 rows, of which 1 are accounted for"):
        world.mover.finish(order=order, source=SourceKeys.of(["AAA", "BBB"]))
    assert not world.mover.position(order=order).closed
    assert world.finish(order).closed
    assert world.finish(order).closed


def test_a_run_closes_only_over_the_very_rows_that_the_source_holds(world: World) -> None:
    rows = [station("AAA"), station("NYC"), station("BBB", lat_txt="north"), station("ccc")]
    world.fill("stn_mast", *rows)
    order = world.order("airports")
    world.run(order)
    world.empty("stn_mast")
    world.fill("stn_mast", *rows[1:], station("AAB"))
    with pytest.raises(Rejected, match="4 rows, as many as are accounted for, but not the same ones"):
        world.finish(order)
    world.empty("stn_mast")
    world.fill("stn_mast", *reversed(rows))
    assert world.finish(order).closed


def test_what_legacy_no_longer_has_is_gone_after_the_next_run(world: World) -> None:
    world.fill("eqp_mast", plane("N1"), plane("N2"))
    first = world.order("aircraft_types")
    world.run(first)
    world.finish(first)
    world.empty("eqp_mast")
    world.fill("eqp_mast", plane("N2"))
    second = world.order("aircraft_types")
    assert world.run(second).totals == {("merged", "same_type"): 1}
    assert world.finish(second).totals == {("migrated", ""): 1}


def test_any_row_is_traced_by_the_key_it_had_or_has(world: World) -> None:
    rows = [station("AAA"), station("NYC"), station("BBB", lat_txt="north"), station("ccc")]
    world.fill("stn_mast", *rows)
    world.fill("eqp_mast", plane("N1"), plane("N2", mfr_nm="AIRBUS"))
    order = world.order("airports")
    assert world.mover.trace(account_id=ACCOUNT, entity="airports", system="legacy", key="AAA") is None
    world.run(order)
    world.run(world.order("aircraft_types"))

    def told(key: str, entity: str = "airports") -> tuple[Any, ...] | None:
        one = world.mover.trace(account_id=ACCOUNT, entity=entity, system="legacy", key=key)
        return (one.source_key, one.fate, one.rule, one.target_key, one.holder, bool(one.spec)) if one else None

    assert told("AAA") == ("AAA", "migrated", "", "AAA", "AAA", True)
    assert told("ccc") == told("CCC") == ("ccc", "migrated", "", "CCC", "ccc", True)
    assert told("NYC") == ("NYC", "dropped", "city_not_airport", None, "", False)
    assert told("BBB") == ("BBB", "quarantined", "unreadable_value", None, "", False)
    assert told("N2", "aircraft_types") == ("N2", "merged", "same_type", "AIRBUS A320-232", "N1", True)
    assert told("ZZZ") is None
    assert told("AAA", "flights") is None
    assert world.mover.trace(account_id=uuid4(), entity="airports", system="legacy", key="AAA") is None


def test_an_unknown_run_is_refused(world: World) -> None:
    if world.platforms:
        world.mover.open_run(order=world.order("airports"), source_total=0)
    with pytest.raises(Rejected, match="does not know this run"):
        world.mover.position(order=world.order("airports"))


@pytest.mark.django_db
def test_neither_is_spoken_to_inside_a_transaction(world: World) -> None:
    with transaction.atomic():
        with pytest.raises(TransactionOpenError):
            world.legacy.count(spec=SPECS["airports"], tenant_ref=airline.CODE)
        with pytest.raises(TransactionOpenError):
            world.mover.position(order=world.order("airports"))


def test_a_platform_that_does_not_answer_is_unavailable_without_telling_its_address() -> None:
    nowhere = "postgres://someone:secret@127.0.0.1:1/nothing"
    for ask in (
        lambda: PostgresLegacy(url=nowhere).count(spec=SPECS["airports"], tenant_ref="ZZ"),
        lambda: PostgresMover(url=nowhere, keys=[KEY]).position(
            order=LoadOrder(uuid4(), uuid4(), "", "ZZ", "airports", SPECS, timezone.now())
        ),
    ):
        with pytest.raises(Unavailable) as raised:
            ask()
        assert "does not answer" in str(raised.value)
        assert "secret" not in str(raised.value)
        assert "127.0.0.1" not in str(raised.value)


def test_a_platform_that_was_not_configured_says_so() -> None:
    with pytest.raises(Rejected, match="No legacy platform is configured"):
        PostgresLegacy(url="").count(spec=SPECS["airports"], tenant_ref="ZZ")
