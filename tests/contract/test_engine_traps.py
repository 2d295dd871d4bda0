"""Every trap between every two engines: 0 false-equal, 0 false-different, 0 crashes, and refusals where one must be."""

import itertools
from contextlib import contextmanager

import pytest

from portal.adapters.comparison import duck
from portal.adapters.comparison.platforms import files
from tests import databases, mariadb, sparking, trap_stage
from tests.holders import in_mariadb
from tests.trap_stage import ENGINES, Stage
from tests.traps import TRAPS


@contextmanager
def staged(folder, *others):
    with pytest.MonkeyPatch.context() as patch, databases.platforms(kind="engines") as pair:
        patch.setattr(files, "_SETTLED", 0)
        held = [*trap_stage.everywhere(folder, pair), *others]
        addresses = {holder.engine: holder.address for holder in held}
        with duck.session(addresses, memory_limit="300MB", threads=1) as session:
            yield Stage(session, {holder.engine: holder for holder in held}).read_all()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with staged(tmp_path_factory.mktemp("traps")) as found:
        yield found


@pytest.fixture(scope="module")
def wider_stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m")
    with mariadb.server(folder) as server, staged(folder, in_mariadb(server)) as found:
        yield found


PAIRS = [
    pytest.param(one, two, marks=() if one == "postgres" else pytest.mark.slow)
    for one, two in itertools.product(ENGINES, ENGINES)
]


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_every_trap_between_two_engines_is_judged_as_it_must(stage, one, two):
    assert trap_stage.wrong(stage, one, two) == {}


@pytest.mark.slow
def test_every_trap_is_judged_on_a_cluster_as_it_must(tmp_path, monkeypatch):
    """Each engine is read by a task of its own, and every pair judged by one to which all of them travelled."""
    monkeypatch.setattr(files, "_SETTLED", 0)
    with databases.platforms(kind="engines") as pair, sparking.shared() as machines:
        held = trap_stage.everywhere(tmp_path, pair)
        judged = list(machines.run(held, trap_stage.sent, trap_stage.received_and_judged, buckets=2, beside=[]))
    assert [(one, two) for one, two, _ in judged] == list(itertools.product(ENGINES, ENGINES))
    assert {(one, two): wrong for one, two, wrong in judged if wrong} == {}


with_mariadb = [(one, "mariadb") for one in (*ENGINES, "mariadb")] + [("mariadb", one) for one in ENGINES]


@pytest.mark.slow
@pytest.mark.skipif(mariadb.MISSING, reason=mariadb.WHY)
@pytest.mark.parametrize(("one", "two"), with_mariadb)
def test_every_trap_between_mariadb_and_another_engine_is_judged_as_it_must(wider_stage, one, two):
    test_every_trap_between_two_engines_is_judged_as_it_must(wider_stage, one, two)


@pytest.mark.slow
@pytest.mark.skipif(mariadb.MISSING, reason=mariadb.WHY)
def test_mariadb_holds_most_of_them(wider_stage):
    held = wider_stage.held["mariadb"].held[0]
    assert sorted({trap.left[0] for number, trap in enumerate(TRAPS) if f"c{number}" not in held}) == [
        "array", "bits", "date", "double", "interval", "money", "numeric", "numeric(10,2)", "pair", "real", "timestamp",
        "timestamptz", "timetz",
    ]  # fmt: skip


def test_what_is_left_out_is_little_and_has_a_reason(stage):
    """A matrix that silently holds nothing would be green as well."""
    left_out = {
        engine: sorted({trap.left[0] for number, trap in enumerate(TRAPS) if f"c{number}" not in holder.held[0]})
        for engine, holder in stage.held.items()
    }
    assert left_out == {
        "postgres": [],
        "duckdb": ["money", "numeric", "numeric(10,2)", "numeric(60,20)", "padded", "timestamp"],
        "parquet": [
            "bits",
            "huge",
            "money",
            "numeric",
            "numeric(10,2)",
            "numeric(60,20)",
            "padded",
            "timestamp",
            "timetz",
        ],
        "sqlite": ["double", "real"],
        "csv": ["real"],
    }
