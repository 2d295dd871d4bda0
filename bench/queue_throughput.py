"""The queue beside bare Celery, interleaved: jobs enqueued and drained per second, and a sweep over a long queue.

Run `python -m portal.house run python bench/queue_throughput.py [jobs] [rounds]`. It works on a database of its own,
cloned like a test's, and on the broker's database 15. Compare the ratios; the seconds belong to the machine.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from portal.house import development
from tests import databases

NAME = "crossing_bench_queue"
ENVIRONMENT = development.environment()
os.environ.update(
    {
        **ENVIRONMENT,
        "CROSSING_TESTS": "on",
        "LOG_LEVEL": "ERROR",
        "DATABASE_URL": databases.with_database(ENVIRONMENT["DATABASE_URL"], NAME),
        "BROKER_URL": ENVIRONMENT["BROKER_URL"].rsplit("/", 1)[0] + "/15",
    }
)

import django  # noqa: E402

django.setup()

from celery import current_app  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench import queue_tasks  # noqa: E402
from core import queue, tenancy  # noqa: E402
from core.models import Event, Job  # noqa: E402
from tests import make  # noqa: E402

QUEUED = f"{queue_tasks.__name__}.through_the_queue"
BARE = queue_tasks.bare.name


def main(jobs: int = 2000, rounds: int = 3) -> None:
    """Measure and print."""
    clone = databases.Clone(name=NAME, owner_url=ENVIRONMENT["DATABASE_OWNER_URL"])
    clone.create(template=databases.ensure_template(owner_url=ENVIRONMENT["DATABASE_OWNER_URL"]))
    try:
        tenant_id = make.tenant().id
        figures: dict[str, list[float]] = {}
        with tenancy.scope(tenant_id=tenant_id):
            for _ in range(rounds):
                for name, per_second in measure(tenant_id, jobs).items():
                    figures.setdefault(name, []).append(per_second)
        medians = {name: statistics.median(values) for name, values in figures.items()}
        for name, per_second in medians.items():
            print(f"{name:<28} {per_second:>8,.0f} /s")
        print(f"{'enqueue ÷ bare':<28} {medians['enqueue'] / medians['bare: publish']:>8.2f}")
        print(f"{'drain ÷ bare':<28} {medians['drain'] / medians['bare: drain']:>8.2f}")
        with make.arranging():
            long_queue(tenant_id, 20_000)
    finally:
        connection.close()
        clone.drop()


def measure(tenant_id: Any, jobs: int) -> dict[str, float]:
    """One round: both ways fill the broker first and are drained by two workers afterwards."""
    figures = {}
    for prefix, put in (
        ("", lambda: queue.enqueue(QUEUED, tenant_id=tenant_id)),
        ("bare: ", lambda: current_app.send_task(BARE, kwargs={"tenant_id": str(tenant_id)})),
    ):
        current_app.control.purge()
        before = Event.objects.count()
        began = time.perf_counter()
        for _ in range(jobs):
            put()
        figures[prefix + ("publish" if prefix else "enqueue")] = jobs / (time.perf_counter() - began)
        figures[f"{prefix}drain"] = drained(before, jobs)
    return figures


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def drained(before: int, jobs: int) -> float:
    """Start two workers and count the rows from the first tenth to the last: starting is not what is measured."""
    command = [sys.executable, "-m", "celery", "--app=portal.celery", "worker", "--include=bench.queue_tasks"]
    options = ["--concurrency=2", "--without-gossip", "--without-mingle", "--loglevel=ERROR"]
    worker = subprocess.Popen([*command, *options], start_new_session=True)
    first, start, swept = 0.0, 0, time.perf_counter()
    try:
        while (done := Event.objects.count() - before) < jobs:
            if not first and done >= jobs // 10:
                first, start = time.perf_counter(), done
            if time.perf_counter() - swept > 5:  # as beat would
                swept = time.perf_counter()
                with tenancy.empty_scope():
                    queue.sweep()
            time.sleep(0.05)
        return (jobs - start) / (time.perf_counter() - first)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(30)


def long_queue(tenant_id: Any, jobs: int) -> None:
    """Time a sweep that finds a long queue, and one that finds nothing to do."""
    Job.objects.bulk_create((Job(tenant_id=tenant_id, task=QUEUED) for _ in range(jobs)), batch_size=5000)
    settings.QUEUE_RINGS = False
    took = [milliseconds(queue.sweep) for _ in range(5)]
    print(f"{f'sweep, {jobs:,} waiting':<28} {statistics.median(took):>8,.0f} ms")
    Job.objects.filter(task=QUEUED).update(state="done", finished_at=timezone.now())
    took = [milliseconds(queue.sweep) for _ in range(5)]
    print(f"{f'sweep, {jobs:,} done':<28} {statistics.median(took):>8,.0f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
