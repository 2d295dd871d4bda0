"""Rows are listed by how they ended: kept by the fake in memory and by the adapter on real databases."""

from functools import partial
from uuid import uuid4

from tests.airline import station
from tests.contract.test_platforms import world
from tests.moving import ACCOUNT, World

__all__ = ["world"]


def test_rows_that_ended_in_one_way_are_listed_page_by_page(world: World) -> None:
    world.fill("stn_mast", *(station(code) for code in ("bbb", "AAA", "CCC", "NYC", "ZWI")))
    world.run(world.order("airports"))
    of = {"account_id": ACCOUNT, "entity": "airports", "system": "legacy", "fate": "migrated", "rule": ""}
    listed = partial(world.mover.ended, **{**of, "skip": 0, "limit": 9})
    assert listed() == ("AAA", "CCC", "bbb")
    assert (listed(limit=2), listed(skip=2)) == (("AAA", "CCC"), ("bbb",))
    assert listed(fate="dropped", rule="city_not_airport") == ("NYC",)
    assert listed(fate="dropped", rule="nothing") == listed(account_id=uuid4()) == ()
