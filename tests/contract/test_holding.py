"""What a legal hold keeps: nothing is removed while it stands; kept by the fake in memory and by PostgreSQL."""

import json
from dataclasses import replace
from typing import Any, LiteralString

import psycopg
import pytest
from cryptography.fernet import Fernet

from core.moving import HELD, RunPosition, Trace
from core.ports import Rejected
from portal.adapters.newplatform import PostgresMover
from tests import airline
from tests.airline import station
from tests.contract.test_platforms import world
from tests.moving import ACCOUNT, World

__all__ = ["world"]
SUPPLIED = {"BQN", "PSE", "SJU", "STT"}


def moved(world: World, *rows: dict[str, Any], held_by: str = "", **different: Any) -> RunPosition:
    """Move just these airports, in full."""
    world.empty("stn_mast")
    world.fill("stn_mast", *rows)
    order = world.order("airports", **different)
    cases = {**order.spec.cases, "held": held_by}
    order = replace(order, specs={**order.specs, "airports": replace(order.spec, cases=cases)})
    world.run(order)
    return world.finish(order)


def trace(world: World, key: str) -> Trace:
    found = world.mover.trace(account_id=ACCOUNT, entity="airports", system="legacy", key=key)
    assert found is not None
    return found


def held(world: World, rule: str = "") -> tuple[str, ...]:
    named = {"account_id": ACCOUNT, "entity": "airports", "system": "legacy"}
    return world.mover.ended(**named, fate=HELD, rule=rule, skip=0, limit=9)


def test_under_a_legal_hold_what_would_be_removed_stays_until_the_first_run_after_it(world: World) -> None:
    moved(world, *map(station, ("AAA", "BBB", "CCC")))
    done = moved(world, station("AAA"), station("CCC"), preserves=True)
    assert (done.removed, done.held, done.totals) == (0, 1, {("migrated", ""): 2})
    assert (world.airports() - SUPPLIED, held(world)) == ({"AAA", "BBB", "CCC"}, ("BBB",))
    found = trace(world, "BBB")
    assert (found.source_key, found.target_key, found.held_by, found.held_at is None) == ("BBB", "BBB", "", False)
    assert trace(world, "AAA").held_at is None
    again = moved(world, station("AAA"), station("CCC"), preserves=True)
    assert (again.removed, again.held, held(world)) == (0, 1, ("BBB",)), "it is counted once"
    after = moved(world, station("AAA"), station("CCC"))
    assert (after.removed, after.held, held(world)) == (1, 0, ())
    assert world.airports() - SUPPLIED == {"AAA", "CCC"}


def test_an_object_whose_row_a_rule_leaves_behind_now_is_held_and_its_row_counted(world: World) -> None:
    moved(world, station("AAA"), station("NYC", stn_cd="BBB"))
    specs = world.order("airports").specs
    drops = replace(specs["airports"], sets={**specs["airports"].sets, "city_codes": frozenset({"BBB"})})
    later = {"specs": {**specs, "airports": drops}, "preserves": True}
    done = moved(world, station("AAA"), station("BBB"), **later)
    assert done.totals == {("migrated", ""): 1, ("dropped", "city_not_airport"): 1}
    assert (done.removed, done.held, held(world)) == (0, 1, ("BBB",))
    found = trace(world, "BBB")
    assert (found.fate, found.rule, found.target_key) == ("dropped", "city_not_airport", "BBB")
    assert found.held_at is not None


def test_a_row_that_comes_back_takes_its_object_up_again(world: World) -> None:
    moved(world, station("AAA"), station("BBB"))
    assert moved(world, station("AAA"), preserves=True).held == 1
    done = moved(world, station("AAA"), station("BBB", stn_nm="Back again"), preserves=True)
    assert (done.held, held(world), done.totals) == (0, (), {("migrated", ""): 2})
    assert trace(world, "BBB").held_at is None
    assert moved(world, station("AAA"), station("BBB", stn_nm="Back again")).removed == 0


def test_what_legacy_itself_marks_as_held_stays_without_any_hold_on_the_account(world: World) -> None:
    marked = {"held_by": "position_corrected"}  # DVT is one of those by which the demo's mapping knows them
    moved(world, station("AAA"), station("BBB"), station("DVT"), **marked)
    done = moved(world, station("AAA"), **marked)
    assert (done.removed, done.held, world.airports() - SUPPLIED) == (1, 1, {"AAA", "DVT"})
    assert trace(world, "DVT").held_by == "position_corrected"
    assert (held(world, "position_corrected"), held(world, "other")) == (("DVT",), ())
    assert moved(world, station("AAA"), **marked, preserves=True).held == 1
    assert moved(world, station("AAA"), **marked).held == 1, "the end of a hold on the account changes nothing"
    assert moved(world, station("AAA")).removed == 1, "the mapping knows no such mark any more"


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_what_came_from_no_row_is_held_too(world: World) -> None:
    moved(world, station("AAA"))
    assert world.platforms
    airline.new_do(world.platforms, "DELETE FROM platform.provenance WHERE target_key = 'AAA'")
    done = moved(world, preserves=True)
    assert (done.held, done.removed) == (1, 0)
    found = trace(world, "AAA")
    assert (found.source_key, found.target_key) == ("", "AAA")


def staged(world: World, query: LiteralString) -> list[tuple[Any, ...]]:
    """Ask Crossing's own place on the new platform."""
    assert world.platforms
    with psycopg.connect(world.platforms.new_loader) as connection:
        return connection.execute(query).fetchall()


def kept(world: World) -> list[tuple[str, Any]]:
    """What was written over, as it was: key and name."""
    return [(copy.key, json.loads(copy.image)["name"]) for copy in world.mover.preserved(account_id=ACCOUNT)]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_what_a_run_writes_over_under_a_legal_hold_is_kept_as_it_was(world: World) -> None:
    moved(world, station("AAA", stn_nm="First"), station("BBB", stn_nm="Same"))
    moved(world, station("AAA", stn_nm="Second"), station("BBB", stn_nm="Same"))
    assert kept(world) == [], "no hold stood"
    moved(world, station("AAA", stn_nm="Third"), station("BBB", stn_nm="Same"), station("CCC"), preserves=True)
    assert kept(world) == [("AAA", "Second")], "neither what stays the same nor what is new"
    assert world.platforms
    airline.new_do(world.platforms, "DELETE FROM platform.provenance WHERE target_key = 'BBB'")
    moved(world, station("BBB", stn_nm="Ours"), preserves=True)
    assert kept(world) == [("AAA", "Second"), ("BBB", "Same")], "also what nobody knows the origin of"
    assert world.mover.staged(account_id=ACCOUNT)["preserved"] == 2
    ((plain,),) = staged(world, "SELECT bool_or(payload::text LIKE '%Second%') FROM crossing_stage.preserved")
    assert not plain, "encrypted"
    stranger = PostgresMover(url=world.platforms.new_loader, keys=[Fernet.generate_key().decode()])
    with pytest.raises(Rejected, match="Add that key again"):
        list(stranger.preserved(account_id=ACCOUNT))


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_the_copy_of_a_rejected_row_that_legacy_lost_is_kept_until_the_hold_is_over(world: World) -> None:
    def copies() -> int:
        query = "SELECT count(payload) FROM crossing_stage.dead_letter WHERE state = 'resolved'"
        return int(staged(world, query)[0][0])

    moved(world, station("AAA"), station("BBB", lat_txt="north"))
    moved(world, station("AAA"), preserves=True)
    assert copies() == 1
    moved(world, station("AAA"))
    assert copies() == 0
