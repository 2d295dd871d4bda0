"""The traps of `tests.traps` as several engines hold them, read through the type gate and judged pair by pair."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

from core.ports import Rejected
from portal.adapters.comparison import duck
from portal.adapters.comparison.platforms import Rows
from portal.adapters.comparison.spark import parcels
from portal.adapters.comparison.typed import check_arrival, differs, received
from tests import holders
from tests.holders import TABLES
from tests.traps import REFUSE, TRAPS

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

    def read_all(self):
        for holder in self.held.values():
            for side, table in enumerate(TABLES):
                self._read(holder, side, table)
        return self

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


def must(trap, one, two):
    kinds = (trap.left[0], trap.right[0])
    if kinds[0] in REFUSED[one] or kinds[1] in REFUSED[two]:
        return REFUSE
    return trap.must


def wrong(stage, one, two):
    """What is said of traps between two engines, where that is not what must be said: (said, must) by name."""
    return {
        TRAPS[number].name: (said, must(TRAPS[number], one, two))
        for number, said in stage.verdicts(one, two).items()
        if said != must(TRAPS[number], one, two)
    }


def everywhere(folder, pair):
    """Return the traps as every engine but MariaDB holds them."""
    return [
        holders.postgres(pair.new_owner, pair.new_loader),
        holders.in_duckdb(folder),
        holders.in_parquet(folder),
        holders.in_sqlite(folder),
        holders.in_csv(folder),
    ]


def sent(holder):
    """Read one engine's traps, as a task of a cluster does, and send them to bucket 1."""
    with (
        TemporaryDirectory() as folder,
        duck.session({holder.engine: holder.address}, memory_limit="300MB", threads=1, exchange=folder) as session,
    ):
        stage = Stage(session, {holder.engine: holder}).read_all()
        tables = [parcels.packed(session, f"{holder.engine}_{side}", Path(folder)) for side in (0, 1)]
        yield 1, (holder, stage.passages, stage.refused, tables)


def received_and_judged(bucket, items):
    """Judge what arrived, as a task of a cluster does: (one, two, wrong) for every pair of engines."""
    arrived = [item for _, item in items]
    if not arrived:
        return
    with (
        TemporaryDirectory() as folder,
        duck.session({}, memory_limit="300MB", threads=1, exchange=folder) as session,
    ):
        stage, unpacking = Stage(session, {}), parcels.Unpacking(Path(folder))
        for holder, passages, refused, tables in arrived:
            stage.held[holder.engine] = holder
            stage.passages |= passages
            stage.refused |= refused
            for table in tables:
                unpacking.take(table)
        unpacking.relations(session)
        for one, two in itertools.product(ENGINES, ENGINES):
            yield one, two, wrong(stage, one, two)
