"""Runs move real rows from one real database to another, and every row is accounted for."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills import readiness, tasks
from backfills.apps import mapping_is_readable
from backfills.domain.runs import RunState
from backfills.models import Batch, DeadLetter, OutcomeTotal, Run
from backfills.services import letters as rejected
from backfills.services import runs
from core import queue
from core.actor import Actor
from core.errors import PermissionRefused
from core.models import Event, LedgerEntry
from core.permissions import TenantRole
from core.tenancy import scope
from cutover.models import Cutover
from tests import airline, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(airline_world: Platforms) -> Platforms:
    return airline_world


@pytest.fixture
def tenant(world: Platforms) -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def move(tenant: Tenant, *entities: str) -> dict[str, Run]:
    """Start and finish runs through the queue."""
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=entities or None)
    queue.run_pending()
    return {run.entity: Run.objects.get(pk=run.pk) for run in started}


def totals(run: Run) -> dict[tuple[str, str], int]:
    return {(total.fate, total.rule): total.count for total in OutcomeTotal.objects.filter(run=run)}


def test_moves_every_entity_in_order_and_accounts_for_each_row(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 3)
    done = move(tenant)
    assert {entity: run.state for entity, run in done.items()} == dict.fromkeys(done, RunState.SUCCEEDED)
    assert totals(done["aircraft_types"]) == {("transformed", "manufacturer_renamed"): 1, ("merged", "same_type"): 1}
    assert totals(done["aircraft"]) == {("migrated", ""): 1, ("transformed", "year_unknown"): 1}
    assert totals(done["airports"]) == {("migrated", ""): 3}
    assert done["airports"].supplemented == 4
    assert totals(done["flights"]) == {("migrated", ""): 3}
    rows = airline.new_rows(
        world,
        "SELECT reference, scheduled_departure_at, scheduled_arrival_at, arrived_at - departed_at, distance_km::text"
        " FROM platform.flight ORDER BY reference",
    )
    reference, leaves, lands, took, distance = rows[0]
    assert reference == "ZZ1-20130115-1"
    assert (leaves.isoformat(), lands.isoformat()) == ("2013-01-15T14:00:00+00:00", "2013-01-15T20:20:00+00:00")
    assert (took, distance) == (timedelta(hours=6, minutes=10), "3983.1")


def test_every_moved_object_knows_where_it_comes_from(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1)
    run = move(tenant)["flights"]
    rows = airline.new_rows(
        world,
        "SELECT source_system, source_key, target_key, run_id, spec, length(source_hash) FROM platform.provenance"
        " WHERE account_id = %s AND entity = 'flights'",
        tenant.pk,
    )
    assert rows == [("legacy", "1", "ZZ1-20130115-1", run.pk, run.spec, 32)]


def test_a_second_run_changes_nothing(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 3)
    move(tenant)
    again = move(tenant)
    assert sum(run.changed for run in again.values()) == 0
    assert {run.state for run in again.values()} == {RunState.SUCCEEDED}
    assert totals(again["aircraft_types"]) == {("transformed", "manufacturer_renamed"): 1, ("merged", "same_type"): 1}


def test_rejected_rows_stop_the_line_and_say_why(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 3)
    airline.flights(world, 2, tail_no="N3AAAA")
    run = move(tenant)["flights"]
    assert run.state == RunState.STOPPED
    assert run.problem == "2 of 5 rows were rejected, more than the 0.1 % that the mapping allows."
    assert totals(run) == {("migrated", ""): 3, ("quarantined", "fleet_number_for_registration"): 2}
    letters = DeadLetter.objects.order_by("source_key")
    assert [(letter.source_key, letter.column, letter.sqlstate, letter.attempts) for letter in letters] == [
        ("4", "tail_no", "23514", 1),
        ("5", "tail_no", "23514", 1),
    ]
    assert all(b"N3AAAA" not in bytes(letter.payload) and letter.payload for letter in letters)
    lead = make.staff_actor(make.staff("data_lead"))
    row = rejected.show(letter=letters[0], reason="Case 7", by=lead, at=timezone.now())
    assert (row["tail_no"], row["flt_seq"]) == ("N3AAAA", "4")


def test_rows_deleted_in_legacy_leave_the_new_platform(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 3)
    move(tenant)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 2")
    run = move(tenant, "flights")["flights"]
    assert run.state == RunState.SUCCEEDED
    assert totals(run) == {("migrated", ""): 2}
    assert airline.new_rows(world, "SELECT reference FROM platform.flight ORDER BY 1") == [
        ("ZZ1-20130115-1",),
        ("ZZ3-20130115-1",),
    ]


@pytest.mark.slow
def test_a_type_stays_while_an_aircraft_has_it(world: Platforms, tenant: Tenant) -> None:
    move(tenant)
    airline.legacy_do(world, "DELETE FROM eqp_mast WHERE tail_no = 'N1ZZ'")
    run = move(tenant, "aircraft_types")["aircraft_types"]
    assert run.state == RunState.SUCCEEDED
    assert totals(run) == {("migrated", ""): 1}
    assert airline.new_rows(world, "SELECT code FROM platform.aircraft_type") == [("AIRBUS A320-232",)]


def test_what_is_still_referred_to_is_not_removed_silently(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1)
    move(tenant)
    airline.legacy_do(world, "DELETE FROM stn_mast WHERE stn_cd = 'LAX'")
    run = move(tenant, "airports")["airports"]
    assert run.state == RunState.FAILED
    assert "still referred to" in run.problem


def test_a_row_that_only_the_target_refuses_is_set_apart(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 5)
    airline.flights(world, 1, air_min=-4)
    run = move(tenant)["flights"]
    assert totals(run) == {("migrated", ""): 5, ("quarantined", "refused_by_target"): 1}
    letter = DeadLetter.objects.get()
    assert (letter.source_key, letter.sqlstate, letter.column) == ("6", "23514", "flight_airborne_minutes_check")
    move(tenant, "flights")
    assert (DeadLetter.objects.get().first_at, DeadLetter.objects.get().attempts) == (letter.first_at, 2)
    for minutes in (4, -4):  # put right, and wrong again
        airline.legacy_do(world, "UPDATE flt_hist SET air_min = %s WHERE flt_seq = 6", minutes)
        move(tenant, "flights")
    assert DeadLetter.objects.get().first_at > letter.first_at


def test_the_database_refuses_a_success_that_does_not_add_up(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    run = move(tenant)["flights"]
    with pytest.raises(IntegrityError, match="not conserved: 2 source rows, 1 outcomes"):
        _write_and_judge(lambda: OutcomeTotal.objects.filter(run=run).update(count=1))
    with pytest.raises(IntegrityError, match="not conserved: 3 source rows, 2 outcomes"):
        _write_and_judge(lambda: Run.objects.filter(pk=run.pk).update(source_total=3))


def _write_and_judge(write: Callable[[], object]) -> None:
    """Write, and judge as a commit would."""
    with transaction.atomic():
        write()
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_rows_that_appear_while_it_runs_make_it_fail_rather_than_succeed(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    move(tenant)
    run = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])[0]
    for _ in range(2):  # begin, and its only batch
        assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    airline.flights(world, 1)
    with pytest.raises(runs.UnableToMove):
        runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.problem.startswith("Legacy holds 3 rows, of which 2 are accounted for")


def test_a_paused_run_stands_still_and_goes_on_where_it_stood(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    move(tenant, "aircraft_types", "aircraft", "airports")
    run = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])[0]
    assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    runs.pause(run=run, by=HOUSE, at=timezone.now())
    assert not runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    assert Batch.objects.filter(run=run).count() == 0
    runs.resume(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    run.refresh_from_db()
    assert (run.state, run.read) == (RunState.SUCCEEDED, 2)


def test_a_run_that_is_ended_early_moves_no_further_and_makes_room_for_another(
    world: Platforms, tenant: Tenant
) -> None:
    run = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["airports"])[0]
    assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    runs.pause(run=run, by=HOUSE, at=timezone.now())
    for _ in range(2):  # safe to repeat
        assert runs.cancel(run=run, by=HOUSE, at=timezone.now()).state == RunState.CANCELLED
    assert run.finished_at
    assert not runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    assert LedgerEntry.objects.filter(event="backfills.run.cancelled", subject_id=str(run.pk)).count() == 1
    assert Event.objects.filter(name="backfills.run.finished").count() == 1
    with pytest.raises(runs.UnableToPause):
        runs.resume(run=run, by=HOUSE, at=timezone.now())
    finding = readiness.conserved(tenant_id=tenant.pk, at=timezone.now())
    assert "Airports did not move to the end: The run was ended early." in finding.summary
    again = move(tenant, "airports")["airports"]
    assert again.state == RunState.SUCCEEDED
    with pytest.raises(runs.UnableToPause):
        runs.cancel(run=again, by=HOUSE, at=timezone.now())


def test_a_run_that_began_since_it_was_looked_at_does_not_begin_anew(world: Platforms, tenant: Tenant) -> None:
    run = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["airports"])[0]
    as_it_was = Run.objects.get(pk=run.pk)
    assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    runs.pause(run=Run.objects.get(pk=run.pk), by=HOUSE, at=timezone.now())
    resumed = runs.resume(run=as_it_was, by=HOUSE, at=timezone.now())
    assert resumed.state == RunState.RUNNING, "else its watermark would move past rows that it has read"


@pytest.fixture
def in_hundreds(tmp_path: Path, settings: Settings) -> None:
    """The demo's mapping in batches of a hundred."""
    for path in Path(settings.MAPPING_FOLDER).glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text().replace("batch: 5000", "batch: 100"))
    settings.MAPPING_FOLDER = tmp_path


