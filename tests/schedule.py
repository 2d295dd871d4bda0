"""A hundred thousand rows moved while worker, broker and database are killed again and again.

    CROSSING_STATE=… python tests/schedule.py rows kills seed

Run by `tests/services/test_kill_schedule.py` with a state folder of its own, so that the servers it kills are nobody
else's. Prints as JSON what was killed and what was left, beside what an undisturbed run leaves.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.conftest as house  # isort: skip  # takes the servers and sets Django up, before anything else

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import Batch, DeadLetter, OutcomeTotal, Run
from backfills.services import runs
from core import queue, tenancy
from core.actor import Actor
from core.domain.jobs import JobState
from core.models import Job
from core.queue import claims
from portal.house.state import Memory
from portal.house.valkey import Valkey
from tests import airline, databases, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
BATCH, BAD = 1000, 1000
MAPPING = Path(__file__).parents[1] / "portal" / "demo" / "mapping"
FLIGHTS = """
INSERT INTO flt_hist (flt_seq, carr_cd, flt_no, flt_dt, leg_no, org_stn, dst_stn, tail_no, sch_dep, sch_arr, act_dep,
    act_arr, dep_dly, arr_dly, air_min, dist_mi, can_flg)
SELECT n, 'ZZ', lpad((n %% 9000 + 1)::text, 4, '0'), to_char(date '2013-01-01' + (n / 9000)::int, 'YYYYMMDD'), '1',
    'JFK', 'LAX', CASE WHEN n %% %(bad)s = 0 THEN 'N3AAAA' ELSE 'N1ZZ' END, '0900', '1220', '0905', '1215', 5, -5, 340,
    2475, 'N'
FROM generate_series(1, %(rows)s) AS n
"""
LEFT = """
SELECT count(*), count(DISTINCT reference), md5(string_agg((to_jsonb(f) - 'account_id')::text, '' ORDER BY reference))
  FROM platform.flight f
"""
TRACES = """
SELECT count(*), count(DISTINCT source_key),
       md5(string_agg(source_key || target_key || spec || source_hash::text, '' ORDER BY source_key))
  FROM platform.provenance WHERE entity = 'flights'
"""


class Schedule:
    """The processes that move rows, and how to kill each."""

    def __init__(self, pair: Platforms, environment: dict[str, str]) -> None:
        self.pair, self.environment = pair, environment
        self.worker = self._start_worker()

    def _start_worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "--app=portal.celery", "worker", "--concurrency=2"]
        return subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", "--loglevel=CRITICAL"],
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_worker(self) -> None:
        """Kill the worker with all its children, and start another."""
        self.end()
        self.worker = self._start_worker()

    def end(self) -> None:
        """Kill the worker."""
        with suppress(ProcessLookupError):
            os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait(10)

    def keep(self) -> None:
        """Start a worker anew that has ended by itself, as `Restart=always` does.

        Celery's does so when the broker is killed again while it reconnects: its channel has no connection then.
        """
        if self.worker.poll() is not None:
            self.worker = self._start_worker()

    def kill_broker(self) -> None:
        """Kill the broker and start it again on what it had written."""
        valkey = Valkey(Memory())
        found = [line for line in valkey.ask("INFO", "server").split() if line.startswith("process_id:")]
        number = int(found[0].split(":")[1]) if found else _listening(str(valkey.home / "valkey.conf"))
        os.kill(number, signal.SIGKILL)
        while valkey.is_running():
            time.sleep(0.02)
        valkey.start()

    def kill_database(self) -> None:
        """Kill one session of the new platform: the whole server then ends every other and recovers from its log."""
        with psycopg.connect(self.pair.new_owner, autocommit=True) as connection:
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert row is not None
            os.kill(row[0], signal.SIGKILL)

    def read(self) -> int:
        """Count the flights that the run has read; -1 while nobody answers."""
        with suppress(psycopg.Error), psycopg.connect(self.pair.new_loader, connect_timeout=5) as connection:
            row = connection.execute("SELECT max(read) FROM crossing_stage.run WHERE entity = 'flights'").fetchone()
            return int(row[0] or 0) if row else 0
        return -1


def _listening(name: str) -> int:
    """Find the process that was started with a file."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"valkey" in words[0] and (folder / "cwd").readlink() == Path(name).parent:
                return int(folder.name)
    raise RuntimeError("There is no broker to kill.")


