"""Workers killed with -9, real ones with a real broker: nothing is lost and nothing is doubled."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event as Moment
from time import monotonic
from uuid import UUID

import pytest

from core import queue, tenancy
from core.models import Event, Job
from core.queue import JobState, claims
from tests import killing, make

LEASE_SECONDS = "2"
MOVE, ONCE = f"{killing.__name__}.move", f"{killing.__name__}.once"


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know the killing tasks alone, so that the sweeper brings nothing of the house."""
    tasks = {name: queue.TASKS[name] for name in (MOVE, ONCE)}
    monkeypatch.setattr(queue.TASKS, "_items", tasks)


@pytest.fixture(autouse=True)
def rung() -> None:
    """Ring the real bell."""


@contextmanager
def worker(environment: dict[str, str], *options: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery worker in a process group of its own; at the end it is killed with all its children."""
    command = [sys.executable, "-m", "celery", "--app=portal.celery", "worker", f"--include={killing.__name__}"]
    process = subprocess.Popen(
        [*command, "--concurrency=2", "--without-gossip", "--without-mingle", "--loglevel=ERROR", *options],
        env={**environment, "QUEUE_LEASE_SECONDS": LEASE_SECONDS, **more},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the worker and its children, as a machine that loses power would."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def sweep_until(what: Callable[[], bool], *, seconds: float = 60) -> None:
    """Sweep as beat would until something is so."""
    deadline, pause = monotonic() + seconds, Moment()
    while not what():
        assert monotonic() < deadline, [(job.state, job.attempts, job.error) for job in Job.objects.all()[:5]]
        queue.sweep()
        bring_forward()
        pause.wait(0.1)


def bring_forward() -> None:
    """Let no test wait for a pause between attempts, nor for the patience of the bell."""
    Job.objects.filter(state=JobState.QUEUED.value, attempts__gt=0, rung_at=None).update(not_before=claims.moment(None))


def rows(name: str) -> list[int]:
    """The rows that the tasks wrote, in order."""
    return sorted(payload["row"] for payload in Event.objects.filter(name=name).values_list("payload", flat=True))


def has_rows(name: str, number: int) -> bool:
    """Say whether so many rows are there."""
    return Event.objects.filter(name=name).count() >= number


def state_of(job_id: UUID) -> JobState:
    """Where a job stands."""
    return JobState(Job.objects.get(pk=job_id).state)


@pytest.mark.slow
def test_a_worker_killed_between_and_inside_batches_ends_as_if_undisturbed(child_environment: dict[str, str]) -> None:
    tenant = make.tenant()
    with socket.create_server(("127.0.0.1", 0)) as barrier, tenancy.scope(tenant_id=tenant.id):
        barrier.settimeout(60)
        port = str(barrier.getsockname()[1])
        job_id = queue.enqueue(MOVE, tenant_id=tenant.id)
        # First after the second batch is committed, then inside the transaction of the third.
        for committed in (20, 20):
            with worker(child_environment, CROSSING_TEST_BARRIER=port) as process:
                connection = accept_while_sweeping(barrier)
                assert len(rows("moved")) == committed
                assert state_of(job_id) is JobState.RUNNING
                kill(process)
                connection.close()
        with worker(child_environment):
            sweep_until(lambda: state_of(job_id) is JobState.DONE)
        assert rows("moved") == list(range(40))
        assert Job.objects.get(pk=job_id).attempts >= 3


@pytest.mark.slow
def test_a_short_job_is_done_while_long_ones_hold_the_other_worker(child_environment: dict[str, str]) -> None:
    busy, tenant = make.tenant(), make.tenant()
    with (
        socket.create_server(("127.0.0.1", 0)) as barrier,
        worker(child_environment, "--concurrency=1", CROSSING_TEST_BARRIER=str(barrier.getsockname()[1])),
        worker(child_environment, "--concurrency=1", "--queues=short", "--hostname=short@%h"),
    ):
        with tenancy.scope(tenant_id=busy.id):
            long = queue.enqueue(MOVE, tenant_id=busy.id)
            accept_while_sweeping(barrier)
            waits = queue.enqueue(MOVE, tenant_id=busy.id)
        with tenancy.scope(tenant_id=tenant.id):
            short = queue.enqueue(ONCE, tenant_id=tenant.id, number=1)
            sweep_until(lambda: state_of(short) is JobState.DONE, seconds=30)
        with tenancy.scope(tenant_id=busy.id):
            assert (state_of(long), state_of(waits)) == (JobState.RUNNING, JobState.QUEUED)


def accept_while_sweeping(barrier: socket.socket) -> socket.socket:
    """Wait for a worker at the barrier; meanwhile sweep, or a job whose bell died would never get there."""
    barrier.settimeout(0.1)
    arrived: list[socket.socket] = []

    def here() -> bool:
        try:
            arrived.append(barrier.accept()[0])
        except TimeoutError:
            return False
        return True

    sweep_until(here)
    arrived[0].settimeout(10)
    assert arrived[0].recv(4) == b"here"
    return arrived[0]


@pytest.mark.slow
def test_jobs_under_a_schedule_of_kills_are_each_done_once(child_environment: dict[str, str]) -> None:
    tenant, jobs = make.tenant(), 600
    with tenancy.scope(tenant_id=tenant.id):
        for number in range(jobs):
            queue.enqueue(ONCE, tenant_id=tenant.id, number=number)
        for kills in range(1, 7):
            reached = partial(has_rows, "once", jobs * kills // 8)
            with worker(child_environment):
                sweep_until(reached)
        with worker(child_environment):
            sweep_until(lambda: not Job.objects.exclude(state=JobState.DONE.value).exists(), seconds=180)
        assert rows("once") == list(range(jobs))
