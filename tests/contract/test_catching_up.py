"""A catch-up reads only what changed, and ends with what a full run would have left; or it is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import psycopg
import pytest

from backfills.domain.spec import Changed
from core.moving import LoadOrder, RunPosition, SourceRows
from core.ports import Rejected
from tests import airline
from tests.airline import plane, station
from tests.contract import test_platforms
from tests.databases import Platforms
from tests.fakes.platforms import FakeMover
from tests.fakes.rows import decode
from tests.moving import ACCOUNT, World
from tests.sources import CHANGED as COLUMN
from tests.sources import InFiles, InMariaDb, InPostgres

LONG_AGO, SINCE, LATE = (datetime(2026, 11, 26, hour, tzinfo=UTC) for hour in (8, 10, 12))


class Moving(World):
    """Both platforms, with a column that tells when a row changed, and a reader that asks it."""

    last: LoadOrder | None = None
    """The catch-up that ran last."""

    def change(self, table: str, key: str, at: datetime | None = LATE, **values: Any) -> None:
        """Change a row in legacy; its column then says `at`."""
        self.source.change(table, key, {COLUMN: at, **values})

    def drop(self, table: str, key: str) -> None:
        self.source.drop(table, key)

    def add(self, table: str, *rows: dict[str, Any], at: datetime | None = LATE) -> None:
        self.fill(table, *({**row, COLUMN: at} for row in rows))

    def name_of(self, code: str) -> str:
        if self.platforms:
            ((name,),) = airline.new_rows(self.platforms, "SELECT name FROM platform.airport WHERE code = %s", code)
            return str(name)
        return str(FakeMover.entities[ACCOUNT, "airports"].objects[code]["name"])

    def order(self, entity: str, **different: Any) -> LoadOrder:
        order = super().order(entity, **different)
        specs = {name: replace(spec, changed=Changed(COLUMN, "timestamptz")) for name, spec in order.specs.items()}
        return replace(order, specs=specs)

    def moved(self, entity: str, **different: Any) -> RunPosition:
        """Move an entity in full."""
        order = self.order(entity, **different)
        self.run(order)
        return self.finish(order)

    def caught(self, entity: str, *, also: tuple[str, ...] = ()) -> RunPosition:
        """Catch up an entity."""
        order = self.last = self.order(entity, since=SINCE)
        self.open(order)
        while not self.mover.load(order=order, read=self.late_reader(order, also)).loaded:
            pass
        return self.end(order)

    def unread(self, entity: str) -> list[str]:
        """The rows that took over an object, and whose values are still to be brought."""
        return list(self.mover.unread(order=self.order(entity)))

    def taken_over(self) -> RunPosition:
        """Bring the values of rows that took over an object, at the end of the last run."""
        assert self.last
        keys, spec = self.mover.unread(order=self.last), self.last.spec
        rows = self.legacy.read_keys(spec=spec, tenant_ref=self.last.tenant_ref, keys=keys)
        return self.mover.retry(order=self.last, keys=keys, rows=rows)

    def late_reader(self, order: LoadOrder, also: tuple[str, ...] = ()) -> Any:
        def read(after: str | None, until: str | None) -> SourceRows:
            spec, ref = order.spec, order.tenant_ref
            return self.legacy.read(
                spec=spec, tenant_ref=ref, after=after, until=until, limit=spec.batch, since=order.since, also=also
            )

        return read

    def end(self, order: LoadOrder) -> RunPosition:
        held = partial(self.legacy.held, spec=order.spec, tenant_ref=order.tenant_ref, since=SINCE)
        source = self.legacy.keys(spec=order.spec, tenant_ref=order.tenant_ref)
        done = self.mover.finish(order=order, source=source, held=held)
        return replace(done, batches=self.mover.position(order=order).batches)


world = test_platforms.world


@pytest.fixture
def moving(world: World) -> Iterator[Moving]:
    if not (world.platforms and isinstance(world.source, InPostgres)):
        yield Moving(world.source, world.mover, world.platforms)
        return
    # A column that the tests alone set; the demo's own is kept up by triggers.
    before = ("DISABLE TRIGGER USER", f"RENAME {COLUMN} TO own_ts", f"ADD COLUMN {COLUMN} timestamptz")
    after = (f"DROP COLUMN {COLUMN}", f"RENAME own_ts TO {COLUMN}", "ENABLE TRIGGER USER")
    for table, change in product(("stn_mast", "eqp_mast"), before):
        airline.legacy_do(world.platforms, f"ALTER TABLE {table} {change}")
    yield Moving(world.source, world.mover, world.platforms)
    for table, change in product(("stn_mast", "eqp_mast"), after):
        airline.legacy_do(world.platforms, f"ALTER TABLE {table} {change}")


def read(moving: Moving, **asked: Any) -> list[str]:
    order = moving.order("airports")
    rows = moving.legacy.read(spec=order.spec, tenant_ref=airline.CODE, **{"after": None, "limit": 9, **asked})
    return [str(row["stn_cd"]) for row in decode(order.spec, rows)]


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [("AAA", "aaa"), ("aaa", "AAA")])
def test_an_object_that_another_row_has_become_is_known_whatever_key_that_row_has(
    moving: Moving, first: str, second: str
) -> None:
    moving.add("stn_mast", station(first), at=LONG_AGO)
    moving.moved("airports")
    moving.add("stn_mast", station(second))
    assert moving.caught("airports").totals == {("migrated", ""): 1, ("quarantined", "duplicate_key"): 1}
    spec = moving.order("airports").spec
    read_keys = partial(moving.legacy.read_keys, spec=spec, tenant_ref=airline.CODE)
    found = moving.mover.origins(account_id=ACCOUNT, spec=spec, keys=["AAA"], read=lambda keys: read_keys(keys=keys))
    (origin,) = found.values()
    assert (origin.source_key, origin.source) == (first, "same")


def test_only_what_changed_since_is_read_and_what_is_asked_for_besides(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), station("BBB"), station("LAX", carr_cd="YY"))
    moving.add("stn_mast", station("CCC"), station("DDD"), at=LONG_AGO)
    moving.add("stn_mast", station("EEE"), at=None)  # it does not tell
    assert read(moving, since=SINCE) == ["AAA", "BBB", "EEE"]
    assert read(moving, since=LATE) == ["AAA", "BBB", "EEE"]
    assert read(moving, since=LATE + timedelta(microseconds=1)) == ["EEE"]
    assert read(moving, since=SINCE, also=["DDD", "gone"]) == ["AAA", "BBB", "DDD", "EEE"]
    assert read(moving, since=SINCE, also=["DDD"], after="AAA", limit=2) == ["BBB", "DDD"]
    assert read(moving, since=SINCE, until="BBB") == ["AAA", "BBB"]


def test_every_key_is_told_with_whether_its_row_changed(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), station("a\tb\\"), station("LAX", carr_cd="YY"))
    moving.add("stn_mast", station("CCC"), at=LONG_AGO)
    held = moving.legacy.held(spec=moving.order("airports").spec, tenant_ref=airline.CODE, since=SINCE)
    lines = b"".join(held).decode().splitlines()
    assert sorted(lines) == ["AAA\tt", "CCC\tf", "a\\tb\\\\\tt"]


@pytest.mark.slow
def test_a_column_without_a_zone_is_taken_as_utc(moving: Moving) -> None:
    spec = replace(moving.order("airports").spec, changed=Changed(COLUMN, "timestamp"))
    if moving.platforms and isinstance(moving.source, InPostgres):
        airline.legacy_do(moving.platforms, f"ALTER TABLE stn_mast ALTER {COLUMN} TYPE timestamp")
    if isinstance(moving.source, InMariaDb):
        moving.source.server.run(f"ALTER TABLE stn_mast MODIFY {COLUMN} datetime;")
    moving.add("stn_mast", station("AAA"), at=LATE.replace(tzinfo=None))
    ask = partial(moving.legacy.read, spec=spec, tenant_ref=airline.CODE, after=None, limit=9)
    berlin = LATE.astimezone(datetime.strptime("+0100", "%z").tzinfo)
    assert (ask(since=berlin).count, ask(since=berlin + timedelta(seconds=1)).count) == (1, 0)


@pytest.mark.slow
def test_a_column_of_texts_is_read_and_not_compared_letter_by_letter(moving: Moving) -> None:
    if moving.platforms and isinstance(moving.source, InPostgres):
        pytest.skip("PostgreSQL converts what it can, and refuses the rest.")
    if isinstance(moving.source, InMariaDb):
        moving.source.server.run(f"ALTER TABLE stn_mast MODIFY {COLUMN} varchar(40);")
    told = {
        "AAA": "2026-11-26 06:00:00-05",  # at eleven
        "BBB": "2026-11-26 12:00:00+03",  # at nine
        "CCC": "2026-11-26T10:30:00Z",
        "DDD": "last Thursday",
        "EEE": "",
        "FFF": "2026-11-26 09:59:59",
    }
    moving.fill("stn_mast", *({**station(code), COLUMN: text} for code, text in told.items()))
    assert read(moving, since=SINCE) == ["AAA", "CCC", "DDD", "EEE"]
    assert read(moving, since=SINCE, also=["FFF"]) == ["AAA", "CCC", "DDD", "EEE", "FFF"]


def test_legacy_tells_the_time_and_a_file_its_last_change(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), at=LONG_AGO)
    moving.add("stn_mast", station("BBB"), at=datetime(2037, 1, 1, tzinfo=UTC))  # nobody believes that
    told = moving.legacy.watermark(spec=moving.order("airports").spec, tenant_ref=airline.CODE)
    if isinstance(moving.source, InFiles):
        assert told == LONG_AGO
    else:
        assert told
        assert abs(told - datetime.now(UTC)) < timedelta(hours=1)


def test_what_changed_what_is_new_and_what_is_gone_arrive_and_the_rest_stays(moving: Moving) -> None:
    moving.add("stn_mast", *(station(code) for code in ("AAA", "BBB", "CCC", "NYC")), at=LONG_AGO)
    moving.moved("airports")
    moving.change("stn_mast", "AAA", stn_nm="Anew")
    moving.change("stn_mast", "CCC", at=LONG_AGO, stn_nm="nobody reads this")
    moving.drop("stn_mast", "BBB")
    moving.add("stn_mast", station("DDD"), station("ZWI"))
    done = moving.caught("airports")
    assert (done.closed, done.source_total, done.read, done.removed) == (True, 5, 3, 1)
    assert done.totals == {
        ("migrated", ""): 3, ("dropped", "city_not_airport"): 1, ("dropped", "railway_station"): 1,
    }  # fmt: skip
    assert sum(batch.changed for batch in done.batches) == 2
    assert moving.airports() & {"AAA", "BBB", "CCC", "DDD"} == {"AAA", "CCC", "DDD"}
    assert (moving.name_of("AAA"), moving.name_of("CCC")) == ("Anew", "CCC")
    assert moving.mover.staged(account_id=ACCOUNT).get("seen", 0) == 0


@pytest.mark.slow
def test_where_nothing_happened_nothing_is_read(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), station("NYC"), at=LONG_AGO)
    before = moving.moved("airports").totals
    order = moving.order("airports", since=SINCE)
    moving.open(order)
    assert moving.mover.load(order=order, read=moving.late_reader(order)).loaded

    def never() -> Iterator[bytes]:
        raise AssertionError("the keys were read")

    source = moving.legacy.keys(spec=order.spec, tenant_ref=airline.CODE)
    done = moving.mover.finish(order=order, source=source, held=never)
    assert (done.totals, done.read, done.removed, done.batches) == (before, 0, 0, ())


@pytest.mark.slow
def test_a_row_that_does_not_move_any_more_leaves_the_new_platform(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), station("BBB"), at=LONG_AGO)
    moving.moved("airports")
    moving.change("stn_mast", "BBB", lat_txt="north")
    done = moving.caught("airports")
    assert done.totals == {("migrated", ""): 1, ("quarantined", "unreadable_value"): 1}
    assert "BBB" not in moving.airports()


def test_a_new_row_that_its_column_hides_makes_it_refuse(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), at=LONG_AGO)
    moving.moved("airports")
    moving.add("stn_mast", station("BBB"), at=LONG_AGO)
    moving.change("stn_mast", "AAA", stn_nm="Anew")
    with pytest.raises(Rejected, match=r"new rows \(1\) that.*in full"):
        moving.caught("airports")
    assert "BBB" not in moving.airports()
    assert moving.moved("airports").totals == {("migrated", ""): 2}


@pytest.mark.slow
def test_a_row_that_comes_while_it_reads_is_left_to_the_next(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), at=LONG_AGO)
    moving.moved("airports")
    order = moving.order("airports", since=SINCE)
    moving.open(order)
    moving.mover.load(order=order, read=moving.late_reader(order))
    moving.add("stn_mast", station("BBB"))
    done = moving.end(order)
    assert (done.closed, done.source_total, done.totals) == (True, 1, {("migrated", ""): 1})
    assert moving.caught("airports").totals == {("migrated", ""): 2}


@pytest.mark.slow
def test_rejected_rows_are_judged_again_whenever_they_changed(moving: Moving) -> None:
    moving.add("stn_mast", *(station(code, lat_txt="north") for code in ("AAA", "BBB", "CCC")), at=LONG_AGO)
    moving.moved("airports")
    moving.change("stn_mast", "AAA", at=LONG_AGO, lat_txt="40.1")
    moving.drop("stn_mast", "CCC")
    done = moving.caught("airports", also=("AAA", "BBB", "CCC"))
    assert done.totals == {("migrated", ""): 1, ("quarantined", "unreadable_value"): 1}
    (batch,) = done.batches
    assert (batch.settled, [(letter.source_key, letter.attempts) for letter in batch.letters]) == (
        ("AAA",), [("BBB", 2)],
    )  # fmt: skip


@pytest.mark.slow
def test_a_rejected_row_that_is_not_read_stays_rejected(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), station("BBB", lat_txt="north"), at=LONG_AGO)
    moving.moved("airports")
    moving.drop("stn_mast", "AAA")
    assert moving.caught("airports").totals == {("quarantined", "unreadable_value"): 1}


@pytest.mark.slow
def test_merged_rows_come_and_go_and_who_takes_over_their_object_brings_its_values(moving: Moving) -> None:
    moving.add("eqp_mast", plane("N1"), plane("N2"), at=LONG_AGO)
    moving.moved("aircraft_types")
    moving.add("eqp_mast", plane("N0"), plane("N3"))
    moving.drop("eqp_mast", "N2")
    done = moving.caught("aircraft_types")
    assert done.totals == {("transformed", "manufacturer_renamed"): 1, ("merged", "same_type"): 2}
    assert moving.unread("aircraft_types") == []
    moving.drop("eqp_mast", "N1")
    done = moving.caught("aircraft_types")
    assert (done.removed, sum(done.totals.values())) == (0, 2)
    assert moving.unread("aircraft_types") == ["N0"], "it comes first of those that are left"
    again = moving.taken_over()
    assert again.totals == {("transformed", "manufacturer_renamed"): 1, ("merged", "same_type"): 1}
    assert moving.unread("aircraft_types") == []
    assert moving.caught("aircraft_types").totals == again.totals


@pytest.mark.slow
def test_where_nobody_brought_the_values_of_a_row_that_took_over_an_object_only_a_full_run_does(moving: Moving) -> None:
    moving.add("eqp_mast", plane("N1"), plane("N2"), at=LONG_AGO)
    moving.moved("aircraft_types")
    moving.drop("eqp_mast", "N1")
    moving.moved("aircraft_types")
    with pytest.raises(Rejected, match="in full"):
        moving.caught("aircraft_types")
    moving.moved("aircraft_types")
    assert moving.caught("aircraft_types").totals == {("transformed", "manufacturer_renamed"): 1}


@pytest.mark.slow
def test_an_account_of_which_nothing_is_known_is_not_caught_up(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), at=LONG_AGO)
    with pytest.raises(Rejected, match="in full"):
        moving.caught("airports")


@pytest.mark.slow
def test_what_was_forgotten_is_not_taken_for_accounted(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), station("NYC"), at=LONG_AGO)
    moving.moved("airports")
    moving.mover.forget(account_id=ACCOUNT)
    with pytest.raises(Rejected, match="in full"):
        moving.caught("airports")


@pytest.mark.slow
@pytest.mark.parametrize("kill", ["between batches", "before the end", "in the end"])
def test_it_goes_on_where_it_was_killed(moving: Moving, kill: str) -> None:
    codes = ("AAA", "BBB", "CCC", "DDD", "EEE")
    moving.add("stn_mast", *(station(code) for code in codes), at=LONG_AGO)
    moving.moved("airports")
    for code in codes[:4]:
        moving.change("stn_mast", code, stn_nm=f"{code} anew")
    moving.drop("stn_mast", "EEE")
    order = moving.order("airports", since=SINCE)
    moving.open(order)

    class Killed(Exception):
        pass

    def die(*_: Any) -> Any:
        raise Killed

    moving.mover.load(order=order, read=moving.late_reader(order))
    if kill == "between batches":
        if moving.platforms:  # the fake has no transaction to lose
            with pytest.raises(Killed):
                moving.mover.load(order=order, read=die)
        moving.open(order)
    while not moving.mover.load(order=order, read=moving.late_reader(order)).loaded:
        pass
    if kill == "in the end":
        source = moving.legacy.keys(spec=order.spec, tenant_ref=airline.CODE)
        with pytest.raises(Killed):
            moving.mover.finish(order=order, source=source, held=die)
        assert not moving.mover.position(order=order).closed
    assert moving.end(order).totals == {("migrated", ""): 4}
    again = moving.end(order)  # a second time changes nothing
    assert (again.source_total, again.read, again.removed) == (4, 4, 1)
    assert moving.airports() >= {"AAA", "BBB", "CCC", "DDD"}
    assert "EEE" not in moving.airports()
    if moving.platforms:
        assert tables(moving.platforms) == []


def tables(platforms: Platforms) -> list[str]:
    with psycopg.connect(platforms.new_loader) as connection:
        query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(held|raw)_'"
        return [name for (name,) in connection.execute(query)]
