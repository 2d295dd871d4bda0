"""A backfill beside its physical reference: ratios of wall time to `COPY out | COPY in` of the raw table, no index.

    make bench-backfill [ARGS="--rows 100000 --rounds 1 --data lineitem --only crossing"]

Interleaved rounds, medians; ratios, never seconds. Ours goes through the real adapters: raw rows staged, validated,
mapped, upserted, rejected rows set apart, their fate written down, checkpoint moved, one transaction a batch. `by hand`
is what the rows and their provenance cost where nothing is judged. The peer is dlt, which checks nothing either; it is
installed into an environment of its own in the state folder of this checkout.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
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
from backfills.domain.spec import Spec
from backfills.services import runs
from bench import datasets, parity
from bench.datasets import Dataset
from core.moving import LoadOrder, SourceRows
from portal.adapters.legacy import PostgresLegacy
from portal.adapters.newplatform import PostgresMover
from portal.demo import newplatform
from portal.house import state
from tests import databases

CHECKOUT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "backfill.json"
PEER = Path(__file__).parent / "peers" / "dlt_copy.py"
DLT = ("dlt[postgres,sql_database]==1.31.0", "psycopg2-binary", "pyarrow")
KEY = Fernet.generate_key().decode()
KINDS = 10
"""Kinds of bad rows; every thousandth row is one of them when the source is poisoned."""

BY_HAND = """
INSERT INTO platform.provenance
SELECT {tenant}, %s, %s, {key}::text, {key}::text, gen_random_uuid(), %s, sha256(convert_to(ROW(t.*)::text, 'UTF8')),
       now()
  FROM {target} AS t
"""
NEW = """
ALTER TABLE {target} RENAME TO wanted;
CREATE TABLE {target} (LIKE clean.wanted);
ALTER TABLE {target} ALTER {tenant} TYPE uuid USING NULL, ADD PRIMARY KEY ({tenant}, {key});
GRANT SELECT, INSERT, UPDATE, DELETE ON {target} TO new_loader
"""
"""What the clean variant has become is what is wanted; rows are moved into a table like it."""

WRONG = """
SELECT count(*) FROM clean.wanted AS w FULL JOIN {target} AS m USING ({key})
 WHERE CASE WHEN {spoilt} THEN m.{tenant} IS NOT NULL
       ELSE w.{tenant} IS NULL OR m.{tenant} IS NULL OR ROW({wanted}) IS DISTINCT FROM ROW({moved}) END
