"""A catch-up reads what changed since the last run began by legacy's clock, or says that only a full run will do."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills import readiness
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, OutcomeTotal, Run
from backfills.queries import mapping, movements
from backfills.queries import runs as listed
from backfills.services import retries, runs, watermarks
from core import activity, queue
from core.actor import Actor
from core.domain.approvals import RequestState
from core.findings import Outcome
from core.models import LedgerEntry
from core.readiness import CHECKS
from core.tenancy import scope
from cutover.services import go_no_go
from parity_reports.services import batches
from tests import airline, make
from tests.cutovers import Case, ready_case
from tests.databases import Platforms

HOUSE = Actor.system("tests")
TABLES = ("stn_mast", "eqp_mast", "flt_hist")
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(airline_world: Platforms) -> Platforms:
    return airline_world


@pytest.fixture
def tenant(world: Platforms) -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def age(world: Platforms) -> None:
    """Let everything in legacy have changed an hour ago."""
    for table in TABLES:
        airline.legacy_do(world, f"UPDATE {table} SET upd_ts = now() - interval '1 hour'")


def move(tenant: Tenant, *entities: str, catch_up: bool = False) -> dict[str, Run]:
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=entities or None, catch_up=catch_up)
    queue.run_pending()
    return {run.entity: Run.objects.get(pk=run.pk) for run in started}


def totals(run: Run) -> dict[tuple[str, str], int]:
    return {(total.fate, total.rule): total.count for total in OutcomeTotal.objects.filter(run=run)}


def change(world: Platforms, number: int, sets: str) -> None:
    airline.legacy_do(world, f"UPDATE flt_hist SET upd_ts = now(), {sets} WHERE flt_seq = {number}")


def test_what_changed_is_new_or_is_gone_arrives_and_is_told(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 5)
    age(world)
    full = move(tenant)["flights"]
    assert full.watermark is not None
    change(world, 1, "dist_mi = 100")
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 2")
    airline.flights(world, 1)
    run = move(tenant, "flights", catch_up=True)["flights"]
    assert (run.state, run.since) == (RunState.SUCCEEDED, full.watermark - timedelta(minutes=5))
    assert (run.source_total, run.read, run.changed, run.removed) == (5, 2, 2, 1)
    assert totals(run) == {("migrated", ""): 5}
    rows = airline.new_rows(world, "SELECT distance_km::text FROM platform.flight ORDER BY reference")
    assert [km for (km,) in rows] == ["160.9", *["3983.1"] * 4]
    about = LedgerEntry.objects.filter(subject_id=str(run.pk), event__startswith="backfills.run.")
    told = {entry.event.split(".")[-1]: entry.data for entry in about}
    assert set(told) == {"requested", "started", "finished"}
    assert {entry["since"] for entry in told.values()} == {run.since and run.since.isoformat()}
    assert (told["finished"]["read"], told["finished"]["changed"], told["finished"]["removed"]) == (2, 2, 1)
    assert activity.tell("backfills.run.finished", told["finished"]) == "caught up flights: 2 changed"


@pytest.mark.slow
def test_catch_ups_follow_each_other_from_watermark_to_watermark(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    age(world)
    move(tenant)
    first = move(tenant, "flights", catch_up=True)["flights"]
    second = move(tenant, "flights", catch_up=True)["flights"]
    assert (first.read, second.read) == (0, 0)
    assert first.watermark is not None
    assert second.since == first.watermark - timedelta(minutes=5)


@pytest.mark.slow
def test_after_one_that_is_ended_early_the_next_reads_from_the_same_moment(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    age(world)
    full = move(tenant)["flights"]
    assert full.watermark is not None
    change(world, 1, "dist_mi = 100")
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"], catch_up=True)
    assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    runs.cancel(run=run, by=HOUSE, at=timezone.now())
    row = listed.of_entity(tenant_id=tenant.pk, entity="flights")
    assert row is not None
    assert (row.total, row.is_accounted, row.may_catch_up, row.words) == (2, False, True, "Ended early")
    again = move(tenant, "flights", catch_up=True)["flights"]
    assert (again.state, again.since, again.changed) == (RunState.SUCCEEDED, full.watermark - timedelta(minutes=5), 1)


@pytest.mark.slow
def test_rejected_rows_are_read_again_whenever_they_changed(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1)
    airline.flights(world, 3, tail_no="N3AAAA")
    age(world)
    assert move(tenant)["flights"].state == RunState.STOPPED
    hidden = "UPDATE flt_hist SET tail_no = 'N2ZZ', upd_ts = upd_ts - interval '1 hour' WHERE flt_seq = 2"
    airline.legacy_do(world, hidden)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 3")
    run = move(tenant, "flights", catch_up=True)["flights"]
    assert totals(run) == {("migrated", ""): 2, ("quarantined", "fleet_number_for_registration"): 1}
    assert [(one.source_key, one.attempts) for one in DeadLetter.objects.filter(state="open")] == [("4", 2)]
    airline.legacy_do(world, "UPDATE flt_hist SET tail_no = 'N2ZZ' WHERE flt_seq = 4")
    retries.request(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    assert totals(run) == {("migrated", ""): 3}


@pytest.mark.slow
def test_where_what_rows_look_up_has_changed_and_which_of_it_nobody_noted_every_row_is_read(
    world: Platforms, tenant: Tenant
) -> None:
    airline.flights(world, 2)
    age(world)
    move(tenant)
    airline.lose_notes(world)
    airline.legacy_do(world, "UPDATE stn_mast SET upd_ts = now(), tz_nm = 'America/Denver' WHERE stn_cd = 'LAX'")
    done = move(tenant, catch_up=True)
    assert (done["airports"].read, done["airports"].changed) == (1, 1)
    assert (done["flights"].since, done["flights"].read, done["flights"].changed) == (None, 2, 2)
    assert done["flights"].whole_because == "Airports changed, which they look up."
    assert move(tenant, "flights", catch_up=True)["flights"].since


@pytest.mark.slow
def test_a_row_that_its_column_hides_makes_it_fail_and_say_what_to_do(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    age(world)
    move(tenant)
    airline.flights(world, 1)
    age(world)
    run = move(tenant, "flights", catch_up=True)["flights"]
    assert run.state == RunState.FAILED
    assert run.problem.startswith("Legacy holds new rows (1) that by their “upd_ts” have not changed")
    assert move(tenant, "flights")["flights"].state == RunState.SUCCEEDED


def refused(tenant: Tenant, entity: str = "flights") -> str:
    with pytest.raises(runs.UnableToStart) as raised:
        move(tenant, entity, catch_up=True)
    assert raised.value.fix == "Move them in full."
    return raised.value.message


@pytest.mark.slow
def test_what_was_put_right_outside_of_runs_and_nobody_noted_is_followed_by_full_runs(
    world: Platforms, tenant: Tenant
) -> None:
    airline.flights(world, 1)
    age(world)
    move(tenant)
    (begun,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"], catch_up=True)
    order = batches.order(tenant_id=tenant.pk, entity="airports", run_id=uuid4(), at=timezone.now())
    watermarks.withdraw(order=order, itself=False, by=HOUSE, at=timezone.now())
    assert LedgerEntry.objects.filter(event="backfills.watermark.withdrawn").count() == 0, "the platform notes it"
    assert runs.advance(run_id=begun.pk, by=HOUSE, at=timezone.now())
    airline.lose_notes(world)
    watermarks.withdraw(order=order, itself=False, by=HOUSE, at=timezone.now())
    watermarks.withdraw(order=order, itself=False, by=HOUSE, at=timezone.now())
    queue.run_pending()
    begun.refresh_from_db()
    assert (begun.state, begun.problem) == (
        RunState.FAILED, "Rows that these look up were put right meanwhile: run it in full.",
    )  # fmt: skip
    assert "Nothing tells from when on" in refused(tenant)
    assert move(tenant, "airports", catch_up=True)["airports"].since
    assert LedgerEntry.objects.filter(event="backfills.watermark.withdrawn").count() == 1
    watermarks.withdraw(order=order, itself=True, by=HOUSE, at=timezone.now())
    assert "Nothing tells from when on" in refused(tenant, "airports")


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "airports.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    mapping._read.cache_clear()


@pytest.mark.slow
def test_it_is_refused_where_only_a_full_run_is_safe(
    world: Platforms, tenant: Tenant, tmp_path: Path, settings: Settings
) -> None:
    for path in Path(settings.MAPPING_FOLDER).glob("*.yaml"):
        shutil.copy(path, tmp_path)
    settings.MAPPING_FOLDER = tmp_path
    airline.flights(world, 1)
    assert refused(tenant) == "Flights cannot be caught up. They have not been moved to the end yet."
    done = move(tenant)
    Run.objects.filter(pk=done["flights"].pk).update(watermark=None)
    assert "Nothing tells from when on" in refused(tenant)
    edit(tmp_path, "version: 1", "version: 2")
    assert "another version of the mapping" in refused(tenant, "airports")
    edit(tmp_path, "changed: {column: upd_ts, type: timestamptz}", "")
    assert "does not name the column" in refused(tenant, "airports")


@pytest.mark.slow
def test_it_is_offered_and_started_from_the_pages(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    age(world)
    client = Client()
    client.force_login(make.member(tenant, "admin").user)
    assert b"Catch up" not in client.get(f"/t/{tenant.slug}/runs/").content
    move(tenant)
    assert b"Catch up" in client.get(f"/t/{tenant.slug}/runs/entities/flights/").content
    assert client.post(f"/t/{tenant.slug}/runs/start/", {"entity": "flights", "catch_up": "1"}).status_code == 302
    page = client.get(f"/t/{tenant.slug}/runs/").content.decode()
    assert "Reading only what changed in legacy since" in page
    assert "What changed is brought over" in page
    assert "9 rows stand as they ended before" in " ".join(page.split())
    queue.run_pending()
    page = client.get(f"/t/{tenant.slug}/runs/").content.decode()
    assert "0 read, 0 changed, 0 removed" in page


@pytest.mark.slow
def test_a_deleted_object_that_others_refer_to_goes_once_they_are_caught_up(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1)
    airline.flights(world, 1, dst_stn="ORD")
    age(world)
    move(tenant)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 2")
    airline.legacy_do(world, "DELETE FROM stn_mast WHERE stn_cd = 'ORD'")
    done = move(tenant, catch_up=True)
    assert (done["airports"].state, done["flights"].state) == (RunState.FAILED, RunState.SUCCEEDED)
    assert done["flights"].removed == 1
    assert move(tenant, "airports", catch_up=True)["airports"].state == RunState.SUCCEEDED


@pytest.fixture
def case(world: Platforms, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """An account that is ready for its go/no-go, whose gate asks about moved rows."""
    asked = {name: CHECKS[name] for name in ("backfills.conserved", "backfills.dead_letters")}
    airline.flights(world, 3)
    age(world)
    with ready_case(monkeypatch, at=timezone.now()) as ready:
        Tenant.objects.filter(pk=ready.tenant_id).update(legacy_ref=airline.CODE)
        CHECKS._items.update(asked)
        move(ready.owner.tenant)
        ready.run_checks(at=timezone.now())
        yield ready


def test_a_catch_up_voids_an_approval_only_where_it_leaves_rows_unaccounted(world: Platforms, case: Case) -> None:
    tenant = case.owner.tenant
    request = case.ask(at=timezone.now())
    case.sign(request, at=timezone.now())
    change(world, 1, "dist_mi = 100")
    airline.flights(world, 1)
    (begun,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"], catch_up=True)
    runs.advance(run_id=begun.pk, by=HOUSE, at=timezone.now())
    case.run_checks(at=timezone.now())
    assert not go_no_go.recheck(tenant_id=tenant.pk, at=timezone.now())
    queue.run_pending()
    request.refresh_from_db()
    assert (request.state, Run.objects.get(pk=begun.pk).changed) == (RequestState.OPEN, 2)

    airline.flights(world, 1)
    age(world)  # the new row is hidden from catch-ups
    assert move(tenant, "flights", catch_up=True)["flights"].state == RunState.FAILED
    request.refresh_from_db()
    assert request.ending == "The evidence moved after it was frozen: Every row is accounted for."


@pytest.mark.slow
def test_rejected_rows_stay_told_while_a_catch_up_is_under_way(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2, tail_no="N3AAAA")
    age(world)
    move(tenant)
    before = readiness.dead_letters(tenant_id=tenant.pk, at=timezone.now())
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), catch_up=True)
    assert readiness.dead_letters(tenant_id=tenant.pk, at=timezone.now()) == before
    assert before.outcome is Outcome.BLOCK


@pytest.mark.slow
def test_where_every_row_is_read_after_all_they_stand_as_before_until_its_end(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    age(world)
    move(tenant)
    airline.lose_notes(world)
    airline.legacy_do(world, "UPDATE stn_mast SET upd_ts = now(), tz_nm = 'America/Denver' WHERE stn_cd = 'LAX'")
    before = readiness.conserved(tenant_id=tenant.pk, at=timezone.now())
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), catch_up=True)
    for run in started:
        while run.entity != "flights" and runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now()):
            pass
    assert runs.advance(run_id=started[-1].pk, by=HOUSE, at=timezone.now())
    assert Run.objects.get(pk=started[-1].pk).whole_because
    during = readiness.conserved(tenant_id=tenant.pk, at=timezone.now())
    assert (during.outcome, during.facts) == (before.outcome, before.facts)
    queue.run_pending()
    moved_at = movements.last_moved_at(tenant_id=tenant.pk)
    assert moved_at is not None
    assert moved_at > started[0].requested_at  # a full run, whatever was asked for


@pytest.mark.slow
@pytest.mark.parametrize("catch_up", [True, False])
def test_the_row_that_takes_over_a_merged_object_brings_its_values_in_the_same_run(
    world: Platforms, tenant: Tenant, catch_up: bool
) -> None:
    airline.legacy_do(world, "UPDATE eqp_mast SET eqp_typ = 'Rotorcraft' WHERE tail_no = 'N2ZZ'")
    age(world)
    move(tenant)
    category = "SELECT category::text FROM platform.aircraft_type"
    assert airline.new_rows(world, category) == [("aeroplane",)]
    airline.legacy_do(world, "DELETE FROM eqp_mast WHERE tail_no = 'N1ZZ'")
    run = move(tenant, "aircraft_types", catch_up=catch_up)["aircraft_types"]
    assert (run.state, run.changed, run.removed, totals(run)) == (RunState.SUCCEEDED, 1, 0, {("migrated", ""): 1})
    assert airline.new_rows(world, category) == [("helicopter",)]
    assert move(tenant, "aircraft_types", catch_up=True)["aircraft_types"].changed == 0
