"""A backfill beside its physical reference: ratios of wall time to `COPY out | COPY in` of the raw table, no index.

    make bench-backfill [ARGS="rows rounds"]

Interleaved rounds, medians; ratios, never seconds. Ours goes through the real adapters: raw rows staged, validated,
mapped, upserted, rejected rows set apart, their fate written down, checkpoint moved, one transaction a batch. The peer
is dlt, which checks nothing; it is installed into an environment of its own in the state folder of this checkout.
"""

import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.conftest  # isort: skip  # noqa: F401 - takes the servers and sets Django up, before anything else

import psycopg
from cryptography.fernet import Fernet
from django.utils import timezone

from backfills.domain import spec as specs
from backfills.services import runs
from core.moving import LoadOrder, SourceRows
from portal.adapters.legacy import PostgresLegacy
from portal.adapters.newplatform import PostgresMover
from portal.demo import newplatform
from portal.house import state
from tests import databases

RESULTS = Path(__file__).parent / "results" / "backfill.json"
PEER = Path(__file__).parent / "peers" / "dlt_copy.py"
DLT = "dlt[postgres,sql_database]==1.31.0"
KEY = Fernet.generate_key().decode()
POISON_EVERY = 1000
KINDS = 10
"""Kinds of bad rows; every thousandth row is one of them when the source is poisoned."""

SPEC = """
format: crossing-mapping/1
entity: customers
version: 1
title: Customers
batch: {batch}
stop_above_percent: 0.1
source:
  system: legacy
  table: cust_mast
  tenant: own_cd
  key: {{column: cust_no, type: bigint}}
  columns:
    cust_no: {{class: public}}
    guid: {{class: public}}
    nm: {{class: public}}
    mail: {{class: public}}
    amt: {{class: public}}
    flag: {{class: public}}
    day: {{class: public}}
    clock: {{class: public}}
    zone: {{class: public}}
    city: {{class: public}}
    qty: {{class: public}}
    kind: {{class: public}}
target: {{table: clean.customer, tenant: account_id, key: id}}
time_zones: [America/New_York, Europe/Berlin]
tables:
  kinds: {{P: person, O: organisation}}
sets:
  zones: [America/New_York, Europe/Berlin]
let:
  since: date(day)
  minutes: hhmm(clock)
rules:
  - {{name: no_such_zone, when: "not one_of(zone, 'zones')", then: quarantine, column: zone, because: Odd., fix: Mend.}}
  - {{name: too_much, when: "int(qty) > 5000", then: quarantine, column: qty, because: Too many., fix: Correct it.}}
columns:
  id: {{is: int(cust_no), type: bigint, required: true, class: public}}
  guid: {{is: lower(guid), type: text, required: true, max: 32, class: public}}
  name: {{is: nfc(trim(nm)), type: text, required: true, class: public}}
  email: {{is: lower(mail), type: text, required: true, class: public}}
  cents: {{is: "decimal(amt) * 100", type: "numeric(14,2)", required: true, class: public}}
  active: {{is: yes_no(flag), type: boolean, required: true, class: public}}
  begins_at: {{is: "at_local(since, minutes, zone)", type: timestamptz, required: true, class: public}}
  city: {{is: "coalesce(city, 'unknown')", type: text, required: true, class: public}}
  quantity: {{is: int(qty), type: smallint, required: true, class: public}}
  kind: {{is: "value(kind, 'kinds')", type: text, required: true, class: public}}
"""
LEGACY = """
CREATE TABLE cust_mast (own_cd text, cust_no bigint PRIMARY KEY, guid text, nm text, mail text, amt text, flag char(1),
    day text, clock text, zone text, city text, qty text, kind text);
INSERT INTO cust_mast SELECT 'A', n, upper(md5(n::text)), '  Customer ' || n || ' ', 'Person' || n || '@Example.COM',
    round(n * 1.37 % 100000, 2)::text, CASE WHEN n % 3 = 0 THEN 'Y' ELSE 'N' END,
    to_char(date '2013-01-01' + (n % 365)::int, 'YYYYMMDD'),
    to_char(time '00:00' + (n % 1440) * interval '1 min', 'HH24MI'),
    CASE WHEN n % 2 = 0 THEN 'America/New_York' ELSE 'Europe/Berlin' END,
    CASE WHEN n % 10 = 0 THEN NULL ELSE 'City ' || n % 500 END, (n % 1000)::text,
    CASE WHEN n % 7 = 0 THEN 'O' ELSE 'P' END FROM generate_series(1, {rows}) AS n;
GRANT SELECT ON cust_mast TO legacy_reader;
"""
POISON = """
UPDATE cust_mast SET
    guid = CASE k WHEN 0 THEN guid || 'x' ELSE guid END, nm = CASE k WHEN 1 THEN NULL ELSE nm END,
    amt = CASE k WHEN 2 THEN '12,50' WHEN 3 THEN '999999999999999' ELSE amt END,
    flag = CASE k WHEN 4 THEN '?' ELSE flag END, day = CASE k WHEN 5 THEN '20130230' ELSE day END,
    clock = CASE k WHEN 6 THEN '2561' ELSE clock END, zone = CASE k WHEN 7 THEN 'Mars/Olympus' ELSE zone END,
    qty = CASE k WHEN 8 THEN '6000' ELSE qty END, kind = CASE k WHEN 9 THEN 'Z' ELSE kind END
FROM (SELECT cust_no AS n, cust_no / {every} % {kinds} AS k FROM cust_mast WHERE cust_no % {every} = 0) AS bad
WHERE cust_no = n;
"""
NEW = """
CREATE SCHEMA clean;
CREATE TABLE clean.customer (account_id uuid NOT NULL, id bigint, guid text NOT NULL,
    name text NOT NULL, email text NOT NULL, cents numeric(14,2) NOT NULL, active boolean NOT NULL,
    begins_at timestamptz NOT NULL, city text NOT NULL, quantity smallint NOT NULL, kind text NOT NULL,
    PRIMARY KEY (account_id, id));
CREATE TABLE clean.raw (own_cd text, cust_no bigint, guid text, nm text, mail text, amt text, flag char(1), day text,
    clock text, zone text, city text, qty text, kind text);
GRANT USAGE ON SCHEMA clean TO new_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clean TO new_loader;
"""
WRONG = """
SELECT count(*) FROM generate_series(1, %(rows)s) AS n LEFT JOIN clean.customer AS c ON c.id = n
 WHERE CASE WHEN %(poison)s AND n %% %(every)s = 0 THEN c.id IS NOT NULL
       ELSE ROW(c.guid, c.name, c.email, c.cents, c.active, c.begins_at, c.city, c.quantity, c.kind)
            IS DISTINCT FROM ROW(md5(n::text), 'Customer ' || n, 'person' || n || '@example.com',
                round(n * 1.37 %% 100000, 2) * 100, n %% 3 = 0,
                (date '2013-01-01' + (n %% 365)::int + (n %% 1440) * interval '1 min') AT TIME ZONE
                    CASE WHEN n %% 2 = 0 THEN 'America/New_York' ELSE 'Europe/Berlin' END,
                CASE WHEN n %% 10 = 0 THEN 'unknown' ELSE 'City ' || n %% 500 END, n %% 1000,
                CASE WHEN n %% 7 = 0 THEN 'organisation' ELSE 'person' END) END
"""
"""Rows of the new platform that are not what they must be: computed from their numbers, by no code of ours."""


