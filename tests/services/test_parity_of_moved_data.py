"""The whole way on real databases: rows move by a run, and the real comparison judges what arrived."""

import io
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.services import runs
from core import queue, tenancy
from core.actor import Actor
from parity_reports import verifier
from parity_reports.models import EntityResult, Report, Sample
from parity_reports.queries import files, verification
from parity_reports.services import reports
from tests import airline, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(airline_world: Platforms, settings: Settings) -> Platforms:
    airline.compare_with(airline_world, settings)
    return airline_world


@pytest.fixture
def tenant(world: Platforms) -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with tenancy.scope(tenant_id=made.pk):
        yield made


def move(tenant: Tenant) -> None:
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()


def compare(tenant: Tenant) -> Report:
    report = reports.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    report.refresh_from_db()
    return report


def change(world: Platforms, statement: str) -> None:
    """Change the new platform behind everybody's back."""
    with psycopg.connect(world.new_owner) as connection:
        connection.execute(statement)


def test_what_a_run_moved_is_equal_in_every_column(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 40)
    airline.flights(world, 1, act_arr="2400", arr_dly=700, tail_no=None)
    airline.flights(world, 1, act_dep=None, act_arr=None, dep_dly=None, arr_dly=None, air_min=None)
    move(tenant)
    report = compare(tenant)
    assert (report.verdict, report.problem) == ("equal", ""), report.problem
    assert report.compared == 42 + 2 + 1 + 7  # flights, aircraft, one type, airports with four supplied


@pytest.mark.slow
def test_what_nobody_moved_is_missing(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 3)
    report = compare(tenant)
    assert (report.verdict, report.missing, report.actual) == ("different", 3 + 2 + 1 + 7, 0)


@pytest.mark.slow
def test_rows_in_quarantine_are_missing_with_the_rule_that_holds_them(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 5)
    airline.flights(world, 2, tail_no="0123")
    move(tenant)
    report = compare(tenant)
    flights = EntityResult.objects.get(report=report, entity="flights")
    assert (report.verdict, flights.missing, flights.held) == ("different", 2, {"fleet_number_for_registration": 2})


SLIGHTEST = [
    ("departed_at = departed_at + interval '1 microsecond'", "departed_at", "precision"),
    ("distance_km = distance_km + 0.1", "distance_km", "value"),
    ("reported_registration = 'n1zz'", "reported_registration", "case"),
    ("reported_registration = 'N1ZZ '", "reported_registration", "whitespace"),
    ("registration = NULL", "registration", "null"),
    ("arrival_delay_minutes = 5", "arrival_delay_minutes", "value"),
    ("status = 'diverted'", "status", "value"),
]


@pytest.mark.slow
def test_the_slightest_changes_on_the_new_platform_are_found(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, len(SLIGHTEST) + 1)
    move(tenant)
    for number, (assignment, _, _) in enumerate(SLIGHTEST, start=1):
        change(world, f"UPDATE platform.flight SET {assignment} WHERE number = {number}")
    report = compare(tenant)
    assert (report.verdict, report.different, report.tally.errors) == ("different", len(SLIGHTEST), len(SLIGHTEST))
    found = Sample.objects.filter(entity__report=report).values_list("column", "kind")
    assert sorted(found) == sorted((column, kind) for _, column, kind in SLIGHTEST)


@pytest.mark.slow
def test_a_deleted_and_an_invented_row_are_found(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 3)
    move(tenant)
    change(world, "DELETE FROM platform.flight WHERE number = 1")
    change(world, "UPDATE platform.flight SET reference = 'invented' WHERE number = 3")
    report = compare(tenant)
    assert (report.missing, report.extra) == (2, 1)


@pytest.mark.slow
def test_wrong_bookkeeping_of_the_run_does_not_deceive_the_comparison(world: Platforms, tenant: Tenant) -> None:
    """The comparison is evidence of its own: it reads raw rows, not what the run wrote down about them."""
    airline.flights(world, 2)
    move(tenant)
    change(world, "DELETE FROM platform.provenance")
    change(world, "DELETE FROM platform.flight")
    assert compare(tenant).missing == 2


def test_comparing_while_data_move_is_refused_with_the_reason(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    with pytest.raises(reports.UnableToCompare, match="being moved"):
        reports.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())


@pytest.mark.slow
def test_an_export_of_the_new_platform_agrees_with_the_report_until_it_is_altered(
    world: Platforms,
    tenant: Tenant,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    airline.flights(world, 40)
    airline.flights(world, 1, act_dep=None, act_arr=None, dep_dly=None, arr_dly=None, air_min=None)
    move(tenant)
    report = compare(tenant)
    (tmp_path / "report.json").write_bytes(files.sealed(report))
    # Whatever zone the export was made in.
    monkeypatch.setenv("PGTZ", "America/New_York")
    settings.DEMO, settings.NEW_DATABASE_URL = True, world.new_loader
    told = io.StringIO()
    call_command("demo_export", tenant.slug, "flights", stdout=told)
    exported = told.getvalue().encode()
    assert b"-05," in exported or b"-04," in exported
    export = tmp_path / "flights.csv"
    arguments = [str(tmp_path / "report.json"), f"flights={export}", "--code", verification.new_code(report.pk)]
    export.write_bytes(exported)
    assert verifier.main(arguments) == 0, capsys.readouterr()
    lines = exported.splitlines(keepends=True)
    export.write_bytes(b"".join([*lines, lines[7]]))
    assert verifier.main(arguments) == 1
    assert "stands 2 times (line 8, line 43)" in capsys.readouterr().out
