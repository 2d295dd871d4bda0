"""Rejected rows are judged again, by the mapping of now, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, OutcomeTotal, Retry, Run
from backfills.queries import mapping
from backfills.services import retries, runs
from core import queue
from core.actor import Actor
from core.tenancy import scope
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


def move(tenant: Tenant) -> dict[str, Run]:
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    return {run.entity: Run.objects.get(pk=run.pk) for run in started}


def totals(run: Run) -> dict[tuple[str, str], int]:
    return {(total.fate, total.rule): total.count for total in OutcomeTotal.objects.filter(run=run)}


def change_mapping(settings: Settings, folder: Path, was: str, now: str) -> None:
    """Bring another version of the demo's mapping into force, as a deployment does."""
    for path in Path(settings.MAPPING_FOLDER).glob("*.yaml"):
        (folder / path.name).write_text(path.read_text().replace(was, now))
    settings.MAPPING_FOLDER = folder


def test_repaired_rows_move_on_retry_and_the_run_then_succeeds(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1)
    airline.flights(world, 3, tail_no="N3AAAA")
    run = move(tenant)["flights"]
    airline.legacy_do(world, "UPDATE flt_hist SET tail_no = 'N2ZZ' WHERE flt_seq IN (2, 3)")
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 4")
    retries.request(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert totals(run) == {("migrated", ""): 3, ("dropped", "gone_from_legacy"): 1}
    assert not DeadLetter.objects.filter(state=DeadLetter.State.OPEN).exists()


@pytest.mark.slow
def test_rows_that_stay_wrong_count_their_attempts(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1, tail_no="N3AAAA")
    run = move(tenant)["flights"]
    retries.request(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    run.refresh_from_db()
    assert run.state == RunState.STOPPED
    assert DeadLetter.objects.get().attempts == 2
    assert totals(run) == {("quarantined", "fleet_number_for_registration"): 1}


@pytest.mark.slow
def test_a_retry_says_by_which_version_it_judged_and_what_became_of_the_rows(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1)
    airline.flights(world, 2, tail_no="N3AAAA")
    run = move(tenant)["flights"]
    airline.legacy_do(world, "UPDATE flt_hist SET tail_no = 'N2ZZ' WHERE flt_seq = 2")
    retries.request(run=run, by=HOUSE, at=timezone.now())
    assert set(DeadLetter.objects.values_list("state", flat=True)) == {"retrying"}
    retry = Retry.objects.get()
    assert (retry.state, retry.asked, retry.spec) == ("running", 2, run.spec)
    queue.run_pending()
    retry.refresh_from_db()
    assert (retry.state, retry.settled, retry.changed) == ("done", 1, 1)
    assert dict(DeadLetter.objects.values_list("source_key", "state")) == {"2": "resolved", "3": "open"}


def test_a_retry_that_is_refused_leaves_the_run_as_it_stood(
    world: Platforms, tenant: Tenant, settings: Settings, tmp_path: Path
) -> None:
    airline.flights(world, 1, tail_no="N3AAAA")
    run = move(tenant)["flights"]
    stood = (run.state, run.problem)
    retries.request(run=run, by=HOUSE, at=timezone.now())
    change_mapping(settings, tmp_path, "title: Flights", "title: All flights")
    queue.run_pending()
    run.refresh_from_db()
    assert (run.state, run.problem) == stood == (RunState.STOPPED, stood[1])
    assert run.finished_at
    retry, letter = Retry.objects.get(), DeadLetter.objects.get()
    assert (retry.state, retry.settled, letter.state) == ("failed", 0, "open")
    assert "The mapping was changed meanwhile" in retry.problem
    airline.legacy_do(world, "UPDATE flt_hist SET tail_no = 'N2ZZ'")
    retries.request(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    run.refresh_from_db()
    assert (run.state, run.problem) == (RunState.SUCCEEDED, "")


def test_a_run_is_not_finished_by_another_version_than_it_began_with(
    world: Platforms, tenant: Tenant, settings: Settings, tmp_path: Path
) -> None:
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["airports"])[0]
    change_mapping(settings, tmp_path, "title: Airports", "title: All airports")
    runs.advance(run_id=started.pk, by=HOUSE, at=timezone.now())
    started.refresh_from_db()
    assert started.spec == mapping.specs()["airports"].label  # nothing had moved yet
    (tmp_path / "later").mkdir()
    change_mapping(settings, tmp_path / "later", "title: All airports", "title: Every airport")
    with pytest.raises(runs.UnableToMove, match="one version judges all rows: start the run again"):
        runs.advance(run_id=started.pk, by=HOUSE, at=timezone.now())
    started.refresh_from_db()
    assert started.state == RunState.FAILED


@pytest.mark.slow
def test_a_row_that_the_new_platform_has_settled_already_is_not_asked_for_for_ever(
    world: Platforms, tenant: Tenant
) -> None:
    airline.flights(world, 1, tail_no="N3AAAA")
    run = move(tenant)["flights"]
    airline.legacy_do(world, "UPDATE flt_hist SET tail_no = 'N2ZZ'")
    retries.request(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    DeadLetter.objects.update(state=DeadLetter.State.OPEN)  # as if nobody had told us
    run.refresh_from_db()
    retries.request(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert DeadLetter.objects.get().state == "resolved"


@pytest.mark.slow
def test_there_must_be_something_to_try_again(world: Platforms, tenant: Tenant) -> None:
    run = move(tenant)["airports"]
    with pytest.raises(retries.UnableToRetry, match="No row of this run is rejected any more"):
        retries.request(run=run, by=HOUSE, at=timezone.now())
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["airports"])
    with pytest.raises(retries.UnableToRetry):
        retries.request(run=run, by=HOUSE, at=timezone.now())
