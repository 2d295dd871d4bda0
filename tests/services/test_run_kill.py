"""The worker killed with -9 in the middle of a run: the same rows and totals as if nothing had happened."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Moment
from time import monotonic
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import Batch, DeadLetter, OutcomeTotal, Run
from backfills.services import runs
from core import queue, tenancy
from core.actor import Actor
from core.domain.jobs import JobState
from core.models import Job
from core.queue import claims
from tests import airline, make, stopping
from tests.databases import Platforms

HOUSE = Actor.system("tests")
MAPPING = Path(__file__).parents[2] / "portal" / "demo" / "mapping"
FLIGHTS, REJECTED, BATCH = 420, 25, 100


@pytest.fixture
def mapping(tmp_path: Path, settings: Settings) -> Path:
    """The demo's mapping in batches of a hundred."""
    for path in MAPPING.glob("*.yaml"):
        text = (
            path.read_text()
            .replace("batch: 5000", f"batch: {BATCH}")
            .replace("above_percent: 0.1", "above_percent: 50")
        )
        (tmp_path / path.name).write_text(text)
    settings.MAPPING_FOLDER = tmp_path
    return tmp_path


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery worker in a process group of its own; at the end it is killed with all its children."""
    command = [sys.executable, "-m", "celery", "--app=portal.celery", "worker", f"--include={stopping.__name__}"]
    process = subprocess.Popen(
        [*command, "--concurrency=1", "--without-gossip", "--without-mingle", "--loglevel=ERROR"],
        env={**environment, "QUEUE_LEASE_SECONDS": "1"},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def sweep_until(what: Callable[[], bool], *, seconds: float = 90) -> None:
    """Sweep as beat would until something is so; no job waits for a pause between attempts."""
    deadline, pause = monotonic() + seconds, Moment()
    while not what():
        assert monotonic() < deadline, [(job.state, job.attempts, job.problem) for job in Job.objects.all()[:5]]
        queue.sweep()
        waiting = Job.objects.filter(state=JobState.QUEUED.value, attempts__gt=0, rung_at=None)
        waiting.update(not_before=claims.moment(None))
        pause.wait(0.1)


def arrived(barrier: socket.socket) -> socket.socket:
    """Sweep until a worker stands at the barrier."""
    barrier.settimeout(0.1)
    here: list[socket.socket] = []

    def come() -> bool:
        try:
            here.append(barrier.accept()[0])
        except TimeoutError:
            return False
        return True

    sweep_until(come)
    assert here[0].recv(4) == b"here"
    return here[0]


def left(world: Platforms, run: Run) -> dict[str, Any]:
    """Everything the run left, on the new platform and here, apart from ids and times."""
    flights = "SELECT to_jsonb(f) - 'account_id' FROM platform.flight f ORDER BY reference"
    traces = "SELECT source_key, target_key, spec, source_hash FROM platform.provenance ORDER BY entity, source_key"
    return {
        "flights": airline.new_rows(world, flights),
        "provenance": airline.new_rows(world, traces),
        "totals": sorted(OutcomeTotal.objects.filter(run=run).values_list("fate", "rule", "count")),
        "letters": sorted(DeadLetter.objects.filter(run=run).values_list("source_key", "rule", "state", "attempts")),
        # Which range comes first after a kill depends on how soon the server lets go of the dead one's.
        "batches": sorted(Batch.objects.filter(run=run).values_list("first_key", "last_key", "rows", "changed")),
        "run": (run.state, run.source_total, run.read, run.batches, run.changed),
    }


@pytest.mark.slow
@pytest.mark.parametrize("places", [("inside:2", "after:3"), ("after:1", "inside:4")])
def test_a_run_killed_between_and_inside_batches_ends_as_an_undisturbed_one(
    child_environment: dict[str, str],
    airline_world: Platforms,
    mapping: Path,
    settings: Settings,
    places: tuple[str, str],
) -> None:
    airline.flights(airline_world, FLIGHTS - REJECTED)
    airline.flights(airline_world, REJECTED, tail_no="N3AAAA")
    tenant = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with tenancy.scope(tenant_id=tenant.pk):
        undisturbed = in_peace(airline_world, tenant)
        airline.empty_new(airline_world)
        DeadLetter.objects.all().delete()
        settings.QUEUE_RINGS = True
        with socket.create_server(("127.0.0.1", 0)) as barrier:
            environment = {
                **child_environment,
                "LEGACY_DATABASE_URL": airline_world.legacy_reader,
                "NEW_DATABASE_URL": airline_world.new_loader,
                "MAPPING_FOLDER": str(mapping),
                stopping.BARRIER: str(barrier.getsockname()[1]),
            }
            started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
            run = next(one for one in started if one.entity == "flights")
            for place in places:
                with worker({**environment, stopping.WHERE: place}) as process:
                    connection = arrived(barrier)
                    run.refresh_from_db()
                    assert run.state == RunState.RUNNING
                    assert run.batches < 8  # at least one is left
                    os.killpg(process.pid, signal.SIGKILL)
                    connection.close()
            with worker(environment):
                sweep_until(lambda: Run.objects.get(pk=run.pk).state == RunState.SUCCEEDED)
        run.refresh_from_db()
        assert left(airline_world, run) == undisturbed


def in_peace(world: Platforms, tenant: Tenant) -> dict[str, Any]:
    """Move everything without a disturbance, and return what that left."""
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    run = next(Run.objects.get(pk=one.pk) for one in started if one.entity == "flights")
    found = left(world, run)
    assert found["run"] == (RunState.SUCCEEDED, FLIGHTS, FLIGHTS, 8, FLIGHTS - REJECTED)
    return found
