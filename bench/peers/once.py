"""One comparison by one tool, in the tool's own environment; prints the seconds it took and what it found.

    python once.py <tool>  <  {"legacy": URL, "new": URL, "table": …, "columns": […], "key": …, "rows": …}

Only the work is timed, not the start of the interpreter. Nothing of Crossing is imported here.
"""

import contextlib
import importlib
import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit


def bisecting(library, task, **options):
    """reladiff and data-diff, which are of one origin."""
    package = importlib.import_module(library)
    others = tuple(column for column in task["columns"] if column != task["key"])
    tables = [
        package.connect_to_table(task[side], name, task["key"], thread_count=4, extra_columns=others)
        for side, name in (("legacy", "mapped"), ("new", task["table"]))
    ]
    differing = set()
    for _, row in package.diff_tables(*tables, threaded=True, **options):
        differing.add(row[0])
    return len(differing)


def reladiff(task):
    return bisecting("reladiff", task, max_threadpool_size=4)


def reladiff_tuned(task):
    """As many segments at once as make the first round the last but one, whole pages at a time."""
    factor = max(2, task["rows"] // 8192)
    return bisecting("reladiff", task, max_threadpool_size=4, bisection_factor=factor, bisection_threshold=16384)


def data_diff(task):
    return bisecting("data_diff", task, max_threadpool_size=4)


def datacompy(task):
    polars, package = importlib.import_module("polars"), importlib.import_module("datacompy")
    names = ", ".join(task["columns"])
    frames = [
        polars.read_database_uri(f"SELECT {names} FROM {name}", task[side], engine="adbc")
        for side, name in (("legacy", "mapped"), ("new", task["table"]))
    ]
    compared = package.PolarsCompare(*frames, join_columns=task["key"], cast_column_names_lower=False)
    only = compared.df1_unq_rows.height + compared.df2_unq_rows.height
    return only + compared.intersect_rows.height - compared.count_matching_rows()


def data_validator(task):
    """The row hash of Google's tool, through its own command line."""
    main = importlib.import_module("data_validation.__main__")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["PSO_DV_CONN_HOME"] = place
        for side in ("legacy", "new"):
            url = urlsplit(task[side])
            asked = {
                "source_type": "Postgres",
                "host": url.hostname,
                "port": url.port,
                "user": url.username,
                "password": unquote(url.password or ""),
                "database": url.path[1:],
            }
            (folder / f"{side}.connection.json").write_text(json.dumps(asked))
        tables, columns = f"public.mapped={task['table']}", ",".join(task["columns"])
        sides = ["-sc", "legacy", "-tc", "new", "-tbls", tables, "-pk", task["key"]]
        shown = ["--filter-status", "fail", "--format", "csv"]
        sys.argv = ["data-validation", "validate", "row", *sides, "--hash", columns, *shown]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            main.main()
        return sum("fail" in line for line in printed.getvalue().splitlines())


def duckdb_bare(task):
    """The join alone, with neither gate nor guard nor account: the physical reference of our own engine."""
    duckdb = importlib.import_module("duckdb")
    connection = duckdb.connect(config={"memory_limit": "600MB", "threads": 2})
    connection.execute(f"LOAD '{task['scanner']}'; SET TimeZone = 'UTC'")
    for side in ("legacy", "new"):
        connection.execute(f"ATTACH '{task[side]}' AS {side} (TYPE postgres, READ_ONLY)")
    names = ", ".join(task["columns"])
    other = " OR ".join(f"one.{column} IS DISTINCT FROM two.{column}" for column in task["columns"])
    found = connection.execute(
        f"SELECT count(*) FROM ({task['bare']}) AS one FULL JOIN (SELECT {names} FROM new.{task['table']}) AS two "
        f"ON one.{task['key']} = two.{task['key']} WHERE {other}"
    ).fetchone()
    return found[0]


def ours(task):
    """Return our engine and the plan, as the product makes them."""
    sys.path.insert(0, task["checkout"])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    importlib.import_module("django").setup()
    specs = importlib.import_module("backfills.domain.spec")
    comparison, port = importlib.import_module("core.comparison"), importlib.import_module("portal.adapters.comparison")
    loaded = specs.load_set({"it": task["spec"]})
    ((entity, spec),) = loaded.items()
    plan = comparison.Plan(entity, spec, loaded, legacy_tenant="A", new_tenant="a")
    return port.DuckComparison(legacy=task["legacy"], new=task["new"], settle=0), plan


def crossing(task):
    """Ours, row by row in full."""
    engine, plan = ours(task)
    started, found = time.perf_counter(), []
    findings = [engine.compare(plan, segment=one, report=found.append) for one in engine.divide(plan, size=1_000_000)]
    took = time.perf_counter() - started
    assert sum(finding.compared for finding in findings) == task["rows"], findings
    return len(found), took


def crossing_pushdown(task):
    """Ours as a re-check: by digests in both databases, in full what differs by them."""
    engine, plan = ours(task)
    started, found = time.perf_counter(), []
    findings = engine.recheck(plan, report=found.append)
    took = time.perf_counter() - started
    assert findings.compared == task["rows"], findings
    if findings.exact:
        print("everything was read after all", file=sys.stderr)
    return len(found), took


def crossing_mark(task):
    """What a look leaves behind for the one after it."""
    engine, plan = ours(task)
    return {"mark": engine.look(plan, mark="", report=lambda _: None).mark}


def crossing_recheck(task):
    """Ours as the look that goes on from the one before it."""
    engine, plan = ours(task)
    started, found = time.perf_counter(), []
    looked = engine.look(plan, mark=task["mark"], report=found.append)
    took = time.perf_counter() - started
    if looked.whole:
        print("everything was read after all", file=sys.stderr)
    return len(found), took


def main():
    task = json.load(sys.stdin)
    tool = globals()[sys.argv[1].replace("-", "_")]
    started = time.perf_counter()
    found = tool(task)
    took = time.perf_counter() - started
    if isinstance(found, dict):  # something for the next one to work with
        print(json.dumps(found))
        return
    if isinstance(found, tuple):  # ours knows its time without Django's start
        found, took = found
    print(json.dumps({"wall_s": took, "found": found}))


if __name__ == "__main__":
    main()