@dataclass(frozen=True)
class Measured:
    """What one way of moving took, and whether everything arrived."""

    seconds: float
    peak_mb: int
    correct: bool


def _read(legacy: PostgresLegacy, order: LoadOrder, after: str | None, until: str | None) -> SourceRows:
    spec = order.spec
    return legacy.read(spec=spec, tenant_ref=order.tenant_ref, after=after, until=until, limit=spec.batch)


@dataclass(frozen=True)
class Bench:
    """The pair of platforms and the mapping."""

    pair: databases.Platforms
    rows: int
    batch: int

    def do(self, url: str, *statements: str) -> None:
        """Run statements as an owner, each by itself."""
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def ask(self, query: str, *, url: str = "", **values: object) -> Any:
        """Ask the new platform for one value."""
        with psycopg.connect(url or self.pair.new_owner) as connection:
            row = connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None

    def reference(self, **_: object) -> Measured:
        """Pump the raw table through this process into one without index."""
        self.do(self.pair.new_owner, "TRUNCATE clean.raw")
        began = time.perf_counter()
        with (
            psycopg.connect(self.pair.legacy_reader) as legacy,
            psycopg.connect(self.pair.new_owner) as new,
            legacy.cursor().copy("COPY cust_mast TO STDOUT") as out,
            new.cursor().copy("COPY clean.raw FROM STDIN") as into,
        ):
            for block in out:
                into.write(block)
        return Measured(time.perf_counter() - began, 0, self.ask("SELECT count(*) FROM clean.raw") == self.rows)

    def ours(self, *, workers: int, poison: bool) -> Measured:
        """Move through the adapters, with so many processes at once."""
        self.do(self.pair.new_owner, "TRUNCATE clean.customer, platform.provenance, platform.account CASCADE")
        self.do(self.pair.new_loader, "TRUNCATE crossing_stage.run CASCADE",
                "TRUNCATE crossing_stage.outcome, crossing_stage.dead_letter")  # fmt: skip
        loaded = specs.load_set({"customers": SPEC.format(batch=self.batch)})
        order = LoadOrder(uuid4(), uuid4(), "Account", "A", "customers", loaded, timezone.now())
        fork = multiprocessing.get_context("fork")
        peaks: multiprocessing.SimpleQueue[int] = fork.SimpleQueue()
        began = time.perf_counter()
        legacy, mover = self.adapters()
        total = legacy.count(spec=order.spec, tenant_ref=order.tenant_ref)
        borders = legacy.divide(spec=order.spec, tenant_ref=order.tenant_ref, parts=runs.RANGES)
        mover.open_run(order=order, source_total=total, borders=borders)
        processes = [fork.Process(target=self.work, args=(order, peaks)) for _ in range(workers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        source = legacy.keys(spec=order.spec, tenant_ref=order.tenant_ref)
        position = mover.finish(order=order, source=source)
        seconds = time.perf_counter() - began
        bad = self.rows // POISON_EVERY if poison else 0
        letters = self.ask(
            "SELECT count(DISTINCT (rule, sqlstate, source_column)) FROM crossing_stage.dead_letter",
            url=self.pair.new_loader,
        )
        wrong = self.ask(WRONG, rows=self.rows, poison=poison, every=POISON_EVERY)
        correct = (
            not wrong
            and position.closed
            and sum(position.totals.values()) == self.rows
            and sum(count for (fate, _), count in position.totals.items() if fate == "quarantined") == bad
            and letters == min(bad, KINDS)
        )
        return Measured(seconds, sum(peaks.get() for _ in processes), correct)

    def work(self, order: LoadOrder, peaks: Any) -> None:
        """Move batches until none is left, as a worker does."""
        legacy, mover = self.adapters()
        position = mover.position(order=order)
        while not position.loaded:
            order = replace(order, at=timezone.now())
            read = partial(_read, legacy, order)
            position = mover.load(order=order, read=read, after_batch=10**9)
        peaks.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)

    def adapters(self) -> tuple[PostgresLegacy, PostgresMover]:
        """Return both sides."""
        return PostgresLegacy(url=self.pair.legacy_reader), PostgresMover(url=self.pair.new_loader, keys=[KEY])

    def dlt(self, *, disposition: str, backend: str) -> Measured:
        """Let the peer copy the raw table."""
        self.do(self.pair.new_owner, f"DROP SCHEMA IF EXISTS dlt_{disposition} CASCADE")
        self.do(self.pair.new_owner, f"DROP SCHEMA IF EXISTS dlt_{disposition}_staging CASCADE")
        folder = state.folder() / "peers" / "dlt-work"
        shutil.rmtree(folder, ignore_errors=True)
        environment = {
            **os.environ,
            "SOURCE_URL": self.pair.legacy_owner.replace("postgres://", "postgresql+psycopg2://"),
            "TARGET_URL": self.pair.new_owner.replace("postgres://", "postgresql://"),
            "TABLE": "cust_mast",
            "KEY": "cust_no",
            "BACKEND": backend,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DLT_DATA_DIR": str(folder / "data"),
        }
        command = [str(peer_python()), str(PEER), disposition, str(folder)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
        if ran.returncode:
            raise RuntimeError(f"dlt failed:\n{ran.stdout}{ran.stderr}")
        told = json.loads(ran.stdout.splitlines()[-1])
        copied = self.ask(f"SELECT count(*) FROM dlt_{disposition}.cust_mast")
        return Measured(told["seconds"], told["peak_mb"], copied == self.rows)


def peer_python() -> Path:
    """Return the Python of dlt's environment, made at the first call."""
    home = state.prepare() / "peers" / "dlt"
    if not (home / "done").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", DLT, "psycopg2-binary", "pyarrow"], check=True)
        (home / "done").touch()
    return home / "bin" / "python"


@dataclass(frozen=True)
class Case:
    """A line of the table."""

    name: str
    tool: str
    run: Callable[[], Measured]


def cases(bench: Bench) -> tuple[list[Case], list[Case]]:
    """Return what runs on clean rows, and what runs on poisoned ones."""
    clean = [
        Case("crossing, 1 worker", "crossing", lambda: bench.ours(workers=1, poison=False)),
        Case("crossing, 2 workers", "crossing", lambda: bench.ours(workers=2, poison=False)),
        Case("dlt append", "dlt", lambda: bench.dlt(disposition="append", backend="sqlalchemy")),
        Case("dlt merge", "dlt", lambda: bench.dlt(disposition="merge", backend="sqlalchemy")),
        Case("dlt merge, pyarrow", "dlt", lambda: bench.dlt(disposition="merge", backend="pyarrow")),
    ]
    poisoned = [
        Case("crossing, 1 worker, 0.1 % poison", "crossing", lambda: bench.ours(workers=1, poison=True)),
        Case("crossing, 2 workers, 0.1 % poison", "crossing", lambda: bench.ours(workers=2, poison=True)),
    ]
    return clean, poisoned


def goals(ratio: Mapping[str, float]) -> list[tuple[str, float, str, bool]]:
    """Return each goal, what was measured, what was wanted, and whether it was met; as far as it was measured."""
    one, two = ratio.get("crossing, 1 worker"), ratio.get("crossing, 2 workers")
    found = []
    if one:
        found.append(("1 worker ÷ raw COPY", one, "≤ 3.8", one <= 3.8))
    if two:
        found.append(("2 workers ÷ raw COPY", two, "≤ 2.8", two <= 2.8))
    for workers, plain in (("1 worker", one), ("2 workers", two)):
        poisoned = ratio.get(f"crossing, {workers}, 0.1 % poison")
        if plain and poisoned:
            found.append((f"poisoned ÷ clean, {workers}", poisoned / plain, "≤ 1.1", poisoned / plain <= 1.1))
    merge = ratio.get("dlt merge")
    if two and merge:
        found.append(("dlt merge ÷ ours, 2 workers", merge / two, "≥ 8", merge / two >= 8))
    return found


def main(rows: int = 1_000_000, rounds: int = 3, batch: int = 50_000, only: str = "") -> None:
    """Measure, print and write down."""
    with databases.platforms(kind="bench") as pair:
        bench = Bench(pair, rows, batch)
        newplatform.create(pair.new_owner)
        bench.do(pair.legacy_owner, LEGACY.replace("{rows}", str(rows)))
        bench.do(pair.new_owner, NEW)
        bench.do(pair.new_loader, (Path(databases.__file__).parents[1] / "portal/adapters/stage.sql").read_text())
        figures: dict[str, list[tuple[float, Measured]]] = {}
        print(f"{rows:,} rows, batches of {batch:,}, {rounds} rounds", flush=True)
        tools = {}
        for chosen, spoil in zip(cases(bench), (False, True), strict=True):
            if spoil:
                bench.do(pair.legacy_owner, POISON.format(every=POISON_EVERY, kinds=KINDS))
            for url, table in ((pair.legacy_owner, "cust_mast"),):
                bench.do(url, f"VACUUM FULL {table}", f"VACUUM ANALYZE {table}")
            for _ in range(rounds):
                for case in chosen:
                    if only and only not in case.name:
                        continue
                    reference = bench.reference()
                    measured = case.run()
                    tools[case.name] = case.tool
                    figures.setdefault("raw COPY", []).append((1.0, reference))
                    figures.setdefault(case.name, []).append((measured.seconds / reference.seconds, measured))
    report(figures, {**tools, "raw COPY": "postgresql"})


def report(figures: Mapping[str, list[tuple[float, Measured]]], tools: Mapping[str, str]) -> None:
    """Print the table and the goals, and keep them."""
    ratio = {name: statistics.median(one for one, _ in found) for name, found in figures.items()}
    lines = []
    print(f"{'':<36}{'÷ raw COPY':>11}{'least–most':>14}{'wall s':>9}{'peak MB':>9}  correct")
    for name, found in figures.items():
        wall = statistics.median(one.seconds for _, one in found)
        peak, correct = max(one.peak_mb for _, one in found), all(one.correct for _, one in found)
        spread = f"{min(one for one, _ in found):.1f}–{max(one for one, _ in found):.1f}"
        print(f"{name:<36}{ratio[name]:>11.2f}{spread:>14}{wall:>9.1f}{peak:>9}  {'yes' if correct else 'NO'}")
        lines.append(
            {
                "case": name, "tool": tools[name], "peer": tools[name] == "dlt", "ratio": round(ratio[name], 2),
                "wall_s": round(wall, 2), "peak_mb": peak, "correct": correct,
            }
        )  # fmt: skip
    for what, measured, wanted, met in goals(ratio):
        print(f"{what:<36}{measured:>11.2f}{wanted:>14}  {'met' if met else 'MISSED'}")
    RESULTS.write_text(json.dumps(lines, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*(int(value) for value in arguments[:3]), only=" ".join(arguments[3:]))