def begun_flights(world: Platforms, tenant: Tenant) -> Run:
    """Begin a run of 230 flights, in two ranges."""
    airline.flights(world, 230)
    move(tenant, "aircraft_types", "aircraft", "airports")
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])
    assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    return run


@pytest.mark.usefixtures("in_hundreds")
def test_a_second_worker_moves_batches_of_a_run_and_leaves_its_end_to_the_first(
    world: Platforms, tenant: Tenant
) -> None:
    run = begun_flights(world, tenant)
    while runs.help_along(run_id=run.pk, at=timezone.now()):
        pass
    run.refresh_from_db()
    assert (run.state, run.read, sum(batch.rows for batch in Batch.objects.filter(run=run))) == ("running", 230, 230)
    queue.run_pending()
    run.refresh_from_db()
    assert (run.state, totals(run)) == (RunState.SUCCEEDED, {("migrated", ""): 230})


@pytest.mark.slow
@pytest.mark.usefixtures("in_hundreds")
def test_a_second_worker_stands_back_for_other_tenants_and_for_a_pause(world: Platforms, tenant: Tenant) -> None:
    run = begun_flights(world, tenant)
    other = make.tenant("Yak Air", legacy_ref="YY")
    with scope(tenant_id=other.pk):
        runs.start(tenant_id=other.pk, by=HOUSE, at=timezone.now(), entities=["airports"])
    assert not runs.help_along(run_id=run.pk, at=timezone.now())
    assert not Batch.objects.filter(run=run).exists()
    queue.run_pending()  # the other tenant's turn, and this run goes on by itself meanwhile
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert not runs.help_along(run_id=run.pk, at=timezone.now())