def until(what: Any, *, schedule: Schedule, seconds: float = 300) -> None:
    """Sweep as beat would, and keep a worker running, until something is so, whatever is down meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        schedule.keep()
        try:
            if what():
                return
            queue.sweep()
            waiting = Job.objects.filter(state=JobState.QUEUED.value, attempts__gt=0)
            waiting.update(not_before=claims.moment(None))
        except (DatabaseError, InterfaceError):
            connections.close_all()
        if time.monotonic() > deadline:
            raise RuntimeError(str([(job.task, job.state, job.attempts, job.problem) for job in Job.objects.all()]))
        time.sleep(0.1)


def left(pair: Platforms, run: Run) -> dict[str, Any]:
    """Everything that a run left."""
    run.refresh_from_db()
    return {
        "flights": airline.new_rows(pair, LEFT),
        "provenance": airline.new_rows(pair, TRACES),
        "totals": sorted(OutcomeTotal.objects.filter(run=run).values_list("fate", "rule", "count")),
        "letters": sorted(DeadLetter.objects.filter(run=run, state="open").values_list("source_key", "rule")),
        "batches": sorted(Batch.objects.filter(run=run).values_list("first_key", "last_key", "rows")),
        "run": [run.state, run.source_total, run.read],
    }


def start(tenant: Tenant) -> Run:
    """Start all runs and return that of the flights."""
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    return next(run for run in started if run.entity == "flights")


def main(rows: int, kills: int, seed: int) -> None:
    """Move twice, once in peace, and print both."""
    clone = house.CLONE
    clone.create(template=databases.ensure_template(owner_url=os.environ["DATABASE_OWNER_URL"]))
    with databases.platforms(kind="schedule", durable=True) as pair, TemporaryDirectory() as folder:
        for path in MAPPING.glob("*.yaml"):
            text = path.read_text().replace("batch: 5000", f"batch: {BATCH}")
            text = text.replace("above_percent: 0.1", "above_percent: 1")
            (Path(folder) / path.name).write_text(text)
        settings.MAPPING_FOLDER = folder
        airline.create(pair)
        airline.refill(pair)
        with psycopg.connect(pair.legacy_owner) as connection:
            connection.execute(FLIGHTS.encode(), {"rows": rows, "bad": BAD})
        airline.use(pair, settings)
        settings.QUEUE_RINGS = False
        tenant = make.tenant("Zebra Air", legacy_ref=airline.CODE)
        with tenancy.scope(tenant_id=tenant.pk):
            undisturbed = start(tenant)
            queue.run_pending()
            peace = left(pair, undisturbed)
            airline.empty_new(pair)
            DeadLetter.objects.all().delete()
            settings.QUEUE_RINGS = True
            told = disturbed(pair, tenant, folder, rows=rows, kills=kills, chance=random.Random(seed))
    connections.close_all()
    clone.drop()
    print(json.dumps({"peace": peace, **told}, default=str))


def disturbed(
    pair: Platforms, tenant: Tenant, folder: str, *, rows: int, kills: int, chance: random.Random
) -> dict[str, Any]:
    """Move while everything is killed at seeded points of the run, and tell what was left."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "LEGACY_DATABASE_URL": pair.legacy_reader,
        "NEW_DATABASE_URL": pair.new_loader,
        "MAPPING_FOLDER": folder,
        "QUEUE_LEASE_SECONDS": "1",
    }
    run = start(tenant)
    schedule = Schedule(pair, environment)
    killed: Counter[str] = Counter()
    victims = ["worker", "broker", "database"] * (kills // 3)
    chance.shuffle(victims)
    points = sorted(chance.sample(range(rows * 9 // 10), len(victims)))
    try:
        for point, victim in zip(points, victims, strict=True):
            until(lambda point=point: schedule.read() >= point, schedule=schedule)
            time.sleep(chance.random() / 4)
            if schedule.read() < rows:
                killed[victim] += 1
            getattr(schedule, f"kill_{victim}")()
        until(lambda: RunState(Run.objects.get(pk=run.pk).state).is_over, schedule=schedule)
    finally:
        schedule.end()
    return {"killed": killed, "left": left(pair, run)}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
