"""Repairing single objects and putting them back: one promise, kept by the fake and by PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.utils import timezone

from backfills.domain.merging import OnDrift
from core.moving import LoadOrder, SourceRows
from core.ports import Reconciler, Unavailable
from core.reconciling import Outcome, Repair
from portal.adapters.reconciling import PostgresReconciler
from tests import airline
from tests.airline import station
from tests.databases import Platforms
from tests.fakes.reconciling import FakeReconciler
from tests.fakes.rows import encode
from tests.moving import ACCOUNT, KEY, SPECS, refusing

SPEC = SPECS["airports"]
RULES = {
    "name": OnDrift.LONGER,
    "latitude": OnDrift.TARGET,
    "longitude": OnDrift.LESSER,
    "elevation_ft": OnDrift.FILLED,
    "time_zone": OnDrift.SOURCE,
}
MERGING = {
    **SPECS,
    "airports": replace(SPEC, columns=tuple(replace(one, on_drift=RULES.get(one.name)) for one in SPEC.columns)),
}


class World:
    """A new platform whose airports are repaired."""

    def __init__(self, reconciler: Reconciler, platforms: Platforms | None, rows: list[dict[str, Any]]) -> None:
        self.reconciler, self.platforms, self.rows = reconciler, platforms, rows

    def order(self, **different: Any) -> LoadOrder:
        given = {"run_id": uuid4(), "at": timezone.now(), "specs": MERGING, **different}
        return LoadOrder(
            account_id=ACCOUNT,
            account_name="Zebra Air",
            tenant_ref=airline.CODE,
            entity="airports",
            **given,
        )

    def batch(self, order: LoadOrder, *sources: dict[str, Any], keys: Any = (), **different: Any) -> Repair:
        """Of airports that become what these rows of legacy say; those of `keys` without a row have none."""
        named = [*dict.fromkeys([*(row["stn_cd"] for row in sources), *keys])]
        marks = self.reconciler.marks(account_id=ACCOUNT, spec=SPEC, keys=named)
        columns = [{name: row[name] for name in SPEC.source_columns} for row in sources]
        return Repair(
            order=order,
            rows=encode(SPEC, columns) if columns else SourceRows(),
            sources={row["stn_cd"]: row["stn_cd"] for row in sources},
            **{"marks": marks, "removable": frozenset(keys), "keep_until": order.at + timedelta(days=7), **different},
        )

    def repair(
        self, order: LoadOrder, *sources: dict[str, Any], keys: Any = (), **different: Any
    ) -> dict[str, Outcome]:
        """Make airports what these rows of legacy say."""
        return dict(self.reconciler.repair(self.batch(order, *sources, keys=keys, **different)))

    def names(self) -> dict[str, str]:
        """Name per code, of what the new platform holds."""
        if self.platforms is None:
            return {row["code"]: row["name"] for row in self.rows}
        return dict(airline.new_rows(self.platforms, "SELECT code, name FROM platform.airport"))

    def values(self, code: str) -> dict[str, str | None]:
        """What the new platform holds of an airport, as text."""
        names = [one.name for one in SPEC.columns]
        if self.platforms is None:
            row = next(row for row in self.rows if row["code"] == code)
            return {name: None if row[name] is None else str(row[name]) for name in names}
        listed = ", ".join(f"{name}::text" for name in names)
        found = airline.new_rows(self.platforms, f"SELECT {listed} FROM platform.airport WHERE code = '{code}'")
        return dict(zip(names, found[0], strict=True))

    def change(self, code: str, **values: Any) -> None:
        """Change an airport on the new platform behind everybody's back."""
        if self.platforms is None:
            next(row for row in self.rows if row["code"] == code).update(values)
        else:
            for name, value in values.items():
                update = f"UPDATE platform.airport SET {name} = %s WHERE code = %s"
                airline.new_do(self.platforms, update, value, code)

    def rename(self, code: str, name: str) -> None:
        self.change(code, name=name)

    def noted(self) -> list[str]:
        """Return, and forget, what was noted for the entities that look airports up; the fake notes nothing."""
        if self.platforms is None:
            return ["JFK"]
        with psycopg.connect(self.platforms.new_loader) as connection:
            rows = connection.execute("DELETE FROM crossing_stage.touched RETURNING target_key").fetchall()
        return sorted(key for (key,) in rows)

    def origins(self) -> list[tuple[Any, ...]]:
        query = "SELECT target_key, run_id, spec, source_hash, migrated_at FROM platform.provenance ORDER BY 1"
        return airline.new_rows(self.platforms, query) if self.platforms else []