@pytest.mark.slow
@pytest.mark.usefixtures("in_hundreds")
def test_a_giant_gives_way_to_another_tenant_once_it_had_its_turn(
    world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "TURN", timedelta(0))
    run = begun_flights(world, tenant)
    other = make.tenant("Yak Air", legacy_ref="YY")
    with scope(tenant_id=other.pk):
        (small,) = runs.start(tenant_id=other.pk, by=HOUSE, at=timezone.now(), entities=["airports"])
    queue.run_pending(limit=1)
    assert Batch.objects.filter(run=run).count() == 1
    queue.run_pending()
    run.refresh_from_db()
    with scope(tenant_id=other.pk):
        small.refresh_from_db()
    assert run.finished_at
    assert small.finished_at
    assert run.finished_at > small.finished_at
    assert run.state == small.state == RunState.SUCCEEDED


def test_flights_wait_for_what_they_refer_to(world: Platforms, tenant: Tenant) -> None:
    run = move(tenant, "flights")["flights"]
    assert run.state == RunState.FAILED
    assert run.problem == "Flights refer to airports, which have not moved: move those first."


def test_a_mapping_that_cannot_be_read_starts_nothing_and_names_the_line(
    world: Platforms, tenant: Tenant, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "flights.yaml").write_text("format: crossing-mapping/1\nentity: Flights\n")
    settings.MAPPING_FOLDER = tmp_path
    with pytest.raises(runs.UnableToStart, match="The mapping cannot be read") as refused:
        runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    assert "flights.yaml:2" in refused.value.fix
    assert [message.id for message in mapping_is_readable()] == ["backfills.E001"]


