"""Mapping 100,000 people beside its physical reference: ratios of wall time to a bare `COPY` of the same rows.

    make bench-people [ARGS="--people 100000 --rounds 3"]

Interleaved rounds, medians; ratios, never seconds. The reference pumps both raw tables of people through this process
into tables without an index. Ours goes through the real adapter and the real database: read page by page, kept under
canonical ids, checkpointed, judged by one statement and closed only while everybody has one outcome. `again` is a
second mapping of the same people, which changes nobody.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.conftest as house  # isort: skip - takes the servers and sets Django up, before anything else

import psycopg
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connections
from django.utils import timezone

from accounts.models import LegacyPerson, MapRun
from accounts.services.identity_map import runs
from core import tenancy
from portal.adapters.people import PostgresPeople
from portal.demo import legacy, newplatform
from tests import databases, make

RESULTS = Path(__file__).parent / "results" / "people.json"
CODE = "ZZ"
LEGACY = """
INSERT INTO usr_mast
SELECT 'ZZ', n, 'first.last' || n || '@zz.example', 'First Last ' || n, CASE n %% 3 WHEN 0 THEN 'DSP' ELSE 'MEM' END,
       CASE n %% 50 WHEN 0 THEN 'N' ELSE 'Y' END
  FROM generate_series(1, %s) AS n
"""
NEW = """
INSERT INTO platform.person
SELECT %s, 'p-' || n, '00u' || n, CASE n %% 20 WHEN 0 THEN 'renamed' || n ELSE 'first.last' || n || '@zz.example' END,
       'first.last' || n || '@zz.example', 'First Last ' || n, 'viewer', true
  FROM generate_series(1, %s) AS n WHERE n %% 10 <> 1
"""
BARE_LEGACY = b"carr_cd text, usr_id integer, login text, full_nm text, role_cd text, act_flg char(1)"
TABLES = (("legacy", "usr_mast"), ("new", "platform.person"))


def measured(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copy(pair: databases.Platforms) -> None:
    """Pump both tables of people through this process into tables without an index."""
    for side, table in TABLES:
        url = pair.legacy_owner if side == "legacy" else pair.new_owner
        with psycopg.connect(url) as source, psycopg.connect(pair.new_owner) as target:
            target.execute(f"TRUNCATE bare_{side}".encode())
            with (
                source.cursor().copy(f"COPY {table} TO STDOUT".encode()) as out,
                target.cursor().copy(f"COPY bare_{side} FROM STDIN".encode()) as into,
            ):
                for block in out:
                    into.write(block)


def mapping(tenant_id: object) -> MapRun:
    """Map everybody of a tenant."""
    with tenancy.scope(tenant_id=tenant_id):  # type: ignore[arg-type]
        run = runs.request(tenant_id=tenant_id, by=make.SYSTEM, at=timezone.now())  # type: ignore[arg-type]
        runs.advance(run_id=run.pk, by=make.SYSTEM, now=timezone.now)
        run.refresh_from_db()
    assert run.state == "done", run.problem
    return run


def forget(tenant_id: object, owner_url: str) -> None:
    """Empty the map, so that the next round begins with nothing."""
    with psycopg.connect(owner_url) as connection:
        connection.execute(b"TRUNCATE accounts_legacyperson, accounts_newperson, accounts_maprun CASCADE")


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    house.CLONE.create(template=databases.ensure_template(owner_url=house.CLONE.owner_url))
    clone_owner = databases.with_database(house.CLONE.owner_url, house.CLONE.name)
    try:
        with databases.platforms(kind="people-bench", durable=True) as pair:
            results = measure(pair, clone_owner, people=asked.people, rounds=asked.rounds)
    finally:
        connections.close_all()
        house.CLONE.drop()
    print(json.dumps(results, indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def measure(pair: databases.Platforms, owner_url: str, *, people: int, rounds: int) -> list[dict[str, object]]:
    """Return the medians of some rounds."""
    tenant = make.tenant(legacy_ref=CODE)
    with psycopg.connect(pair.legacy_owner) as connection:
        connection.execute(legacy.DDL.read_bytes())
        connection.execute(LEGACY.encode(), [people])
    newplatform.create(pair.new_owner)
    with psycopg.connect(pair.new_owner) as connection:
        connection.execute(NEW.encode(), [tenant.pk, people])
        connection.execute(b"CREATE TABLE bare_new (LIKE platform.person)")
        connection.execute(b"CREATE TABLE bare_legacy (" + BARE_LEGACY + b")")
    backend = f"{PostgresPeople.__module__}.{PostgresPeople.__name__}"
    options = {"legacy": pair.legacy_reader, "new": pair.new_loader, "owner": "account-owner"}
    settings.ADAPTERS["people"] = {"BACKEND": backend, "OPTIONS": options}
    settings.QUEUE_RINGS = False
    setting_changed.send(sender=None, setting="ADAPTERS", value=settings.ADAPTERS, enter=True)
    took: dict[str, list[float]] = {"bare COPY": [], "map": [], "again": []}
    peak, correct = 0, True
    for _ in range(rounds):
        took["bare COPY"].append(measured(lambda: copy(pair)))
        forget(tenant.pk, owner_url)
        took["map"].append(measured(lambda: mapping(tenant.pk)))
        peak = max(peak, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        took["again"].append(measured(lambda: mapping(tenant.pk)))
        correct = correct and right(tenant.pk, people)
    base = statistics.median(took["bare COPY"])
    return [
        {
            "case": f"{people} people",
            "tool": "bare COPY" if name == "bare COPY" else f"crossing, {name}",
            "peer": False,
            "ratio": round(statistics.median(seconds) / base, 2),
            "wall_s": round(statistics.median(seconds), 2),
            "peak_mb": peak if name == "map" else None,
            "correct": correct,
        }
        for name, seconds in took.items()
    ]


def right(tenant_id: object, people: int) -> bool:
    """Tell whether as many ended in each place as the rows were made for, by no code of ours."""
    numbers = range(1, people + 1)
    active = [n for n in numbers if n % 50]
    expected = {
        "dropped": people - len(active),
        "mapped": sum(1 for n in active if n % 10 != 1 and n % 20),
        "placeholder": sum(1 for n in active if n % 10 == 1 or not n % 20),
    }
    with tenancy.scope(tenant_id=tenant_id):  # type: ignore[arg-type]
        found = runs.count(tenant_id=tenant_id)  # type: ignore[arg-type]
        alone = LegacyPerson.objects.filter(tenant_id=tenant_id, outcome="mapped").values("new").distinct().count()
    return found == expected and alone == expected["mapped"]


if __name__ == "__main__":
    main()
