"""Beside standing catch-ups: full runs that people ask for go first, and rejected rows leave nothing each time."""

import pytest
from django.utils import timezone

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, Run
from backfills.queries import mapping
from backfills.queries import runs as listed
from backfills.services import runs, standing
from core import ports, queue
from core.models import LedgerEntry
from tests import airline
from tests.databases import Platforms
from tests.services import test_standing
from tests.services.test_standing import HOUSE, MINUTE, moved, switch_on, tick

pytestmark = pytest.mark.usefixtures("db")
tenant = test_standing.tenant


def test_a_full_run_takes_the_place_of_one_that_waits_and_names_those_under_way(tenant: Tenant) -> None:
    at = timezone.now()
    moved(tenant, at=at - 60 * MINUTE)
    switch_on(tenant, at=at)
    waiting = {run.entity: run for run in standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at)}
    Run.objects.filter(pk=waiting["airports"].pk).update(state=RunState.RUNNING, started_at=at)
    begun = runs.start(tenant_id=tenant.pk, by=HOUSE, at=at + MINUTE)
    assert {run.entity for run in begun} == mapping.specs().keys() - {"airports"}
    told = LedgerEntry.objects.filter(event="backfills.run.requested")
    assert {entry.data["instead_of"] for entry in told} == {str(waiting[run.entity].pk) for run in begun}
    flights = waiting["flights"]
    assert not runs.advance(run_id=flights.pk, by=HOUSE, at=at)
    flights.refresh_from_db()
    assert (flights.state, flights.problem) == (RunState.FAILED, "Somebody asked for a full run instead.")
    assert listed.left_out(tenant_id=tenant.pk, begun=begun) == (
        "Not begun, since another run of these is under way: Airports. Move them when it has ended."
    )


@pytest.mark.slow
def test_a_rejected_row_is_no_new_attempt_and_leaves_nothing_each_time(
    airline_world: Platforms, tenant: Tenant
) -> None:
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    for table in ("flt_hist", "stn_mast", "eqp_mast"):
        airline.legacy_do(airline_world, f"UPDATE {table} SET upd_ts = now() - interval '1 hour'")
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    switch_on(tenant, at=timezone.now())
    left = []
    for _ in range(4):
        assert len(tick(tenant)) == 4
        left.append((ports.mover().staged(account_id=tenant.pk)["run"], Run.objects.count()))
    assert left[1] == left[2] == left[3]
    assert DeadLetter.objects.get().attempts == 1
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])
    queue.run_pending()
    assert DeadLetter.objects.get().attempts == 2
