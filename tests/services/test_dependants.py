"""Rows that look up rows of another entity follow these: random writes, caught up, leave what a full run would."""

import random
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import OutcomeTotal, Run
from backfills.services import runs
from core import queue
from tests import airline
from tests.databases import Platforms
from tests.services import test_standing
from tests.services.test_standing import HOUSE, switch_on, tick

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.slow]
tenant = test_standing.tenant
ZONES = ("America/New_York", "America/Los_Angeles", "America/Denver", "America/Chicago")
CODES = ("JFK", "LAX", "ORD", "BOS", "DEN", "SEA")
TAILS = ("N1ZZ", "N2ZZ", "N3ZZ", "N4ZZ")


@pytest.fixture
def world(airline_world: Platforms) -> Platforms:
    airline.flights(airline_world, 6)
    airline.flights(airline_world, 3, dst_stn="ORD", tail_no="N3ZZ")
    return airline_world


def age(world: Platforms) -> None:
    """Let everything in legacy have changed long ago, so that nothing is read for having changed lately."""
    for table in ("flt_hist", "stn_mast", "eqp_mast"):
        airline.legacy_do(world, f"UPDATE {table} SET upd_ts = now() - interval '1 hour'")


def move(tenant: Tenant) -> dict[str, Run]:
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    return {run.entity: Run.objects.get(pk=run.pk) for run in started}


def latest(entity: str) -> Run:
    return Run.objects.filter(entity=entity).latest("requested_at")


def outcomes(run: Run) -> dict[tuple[str, str], int]:
    return {(one.fate, one.rule): one.count for one in OutcomeTotal.objects.filter(run=run)}


def test_only_rows_that_name_what_changed_are_read_again(world: Platforms, tenant: Tenant) -> None:
    age(world)
    move(tenant)
    switch_on(tenant, at=timezone.now())
    airline.new_do(world, "UPDATE platform.flight SET distance_km = 1")  # what people did there
    airline.legacy_do(world, "UPDATE stn_mast SET upd_ts = now(), tz_nm = 'America/Denver' WHERE stn_cd = 'ORD'")
    assert len(tick(tenant)) == 4
    flights = latest("flights")
    assert (flights.state, flights.read, flights.whole_because) == (RunState.SUCCEEDED, 3, "")
    kept = airline.new_rows(world, "SELECT destination, count(*) FROM platform.flight WHERE distance_km = 1 GROUP BY 1")
    assert kept == [("LAX", 6)]
    age(world)
    tick(tenant)
    assert latest("flights").read == 0
    airline.insert(world, "stn_mast", [airline.station("BOS")])
    airline.legacy_do(world, "UPDATE stn_mast SET upd_ts = now(), stn_nm = 'Anew' WHERE stn_cd = 'LAX'")
    tick(tenant)
    assert (latest("airports").changed, latest("flights").read) == (2, 0)


def test_where_nobody_noted_what_was_written_people_move_them_in_full(world: Platforms, tenant: Tenant) -> None:
    age(world)
    move(tenant)
    switch_on(tenant, at=timezone.now())
    airline.lose_notes(world)
    airline.legacy_do(world, "UPDATE stn_mast SET upd_ts = now(), tz_nm = 'America/Denver' WHERE stn_cd = 'LAX'")
    assert [len(tick(tenant)) for _ in range(2)] == [4, 3]
    flights = latest("flights")
    assert (flights.state, flights.problem) == (
        RunState.FAILED, "Airports changed, which they look up. Move them in full.",
    )  # fmt: skip
    move(tenant)
    assert len(tick(tenant)) == 4
    assert latest("flights").state == RunState.SUCCEEDED


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_written_catch_ups_leave_what_a_full_run_would(world: Platforms, tenant: Tenant, seed: int) -> None:
    chance = random.Random(seed)
    age(world)
    move(tenant)
    switch_on(tenant, at=timezone.now())
    for _ in range(5):
        for _ in range(chance.randint(1, 4)):
            chance.choice(WRITES)(world, chance)
        for _ in range(3):  # what goes with all that referred to it goes once these have followed
            tick(tenant)
        caught = {entity: latest(entity) for entity in ("airports", "aircraft_types", "aircraft", "flights")}
        assert {run.state for run in caught.values()} <= {RunState.SUCCEEDED, RunState.STOPPED}
        assert not any(run.whole_because for run in caught.values())
        age(world)
    tick(tenant)
    before = {entity: outcomes(latest(entity)) for entity in caught}
    for entity, run in move(tenant).items():
        assert (entity, run.changed, run.removed, outcomes(run)) == (entity, 0, 0, before[entity])


def _airport(world: Platforms, chance: random.Random) -> None:
    """An airport comes, or changes."""
    code, zone = chance.choice(CODES), chance.choice(ZONES)
    airline.legacy_do(world, "UPDATE stn_mast SET upd_ts = now(), tz_nm = %s WHERE stn_cd = %s", zone, code)
    if not airline.legacy_value(world, "SELECT count(*) FROM stn_mast WHERE stn_cd = %s", code):
        airline.insert(world, "stn_mast", [airline.station(code, tz_nm=zone)])


def _no_airport(world: Platforms, chance: random.Random) -> None:
    """An airport goes, with its flights."""
    code = chance.choice(CODES[2:])
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE dst_stn = %s", code)
    airline.legacy_do(world, "DELETE FROM stn_mast WHERE stn_cd = %s", code)


def _aircraft(world: Platforms, chance: random.Random) -> None:
    """An aircraft comes, or becomes one of another type, of which it is the only one."""
    tail = chance.choice(TAILS[2:])
    model = f"{tail} {chance.randrange(3)}"
    airline.legacy_do(world, "UPDATE eqp_mast SET upd_ts = now(), mdl_nm = %s WHERE tail_no = %s", model, tail)
    if not airline.legacy_value(world, "SELECT count(*) FROM eqp_mast WHERE tail_no = %s", tail):
        airline.insert(world, "eqp_mast", [airline.plane(tail, mdl_nm=model)])


def _no_aircraft(world: Platforms, chance: random.Random) -> None:
    """An aircraft goes; its flights were flown by another."""
    tail, other = chance.sample(TAILS[2:], 2)
    airline.legacy_do(world, "UPDATE flt_hist SET upd_ts = now(), tail_no = %s WHERE tail_no = %s", other, tail)
    airline.legacy_do(world, "DELETE FROM eqp_mast WHERE tail_no = %s", tail)


def _flight(world: Platforms, chance: random.Random) -> None:
    """A flight comes, changes, or goes; what it names need not be there."""
    numbers = [1 + chance.randrange(9) for _ in range(2)]
    code, tail = chance.choice(CODES), chance.choice((*TAILS, None))
    sets = "UPDATE flt_hist SET upd_ts = now(), dst_stn = %s, tail_no = %s WHERE flt_seq = %s"
    airline.legacy_do(world, sets, code, tail, numbers[0])
    if chance.random() < 0.3:
        airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = %s", numbers[1])
    if chance.random() < 0.5:
        airline.flights(world, 1, dst_stn=chance.choice(CODES), tail_no=chance.choice(TAILS))


WRITES: tuple[Callable[[Platforms, random.Random], None], ...] = (
    _airport, _airport, _no_airport, _aircraft, _aircraft, _no_aircraft, _flight, _flight,
)  # fmt: skip
