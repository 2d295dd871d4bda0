"""Every trap between every two engines: 0 false-equal, 0 false-different, 0 crashes, and refusals where one must be."""

import itertools
from contextlib import contextmanager

import pytest

from core.ports import Rejected
from portal.adapters.comparison import duck
from portal.adapters.comparison.platforms import Rows, files
from portal.adapters.comparison.typed import check_arrival, differs, received
from tests import databases, holders, mariadb
from tests.holders import TABLES
from tests.traps import REFUSE, TRAPS

UNTYPED = {"sqlite", "csv"}
REFUSED = {
    # By its type alone, wherever the other value comes from.
    "postgres": set(),
    "duckdb": {"interval", "json", "array", "pair", "timetz"},
    "parquet": {"interval", "json", "array", "pair"},
    "sqlite": {"interval", "json", "array", "pair", "timetz", "bits", "money"},
    "csv": {"interval", "json", "array", "pair", "timetz", "bits", "money"},
    "mariadb": {"json"},
}
ENGINES = ("postgres", "duckdb", "parquet", "sqlite", "csv")


class Stage:
    """All values of all engines, read through the type gate into one session."""

    def __init__(self, session, held):
        self.session, self.held = session, held
        self.passages, self.refused = {}, {}
        for holder in held.values():
            for side, table in enumerate(TABLES):
                self._read(holder, side, table)

    def _read(self, holder, side, table):
        platform = self.session.platform(holder.engine)
        gate = {}
        for column, (kind, _) in holders.columns(side):
            if column not in holder.held[side]:
                continue
            try:
                gate |= platform.gate(self.session, table, {column: holders.wanted(kind)})
            except Rejected as refusal:
                self.refused[holder.engine, side, column] = str(refusal)
        relation = platform.values(self.session, Rows(table, "owner", "t"), gate)
        with self.session.reading(holder.engine):
            self.session.run(f"CREATE TEMP TABLE {holder.engine}_{side} AS SELECT * FROM {relation} AS r")
        for column, arrived in self.session.rows(
            f"SELECT column_name, column_type FROM (DESCRIBE {holder.engine}_{side})"
        ):
            if column in gate:
                check_arrival(gate[column], arrived, column=column)
                self.passages[holder.engine, side, column] = gate[column]
        assert self.session.rows(f"SELECT count(*) FROM {holder.engine}_{side}") == [(1,)]

    def verdicts(self, one, two):
        """What is said of each trap's left value in one engine and its right value in another."""
        asked, said = {}, {}
        for number in range(len(TRAPS)):
            column = f"c{number}"
            if column not in self.held[one].held[0] or column not in self.held[two].held[1]:
                continue
            if (one, 0, column) in self.refused or (two, 1, column) in self.refused:
                said[number] = "refuse"
                continue
            left = received(self.passages[one, 0, column], column, relation=f"{one}_0")
            right = received(self.passages[two, 1, column], column, relation=f"{two}_1")
            try:
                asked[number] = (differs(left, right), differs(right, left))
            except Rejected:
                said[number] = "refuse"
        tests = ", ".join(test for pair in asked.values() for test in pair)
        (answers,) = self.session.rows(f"SELECT {tests} FROM {one}_0, {two}_1")
        for place, number in enumerate(asked):
            there, back = answers[2 * place : 2 * place + 2]
            assert there is back, TRAPS[number].name
            assert there in (True, False), TRAPS[number].name
            said[number] = "differ" if there else "equal"
        return said


@contextmanager
def staged(folder, *others):
    with pytest.MonkeyPatch.context() as patch, databases.platforms(kind="engines") as pair:
        patch.setattr(files, "_SETTLED", 0)
        held = [
            holders.postgres(pair.new_owner, pair.new_loader),
            holders.in_duckdb(folder),
            holders.in_parquet(folder),
            holders.in_sqlite(folder),
            holders.in_csv(folder),
            *others,
        ]
        addresses = {holder.engine: holder.address for holder in held}
        with duck.session(addresses, memory_limit="300MB", threads=1) as session:
            yield Stage(session, {holder.engine: holder for holder in held})


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with staged(tmp_path_factory.mktemp("traps")) as found:
        yield found


@pytest.fixture(scope="module")
def wider_stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m")
    with mariadb.server(folder) as server, staged(folder, holders.in_mariadb(server)) as found:
        yield found


def must(trap, one, two):
    kinds = (trap.left[0], trap.right[0])
    if kinds[0] in REFUSED[one] or kinds[1] in REFUSED[two]:
        return REFUSE
    return trap.must


PAIRS = [
    pytest.param(one, two, marks=() if one == "postgres" else pytest.mark.slow)
    for one, two in itertools.product(ENGINES, ENGINES)
]


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_every_trap_between_two_engines_is_judged_as_it_must(stage, one, two):
    wrong = {
        TRAPS[number].name: (said, must(TRAPS[number], one, two))
        for number, said in stage.verdicts(one, two).items()
        if said != must(TRAPS[number], one, two)
    }
    assert wrong == {}


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