def test_one_run_per_entity_moves_at_a_time(world: Platforms, tenant: Tenant) -> None:
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    with pytest.raises(runs.UnableToStart, match="under way already"):
        runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_only_who_manages_runs_may_start_one(tenant: Tenant, role: TenantRole) -> None:
    by = make.actor(make.member(tenant, role))
    with scope(tenant_id=tenant.pk), pytest.raises(PermissionRefused):
        runs.start(tenant_id=tenant.pk, by=by, at=timezone.now())


def test_a_run_leaves_its_steps_in_the_ledger(world: Platforms, tenant: Tenant) -> None:
    move(tenant, "airports")
    events = LedgerEntry.objects.filter(chain=tenant.pk, event__startswith="backfills.").order_by("seq")
    assert [entry.event for entry in events] == [
        "backfills.run.requested",
        "backfills.run.started",
        "backfills.run.finished",
    ]


def to_phase(tenant: Tenant, phase: str) -> None:
    Cutover.objects.update_or_create(tenant=tenant, defaults={"phase": phase})


@pytest.mark.parametrize("phase", ["full", "stabilise", "decommission", "done"])
def test_nothing_is_copied_once_the_account_works_on_the_new_platform(
    world: Platforms, tenant: Tenant, phase: str
) -> None:
    to_phase(tenant, phase)
    with pytest.raises(runs.UnableToStart, match="would overwrite what has changed there"):
        runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    assert not Run.objects.exists()


@pytest.mark.parametrize("phase", ["preflight", "canary", "ramp", "rolled_back"])
def test_until_then_it_is(world: Platforms, tenant: Tenant, phase: str) -> None:
    to_phase(tenant, phase)
    assert move(tenant, "airports")["airports"].state == RunState.SUCCEEDED


def test_a_run_under_way_ends_when_the_account_moves(world: Platforms, tenant: Tenant) -> None:
    """What people have changed since stands, and what legacy deleted later is not deleted there."""
    move(tenant, "airports")
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["airports"])
    assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    with psycopg.connect(world.new_owner, autocommit=True) as new:
        new.execute("UPDATE platform.airport SET name = 'Renamed by its people' WHERE code = 'JFK'")
    to_phase(tenant, "full")
    with pytest.raises(runs.UnableToMove, match="would overwrite"):
        runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "You work on the new platform now" in run.problem
    assert ("Renamed by its people",) in airline.new_rows(world, "SELECT name FROM platform.airport")
