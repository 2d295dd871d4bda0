"""What rows look up: who names it is told by legacy, and what was written of it by the new platform."""

from typing import Any

import pytest

from tests import airline
from tests.airline import plane, station
from tests.contract import test_catching_up, test_platforms
from tests.contract.test_catching_up import LONG_AGO, SINCE, Moving
from tests.fakes.rows import decode

world, moving = test_platforms.world, test_catching_up.moving


def test_rows_that_name_what_changed_elsewhere_are_read_too(moving: Moving) -> None:
    moving.add("eqp_mast", plane("N1"), plane("N2", mdl_nm=" a321 "), plane("N3", mfr_nm="O'HARE"), at=LONG_AGO)
    moving.add("eqp_mast", plane("N4", mdl_nm="A321", carr_cd="YY"), plane("N5", mdl_nm=None), at=LONG_AGO)
    spec = moving.order("aircraft").spec

    def tails(**asked: Any) -> list[str]:
        given = {"after": None, "limit": 9, "since": SINCE, **asked}
        rows = moving.legacy.read(spec=spec, tenant_ref=airline.CODE, **given)
        return [str(row["tail_no"]) for row in decode(spec, rows)]

    assert tails(named={"type": []}) == []
    assert tails(named={"type": ["AIRBUS A321", "O'HARE A320-232", "YY"]}) == ["N2", "N3"]
    assert tails(named={"type": ["AIRBUS A321", "AIRBUS A320-232"]}, after="N1", limit=1) == ["N2"]
    assert tails(named={"type": ["AIRBUS A320-232"]}, also=["N3"]) == ["N1", "N3"]


def test_what_was_written_is_told_to_those_that_look_it_up_until_they_are_judged_by_it(moving: Moving) -> None:
    def told() -> dict[str, list[str]] | None:
        found = moving.mover.touched(order=moving.order("flights", since=SINCE))
        return None if found is None else {name: list(keys) for name, keys in found.items()}

    moving.add("stn_mast", *(station(code) for code in ("AAA", "BBB", "CCC")), at=LONG_AGO)
    moving.add("eqp_mast", plane("N1"), at=LONG_AGO)
    assert told() is None
    for entity in ("airports", "aircraft_types", "aircraft", "flights"):
        moving.moved(entity)
    assert told() == {"airport": [], "aircraft": []}
    moving.change("stn_mast", "AAA", tz_nm="America/Denver")
    moving.change("stn_mast", "BBB", stn_nm="Nobody looks that up")
    moving.drop("stn_mast", "CCC")
    moving.add("stn_mast", station("DDD"))  # a flight without it was rejected, and is read anyway
    moving.add("eqp_mast", plane("N2"))  # a flight without it was moved
    for entity in ("airports", "aircraft"):
        moving.caught(entity)
    assert told() == {"airport": ["AAA", "CCC"], "aircraft": ["N2"]}
    order = moving.order("flights", since=SINCE)
    moving.open(order)
    moving.change("stn_mast", "BBB", tz_nm="America/Denver")
    moving.caught("airports")
    mine = moving.mover.touched(order=order)
    assert mine is not None
    assert list(mine["airport"]) == ["AAA", "CCC"], "what comes while it reads is for the next"
    assert told() == {"airport": ["AAA", "CCC", "BBB"], "aircraft": ["N2"]}, "it has not come to its end"
    while not moving.mover.load(order=order, read=moving.late_reader(order)).loaded:
        pass
    moving.end(order)
    assert told() == {"airport": ["BBB"], "aircraft": []}
    moving.caught("flights")
    assert told() == {"airport": [], "aircraft": []}


@pytest.mark.slow
def test_what_comes_all_at_once_is_told_where_others_had_moved_without_it(moving: Moving) -> None:
    moving.add("stn_mast", station("AAA"), at=LONG_AGO)
    for entity in ("airports", "aircraft_types", "aircraft", "flights"):
        moving.moved(entity)
    moving.add("eqp_mast", plane("N1"), at=LONG_AGO)
    moving.moved("aircraft_types")
    moving.moved("aircraft")
    told = moving.mover.touched(order=moving.order("flights", since=SINCE))
    assert told
    assert list(told["aircraft"]) == ["N1"]