@pytest.fixture(params=["fake", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        rows: list[dict[str, Any]] = []
        yield World(FakeReconciler(new={"platform.airport": rows}), None, rows)
        return
    platforms: Platforms = request.getfixturevalue("airline_platforms")
    airline.refill(platforms)
    account = (
        "INSERT INTO platform.account (id, name, legacy_ref) VALUES (%s, 'Zebra Air', 'ZZ') ON CONFLICT DO NOTHING"
    )
    airline.new_do(platforms, account, ACCOUNT)
    yield World(PostgresReconciler(url=platforms.new_loader, keys=[KEY]), platforms, [])


def test_objects_become_what_their_rows_say_and_go_back_exactly(world: World) -> None:
    first = world.order()
    assert world.repair(first, station("JFK"), station("LAX")) == {"JFK": Outcome.WRITTEN, "LAX": Outcome.WRITTEN}
    before, came_from = world.names(), world.origins()
    second = world.order()
    renamed = world.repair(second, station("JFK", stn_nm="Kennedy"), station("LAX"), keys=["BOS"])
    assert renamed == {"JFK": Outcome.WRITTEN, "LAX": Outcome.EQUAL, "BOS": Outcome.EQUAL}
    assert world.names() == {"JFK": "Kennedy", "LAX": "LAX"}
    undone = world.reconciler.restore(order=second, keys=["JFK", "LAX", "XXX"])
    assert undone == {"JFK": Outcome.RESTORED, "LAX": Outcome.EQUAL, "XXX": Outcome.EXPIRED}
    assert (world.names(), world.origins()) == (before, came_from)
    assert world.reconciler.restore(order=first, keys=["JFK"]) == {"JFK": Outcome.RESTORED}
    assert "JFK" not in world.names(), "it was not there before"


def test_an_object_without_its_row_is_removed_and_comes_back(world: World) -> None:
    world.repair(world.order(), station("JFK"))
    before, came_from = world.names(), world.origins()
    assert world.repair(world.order(), keys=["JFK"], removable=frozenset()) == {"JFK": Outcome.REFUSED}
    order = world.order()
    world.noted()
    assert world.repair(order, keys=["JFK"]) == {"JFK": Outcome.REMOVED}
    assert (world.names(), world.origins()) == ({}, [])
    assert world.noted() == ["JFK"]
    assert world.reconciler.restore(order=order, keys=["JFK"]) == {"JFK": Outcome.RESTORED}
    assert (world.names(), world.origins()) == (before, came_from)
    assert world.noted() == ["JFK"]


def test_what_is_left_as_it_was_is_not_noted_for_what_looks_it_up(world: World) -> None:
    world.repair(world.order(), station("JFK"), station("LAX"))
    world.noted()
    assert world.repair(world.order(), station("JFK")) == {"JFK": Outcome.EQUAL}
    world.reconciler.foresee(world.batch(world.order(), station("JFK", stn_nm="Kennedy")))
    assert world.noted() == ([] if world.platforms else ["JFK"])


def test_under_a_legal_hold_nothing_is_removed_neither_by_a_repair_nor_by_an_undo(world: World) -> None:
    first = world.order()
    world.repair(first, station("JFK"))
    assert world.repair(world.order(preserves=True), keys=["JFK"]) == {"JFK": Outcome.HELD}
    again = world.order(run_id=first.run_id, preserves=True)
    assert world.reconciler.restore(order=again, keys=["JFK"]) == {"JFK": Outcome.HELD}
    assert world.names() == {"JFK": "JFK"}
    second = world.order(preserves=True)
    assert world.repair(second, station("JFK", stn_nm="Kennedy")) == {"JFK": Outcome.WRITTEN}
    later = second.at + timedelta(days=8)
    assert world.reconciler.forget(account_id=uuid4(), at=later) == 0
    assert list(world.reconciler.over(at=later)) == [ACCOUNT]
    assert world.reconciler.forget(account_id=ACCOUNT, at=later) == 2
    assert list(world.reconciler.over(at=later)) == []


def test_what_is_not_to_be_committed_is_taken_back(world: World) -> None:
    first = world.order()
    world.repair(first, station("JFK"))
    with pytest.raises(Unavailable):
        world.reconciler.repair(world.batch(world.order(), keys=["JFK"]), committing=refusing)
    with pytest.raises(Unavailable):
        world.reconciler.restore(order=first, keys=["JFK"], committing=refusing)
    with pytest.raises(Unavailable):
        world.reconciler.forget(account_id=ACCOUNT, at=first.at + timedelta(days=8), committing=refusing)
    assert world.names() == {"JFK": "JFK"}
    assert world.reconciler.restore(order=first, keys=["JFK"]) == {"JFK": Outcome.RESTORED}


def test_what_changed_since_the_preview_or_since_the_repair_is_left_alone(world: World) -> None:
    world.repair(world.order(), station("JFK"))
    marks = world.reconciler.marks(account_id=ACCOUNT, spec=SPEC, keys=["JFK"])
    world.rename("JFK", "Idlewild")
    order = world.order()
    kept = {"JFK": Outcome.KEPT}
    assert world.repair(order, station("JFK", stn_nm="Kennedy"), marks=marks) == kept
    assert world.repair(order, station("JFK", stn_nm="Kennedy")) == {"JFK": Outcome.WRITTEN}
    world.rename("JFK", "New York")
    assert world.reconciler.restore(order=order, keys=["JFK"]) == kept
    assert world.names() == {"JFK": "New York"}


def test_a_row_that_the_mapping_does_not_move_changes_nothing_and_holds_up_no_other(world: World) -> None:
    world.repair(world.order(), station("JFK"), station("LAX"))
    came_from = world.origins()
    told = world.repair(world.order(), station("JFK", lat_txt="north"), station("LAX", stn_nm="Los Angeles"))
    assert told == {"JFK": Outcome.REFUSED, "LAX": Outcome.WRITTEN}
    assert world.names() == {"JFK": "JFK", "LAX": "Los Angeles"}
    assert [row for row in world.origins() if row[0] == "JFK"] == [row for row in came_from if row[0] == "JFK"]
    if world.platforms:
        with psycopg.connect(world.platforms.new_loader) as connection:
            assert connection.execute("SELECT * FROM crossing_stage.dead_letter").fetchall() == []


def test_a_repeated_batch_tells_what_it_did_and_does_nothing(world: World) -> None:
    order = world.order()
    marks = world.reconciler.marks(account_id=ACCOUNT, spec=SPEC, keys=["JFK"])
    first = world.repair(order, station("JFK"), marks=marks)
    world.rename("JFK", "Idlewild")
    assert world.repair(order, station("JFK"), marks=marks) == first == {"JFK": Outcome.WRITTEN}
    assert world.names() == {"JFK": "Idlewild"}


def test_former_states_end(world: World) -> None:
    world.repair(world.order(), station("JFK"))
    order = world.order()
    world.repair(order, station("JFK", stn_nm="Kennedy"))
    later = world.order(run_id=order.run_id, at=order.at + timedelta(days=8))
    assert world.reconciler.restore(order=later, keys=["JFK"]) == {"JFK": Outcome.EXPIRED}
    assert world.reconciler.forget(account_id=ACCOUNT, at=later.at) == 2
    assert world.reconciler.restore(order=order, keys=["JFK"]) == {"JFK": Outcome.EXPIRED}
    assert world.names() == {"JFK": "Kennedy"}


def test_what_both_changed_is_merged_column_by_column_as_it_was_foreseen_and_goes_back(world: World) -> None:
    """Legacy changed the name, the place and the height; the new platform another way."""
    world.repair(world.order(), station("JFK", elev_ft="13"))
    world.change("JFK", name="Kennedy International", latitude=Decimal("41.5"), longitude=Decimal("-74.5"))
    before, came_from = world.values("JFK"), world.origins()
    legacy = station("JFK", stn_nm="Kennedy", lon_txt="-73.0", elev_ft=None)
    order = world.order()
    seen = world.reconciler.foresee(world.batch(order, legacy, merges={"JFK": ""}))["JFK"]
    assert (world.values("JFK"), world.origins()) == (before, came_from), "nothing is changed by looking"
    assert seen.outcome is Outcome.WRITTEN or seen.outcome is Outcome.EQUAL
    told = {one.column: one.keeps for one in seen.fields}
    assert told == {"name": True, "latitude": True, "longitude": True, "elevation_ft": True}
    assert {one.column: (one.legacy, one.new) for one in seen.fields}["name"] == ("Kennedy", "Kennedy International")
    assert world.repair(order, legacy, merges={"JFK": seen.result}) == {"JFK": seen.outcome}
    assert world.values("JFK") == before, "every column stays as the new platform has it"
    shorter = world.order()
    wordy = station("JFK", stn_nm="John F. Kennedy International", lon_txt="-75.0", elev_ft="14")
    seen = world.reconciler.foresee(world.batch(shorter, wordy, merges={"JFK": ""}))["JFK"]
    assert world.repair(shorter, wordy, merges={"JFK": seen.result}) == {"JFK": Outcome.WRITTEN}
    merged = world.values("JFK")
    assert [merged[name] for name in ("name", "elevation_ft")] == ["John F. Kennedy International", "14"]
    assert [float(merged[name] or 0) for name in ("latitude", "longitude")] == [41.5, -75.0]
    assert world.reconciler.restore(order=shorter, keys=["JFK"]) == {"JFK": Outcome.RESTORED}
    assert world.values("JFK") == before


def test_what_merging_would_make_otherwise_than_foreseen_is_left_alone(world: World) -> None:
    world.repair(world.order(), station("JFK"), station("LAX"))
    before = world.values("JFK")
    order = world.order()
    rows = [station(code, stn_nm=f"{code} as it is called") for code in ("JFK", "LAX")]
    batch = world.batch(order, *rows, merges={"JFK": "", "LAX": ""})
    seen = world.reconciler.foresee(batch)
    foreseen = {code: one.result for code, one in seen.items()}
    rows[0] = station("JFK", stn_nm="Another name than was seen")
    told = world.repair(order, *rows, merges=foreseen)
    assert told == {"JFK": Outcome.KEPT, "LAX": Outcome.WRITTEN}
    assert world.values("JFK") == before
    assert world.names()["LAX"] == "LAX as it is called"


def test_what_is_not_there_is_not_merged_and_what_the_platform_refuses_changes_nothing(world: World) -> None:
    world.repair(world.order(), station("JFK"))
    told = world.repair(world.order(), station("JFK", lat_txt="north"), station("LAX"), merges={"JFK": "", "LAX": ""})
    assert told == {"JFK": Outcome.REFUSED, "LAX": Outcome.REFUSED}
    assert world.names() == {"JFK": "JFK"}
