"""Where objects came from and how their rows have fared since: one promise, kept by the fake and by PostgreSQL."""

from functools import partial
from typing import Any

from core.moving import SourceRows
from tests import airline
from tests.airline import station
from tests.contract import test_platforms
from tests.moving import ACCOUNT, SPECS, World

world = test_platforms.world


def origins(world: World, entity: str, *keys: str) -> dict[str, tuple[str, str, str]]:
    """Ask where objects came from: source key, spec and how the row fared, by key."""
    spec = SPECS[entity]
    read = partial(_read_keys, world, spec)
    found = world.mover.origins(account_id=ACCOUNT, spec=spec, keys=keys, read=read)
    return {key: (one.source_key, one.spec, one.source) for key, one in found.items()}


def _read_keys(world: World, spec: Any, keys: Any) -> SourceRows:
    return world.legacy.read_keys(spec=spec, tenant_ref=airline.CODE, keys=keys)


def test_where_objects_came_from_and_how_their_rows_have_fared_since(world: World) -> None:
    world.fill("stn_mast", station("JFK"), station("LAX"), station("BOS", stn_nm='A\tb, "c" \\ (d)'))
    order = world.order("airports")
    world.run(order)
    label = order.spec.label
    asked = ("JFK", "LAX", "BOS", "XXX")
    assert origins(world, "airports", *asked) == {key: (key, label, "same") for key in asked[:3]}
    world.empty("stn_mast")
    world.fill("stn_mast", station("LAX", stn_nm="Los Angeles"), station("BOS", stn_nm='A\tb, "c" \\ (d)'))
    assert origins(world, "airports", *asked) == {
        "JFK": ("JFK", label, "gone"),
        "LAX": ("LAX", label, "changed"),
        "BOS": ("BOS", label, "same"),
    }
    assert origins(world, "airports") == {}


def test_a_row_that_the_mapping_supplied_has_no_row_to_change(world: World) -> None:
    order = world.order("airports")
    world.run(order)
    supplied = str(order.spec.supplements[0]["code"])
    assert origins(world, "airports", supplied) == {supplied: (supplied, order.spec.label, "same")}


def test_null_and_empty_are_not_the_same_row(world: World) -> None:
    world.fill("stn_mast", station("JFK", elev_ft=None))
    world.run(world.order("airports"))
    world.empty("stn_mast")
    world.fill("stn_mast", station("JFK", elev_ft=""))
    assert origins(world, "airports", "JFK")["JFK"][2] == "changed"