"""
"""Rows of the new platform that are not what they must be, by no code of ours."""


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
    """The pair of platforms and the mapping of one data set."""

    pair: databases.Platforms
    data: Dataset
    spec: Spec
    rows: int

    def prepare(self, lines: Callable[[], Iterator[bytes]]) -> None:
        """Fill legacy, and make the tables of the new platform."""
        self.data.fill(owner=self.pair.legacy_owner, title="legacy", rows=self.rows, lines=lines())
        self.data.fill(owner=self.pair.new_owner, title="new", rows=self.rows, lines=lines())
        spec = self.spec
        made = NEW.format(target=spec.target_table, tenant=spec.target_tenant, key=spec.target_key)
        self.do(self.pair.new_owner, *made.split(";"))
        columns = self.ask(
            "SELECT string_agg(format('%%I %%s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)"
            " FROM pg_attribute WHERE attrelid = %(table)s::regclass AND attnum > 0",
            url=self.pair.legacy_owner, table=spec.source_table,
        )  # fmt: skip
        self.do(self.pair.new_owner, f"CREATE TABLE clean.raw ({columns})", "VACUUM ANALYZE")
        self.do(self.pair.new_loader, (CHECKOUT / "portal/adapters/stage.sql").read_text())

    def spoilt(self, key: str) -> str:
        """Return the condition that a row is one of the bad ones."""
        return self.data.section("spoilt").strip().format(id=key)

    def poison(self) -> None:
        """Spoil one row in a thousand."""
        spoilt = self.spoilt(self.spec.key_column)
        self.do(self.pair.legacy_owner, self.data.section("poison").format(spoilt=spoilt))

    def wrong(self, *, poison: bool) -> int:
        """Count what did not arrive as it must."""
        spec = self.spec
        names = [column.name for column in spec.columns if column.name != spec.target_key]
        query = WRONG.format(
            target=spec.target_table, tenant=spec.target_tenant, key=spec.target_key,
            spoilt=self.spoilt(spec.target_key) if poison else "false",
            wanted=", ".join(f"w.{name}" for name in names), moved=", ".join(f"m.{name}" for name in names),
        )  # fmt: skip
        return int(self.ask(query.replace("%", "%%")))

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
            legacy.cursor().copy(f"COPY {self.spec.source_table} TO STDOUT".encode()) as out,
            new.cursor().copy("COPY clean.raw FROM STDIN") as into,
        ):
            for block in out:
                into.write(block)
        return Measured(time.perf_counter() - began, 0, self.ask("SELECT count(*) FROM clean.raw") == self.rows)

    def empty(self) -> None:
        """Let the new platform have nothing."""
        self.do(
            self.pair.new_owner, f"TRUNCATE {self.spec.target_table}, platform.provenance, platform.account CASCADE"
        )
        self.do(self.pair.new_loader, "TRUNCATE crossing_stage.run CASCADE",
                "TRUNCATE crossing_stage.outcome, crossing_stage.dead_letter")  # fmt: skip

    def by_hand(self) -> Measured:
        """Write what a run leaves behind, each row and where it came from, in one transaction that judges nothing."""
        spec, names = self.spec, ", ".join(column.name for column in self.spec.columns)
        self.empty()
        began = time.perf_counter()
        with (
            psycopg.connect(self.pair.legacy_reader) as legacy,
            psycopg.connect(self.pair.new_loader) as new,
            legacy.cursor().copy(f"COPY (SELECT '{uuid4()}', {names} FROM mapped) TO STDOUT".encode()) as out,
        ):
            with new.cursor().copy(f"COPY {spec.target_table} ({spec.target_tenant}, {names}) FROM STDIN") as into:
                for block in out:
                    into.write(block)
            traced = BY_HAND.format(tenant=spec.target_tenant, key=spec.target_key, target=spec.target_table)
            new.execute(traced.encode(), [spec.entity, spec.system, spec.label])
        return Measured(time.perf_counter() - began, 0, not self.wrong(poison=False))

    def ours(self, *, workers: int, poison: bool) -> Measured:
        """Move through the adapters, with so many processes at once."""
        self.empty()
        entity = self.spec.entity
        order = LoadOrder(uuid4(), uuid4(), "Account", "A", entity, {entity: self.spec}, timezone.now())
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
        spoilt = self.spoilt(self.spec.target_key) if poison else "false"
        bad = self.ask(f"SELECT count(*) FROM clean.wanted WHERE {spoilt}".replace("%", "%%"))
        letters = self.ask(
            "SELECT count(DISTINCT (rule, sqlstate, source_column)) FROM crossing_stage.dead_letter",
            url=self.pair.new_loader,
        )
        correct = (
            not self.wrong(poison=poison)
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

    def dlt(self, python: Path, *, disposition: str, backend: str) -> Measured:
        """Let the peer copy the raw table."""
        self.do(self.pair.new_owner, f"DROP SCHEMA IF EXISTS dlt_{disposition} CASCADE")
        self.do(self.pair.new_owner, f"DROP SCHEMA IF EXISTS dlt_{disposition}_staging CASCADE")
        folder = state.folder() / "peers" / "dlt-work"
        shutil.rmtree(folder, ignore_errors=True)
        environment = {
            **os.environ,
            "SOURCE_URL": self.pair.legacy_owner.replace("postgres://", "postgresql+psycopg2://"),
            "TARGET_URL": self.pair.new_owner.replace("postgres://", "postgresql://"),
            "TABLE": self.spec.source_table,
            "KEY": self.spec.key_column,
            "BACKEND": backend,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DLT_DATA_DIR": str(folder / "data"),
        }
        command = [str(python), str(PEER), disposition, str(folder)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
        if ran.returncode:
            raise RuntimeError(f"dlt failed:\n{ran.stdout}{ran.stderr}")
        told = json.loads(ran.stdout.splitlines()[-1])
        copied = self.ask(f"SELECT count(*) FROM dlt_{disposition}.{self.spec.source_table}")
        return Measured(told["seconds"], told["peak_mb"], copied == self.rows)


@dataclass(frozen=True)
class Case:
    """A line of the table."""

    name: str
    tool: str
    run: Callable[[], Measured]


def cases(bench: Bench, dlt: Path | None) -> tuple[list[Case], list[Case]]:
    """Return what runs on clean rows, and what runs on poisoned ones."""
    clean = [
        Case("no judgement", "by hand", bench.by_hand),
        Case("1 worker", "crossing", lambda: bench.ours(workers=1, poison=False)),
        Case("2 workers", "crossing", lambda: bench.ours(workers=2, poison=False)),
    ]
    if dlt:
        clean += [
            Case("append", "dlt", lambda: bench.dlt(dlt, disposition="append", backend="sqlalchemy")),
            Case("merge", "dlt", lambda: bench.dlt(dlt, disposition="merge", backend="sqlalchemy")),
            Case("merge, pyarrow", "dlt", lambda: bench.dlt(dlt, disposition="merge", backend="pyarrow")),
        ]
    poisoned = [
        Case("1 worker, 0.1 % poison", "crossing", lambda: bench.ours(workers=1, poison=True)),
        Case("2 workers, 0.1 % poison", "crossing", lambda: bench.ours(workers=2, poison=True)),
    ]
    return clean, poisoned if bench.data is datasets.LINEITEM else []


def goals(ratio: Mapping[str, float]) -> list[tuple[str, float, str, bool]]:
    """Return each goal, what was measured, what was wanted, and whether it was met; as far as it was measured."""
    one, two = ratio.get("crossing, 1 worker"), ratio.get("crossing, 2 workers")
    found = []
    if one:
        found.append(("1 worker ÷ raw COPY", one, "≤ 3.8", one <= 3.8))
    if two:
        found.append(("2 workers ÷ raw COPY", two, "≤ 2.8", two <= 2.8))
    if two and (hand := ratio.get("by hand, no judgement")):
        # What writes the same and judges nothing: whatever is missing up to it is the judgement's.
        found.append(("2 workers ÷ by hand", two / hand, "≤ 1.1", two / hand <= 1.1))
    for workers, plain in (("1 worker", one), ("2 workers", two)):
        poisoned = ratio.get(f"crossing, {workers}, 0.1 % poison")
        if plain and poisoned:
            found.append((f"poisoned ÷ clean, {workers}", poisoned / plain, "≤ 1.1", poisoned / plain <= 1.1))
    merges = [(name, ratio[name] / two) for name in ("dlt, merge", "dlt, merge, pyarrow") if two and name in ratio]
    return found + [(f"{name} ÷ ours, 2 workers", times, "≥ 8", times >= 8) for name, times in merges]


def measure(bench: Bench, dlt: Path | None, *, rounds: int, only: str) -> dict[str, list[tuple[float, Measured]]]:
    """Let the reference and every way of moving have their turns, and return their ratios and figures by name."""
    figures: dict[str, list[tuple[float, Measured]]] = {}
    for chosen, spoil in zip(cases(bench, dlt), (False, True), strict=True):
        if spoil and chosen:
            bench.poison()
        table = bench.spec.source_table
        bench.do(bench.pair.legacy_owner, f"VACUUM FULL {table}", f"VACUUM ANALYZE {table}")
        bench.reference()  # until caches are warm
        for _ in range(rounds):
            for case in chosen:
                name = f"{case.tool}, {case.name}"
                if only in name:
                    reference = bench.reference()
                    measured = case.run()
                    figures.setdefault("raw COPY", []).append((1.0, reference))
                    figures.setdefault(name, []).append((measured.seconds / reference.seconds, measured))
    return figures


def report(title: str, figures: Mapping[str, list[tuple[float, Measured]]]) -> list[dict[str, object]]:
    """Print the table and the goals, and return the table's lines."""
    ratio = {name: statistics.median(one for one, _ in found) for name, found in figures.items()}
    lines: list[dict[str, object]] = []
    print(f"\n{title:<36}{'÷ raw COPY':>11}{'least–most':>14}{'wall s':>9}{'peak MB':>9}  correct")
    for name, found in figures.items():
        wall = statistics.median(one.seconds for _, one in found)
        peak, correct = max(one.peak_mb for _, one in found), all(one.correct for _, one in found)
        spread = f"{min(one for one, _ in found):.1f}–{max(one for one, _ in found):.1f}"
        print(f"{name:<36}{ratio[name]:>11.2f}{spread:>14}{wall:>9.1f}{peak:>9}  {'yes' if correct else 'NO'}")
        tool, _, case = name.partition(", ")
        lines.append(
            {
                "case": f"{title}, {case}" if case else title, "tool": tool, "peer": tool == "dlt",
                "ratio": round(ratio[name], 2), "wall_s": round(wall, 2), "peak_mb": peak or None, "correct": correct,
            }
        )  # fmt: skip
    for what, measured, wanted, met in goals(ratio):
        print(f"{what:<36}{measured:>11.2f}{wanted:>14}  {'met' if met else 'MISSED'}")
    return lines


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(prog="make bench-backfill")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=50_000)
    parser.add_argument("--data", nargs="+", choices=sorted(parity.GENERATORS), default=["lineitem", "flights"])
    parser.add_argument("--only", default="", help="only ways of moving whose name holds this")
    parser.add_argument("--keep", action="store_true", help="do not write bench/results/backfill.json")
    asked = parser.parse_args()
    dlt = parity.environment("dlt", DLT)
    every: list[dict[str, object]] = []
    for name in asked.data:
        made = parity.environment(parity.GENERATORS[name][0], parity.GENERATORS[name])
        if made is None:
            continue
        data = datasets.LINEITEM if name == "lineitem" else datasets.FLIGHTS
        (read,) = specs.load_set({name: data.spec}).values()
        folder = state.folder() / "bench"
        with databases.platforms(kind="bench", durable=True) as pair:
            newplatform.create(pair.new_owner)
            bench = Bench(pair, data, replace(read, batch=asked.batch), asked.rows)
            bench.prepare(partial(datasets.lines_of, data, made, asked.rows, folder))
            bench = replace(bench, rows=bench.ask("SELECT count(*) FROM clean.wanted"))
            found = measure(bench, dlt / "bin" / "python" if dlt else None, rounds=asked.rounds, only=asked.only)
        every += report(f"{name}-{bench.rows}", found)
    if not asked.keep:
        RESULTS.write_text(json.dumps(every, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
