"""What was written on either platform since a mark, so that a look reads that and nothing else.

PostgreSQL keeps with every version of a row which transaction made it (`xmin`). A row that no transaction has written
since the mark is what it was, and where that holds on both platforms so is what was found of it. Inserted and updated
rows tell so by their `xmin`; deleted ones are missing from the sum of the key hashes of their bucket. Nothing of this
rests on what the platforms' own applications write.

It holds in one life of the same servers and tables (`identity`). Where it does not, `Unmarked` says why, and everything
is read.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass

from backfills.domain import source
from backfills.domain.evaluation import Value, evaluate
from backfills.domain.spec import Spec
from core.comparison import Plan
from parity_reports.domain.gate import Family, passage
from portal.adapters.comparison import catalogue, identity, mapping
from portal.adapters.comparison.identity import Life, Unmarked
from portal.adapters.comparison.marks import Mark, State, short
from portal.adapters.comparison.quoting import name, text
from portal.adapters.comparison.servers import Database, Databases
from portal.adapters.postgres import translated

MOST = 20_000
"""Records that are remembered or judged one by one; where there are more, everything is read."""

_FORMAT = 1
_PER_BUCKET, _MOST_BUCKETS = 256, 16_384
_LISTED = 500_000
"""Keys of moved buckets that are listed."""
_LIFETIME = (1 << 31) - 1_000_000
"""Transactions after which their numbers, of 32 bits, come to mean others."""
_MAIN, _TOO_MUCH = "", "too much was written since"


@dataclass(frozen=True, slots=True)
class _Table:
    """A table's rows of one tenant: `rows` is FROM and WHERE, with the alias s."""

    name: str
    columns: list[str]
    rows: str
    key: str
    by_number: bool

    def hashed(self, seed: int) -> str:
        """Return the SQL of the key's hash, 64 bits, never NULL."""
        if self.by_number:
            return f"coalesce(hashint8extended(({self.key})::bigint, {seed}), 1)"
        return f'coalesce(hashtextextended(({self.key})::text COLLATE "C", {seed}), 1)'


class Present:
    """An entity as both platforms hold it now, each in one snapshot (`servers.opened`).

    Raises Unmarked where nothing could be remembered of it.
    """

    def __init__(self, plan: Plan, databases: Databases) -> None:
        self._plan, self._databases = plan, databases
        legacy, new = self._mapped(plan.spec)
        others = _looked_at(plan)
        self._tables = {
            "legacy": {_MAIN: legacy, **{entity: _looked_up(plan, spec) for entity, spec in others.items()}},
            "new": {_MAIN: new},
        }
        digests = sorted(spec.digest for spec in (plan.spec, *others.values()))
        asked = json.dumps([_FORMAT, plan.entity, plan.legacy_tenant, plan.new_tenant, digests])
        self._asked = hashlib.sha256(asked.encode()).hexdigest()

    def remember(self) -> Mark:
        """Return a mark of how it stands. What is read after that may be newer: it is then read once more next time."""
        new = self._databases.new
        with translated(new.title):
            rows, _ = catalogue.estimate(new.connection, f"SELECT 1 {self._tables['new'][_MAIN].rows}")
        buckets = 1 << max(0, min(_MOST_BUCKETS, rows // _PER_BUCKET).bit_length() - 1)
        seed = secrets.randbits(62)

        def states(database: Database) -> dict[str, State]:
            lives = identity.life(database)
            return {
                of: State(
                    identity.identity(database, table.name, table.columns, lives),
                    lives.horizon,
                    _sums(database, table, seed, 1 if of else buckets),
                )
                for of, table in self._tables[database.title].items()
            }

        self._check_hashes(seed)
        one, two = self._databases.both(states)
        return Mark(self._asked, seed, {"legacy": one, "new": two})

    def written(self, mark: Mark) -> tuple[set[str], Mark]:
        """Return the keys of all records that may be other than at the mark, those it names among them; and a new mark.

        Raises Unmarked where the mark does not hold, and where so much was written that reading everything is better.
        """
        if mark.plan != self._asked:
            raise Unmarked("the mapping is another one since")
        if any(mark.states.get(side, {}).keys() != tables.keys() for side, tables in self._tables.items()):
            raise Unmarked("the mark is none of this entity")
        self._check_hashes(mark.seed)

        def since(database: Database) -> dict[str, tuple[State, list[str]]]:
            lives, former = identity.life(database), mark.states[database.title]
            return {
                of: _since(database, table, former[of], mark.seed, lives)
                for of, table in self._tables[database.title].items()
            }

        one, two = self._databases.both(since)
        if any(keys or state.total != mark.states["legacy"][of].total for of, (state, keys) in one.items() if of):
            raise Unmarked("records that it looks up were written since")
        keys = {*mark.differing, *one[_MAIN][1], *two[_MAIN][1]}
        moved = {
            number
            for side, found in (("legacy", one), ("new", two))
            for number, (was, now) in enumerate(zip(mark.states[side][_MAIN].sums, found[_MAIN][0].sums, strict=True))
            if was != now
        }
        if moved:
            of, buckets = sorted(moved), len(one[_MAIN][0].sums)
            here, there = self._databases.both(
                lambda database: _listed(database, self._tables[database.title][_MAIN], mark.seed, of, buckets)
            )
            # Legacy has no row of a record that the mapping adds: once it is gone, neither platform has its key.
            keys |= (here | mapping.supplied(self._plan.spec)) ^ there
        if len(keys) > MOST:
            raise Unmarked(_TOO_MUCH)
        if None in keys or not all(map(self._is_readable, keys)):
            raise Unmarked("a key cannot be read")  # its record goes by another name
        states = {
            side: {of: state for of, (state, _) in found.items()} for side, found in (("legacy", one), ("new", two))
        }
        return keys, Mark(mark.plan, mark.seed, states)

    def _mapped(self, spec: Spec) -> tuple[_Table, _Table]:
        """Return the entity's own tables, where a record's key is its row's on both platforms."""
        native, legacy, new = mapping.native_key(spec), self._databases.legacy, self._databases.new
        declared = legacy.declared(spec.source_table), new.declared(spec.target_table)
        families = [
            passage(columns.get(key, "")).family
            for columns, key in zip(declared, (native, spec.target_key), strict=True)
        ]
        if families[0] is not families[1] or not mapping.is_taken_over(spec, families[0]):
            raise Unmarked("its keys are not those of legacy")
        if {legacy.server.encoding, new.server.encoding} != {"UTF8"}:
            raise Unmarked("one of the databases is not in UTF-8")
        with translated("legacy"):
            # Of two rows with one key, one could go unnoticed while the other is left behind by a rule.
            if not catalogue.is_unique(legacy.connection, spec.source_table, [spec.source_tenant, native]):
                raise Unmarked("legacy does not keep its keys unique")
        by_number, theirs = families[0] is Family.INTEGER, source.of_tenant(spec, self._plan.legacy_tenant)
        held = f"FROM {name(spec.target_table)} AS s WHERE s.{name(spec.target_tenant)} = {text(self._plan.new_tenant)}"
        columns = [spec.target_tenant, *(column.name for column in spec.columns)]
        return (
            _Table(spec.source_table, _read(spec), theirs, f"s.{name(native)}", by_number),
            _Table(spec.target_table, columns, held, f"s.{name(spec.target_key)}", by_number),
        )

    def _is_readable(self, key: str) -> bool:
        spec: Spec = self._plan.spec
        row: dict[str, Value] = {spec.key_column: key}
        return not evaluate(spec.column(spec.target_key).expression, row, spec.world()).bad

    def _check_hashes(self, seed: int) -> None:
        probe = f"SELECT hashint8extended(42, {seed}), hashtextextended('é' COLLATE \"C\", {seed})"
        one, two = self._databases.both(lambda database: database.ask(probe))
        if one != two:
            raise Unmarked("the two servers hash differently")


def _sums(database: Database, table: _Table, seed: int, buckets: int) -> list[int]:
    hashed, found = table.hashed(seed), [0] * buckets
    summed = f"SELECT ({hashed}) & {buckets - 1}, sum({hashed})::text {table.rows} GROUP BY 1"
    for bucket, total in database.ask(summed):
        found[int(str(bucket))] = short(int(str(total)))
    return found


def _since(database: Database, table: _Table, former: State, seed: int, life: Life) -> tuple[State, list[str]]:
    """Return how a table stands now, and the keys of the rows that were written since."""
    if identity.identity(database, table.name, table.columns, life) != former.identity:
        raise Unmarked("a server or a table is not the one that it was")
    if life.upto - former.horizon > _LIFETIME:
        raise Unmarked("the server has carried out too many transactions since")
    ((age,),) = database.ask(f"SELECT age('{former.horizon % (1 << 32)}'::xid)")
    ((total, count, keys),) = database.ask(
        f"SELECT total::text, coalesce(cardinality(keys), 0), CASE WHEN cardinality(keys) <= {MOST} THEN keys END "
        f"FROM (SELECT coalesce(sum({table.hashed(seed)}), 0) AS total, "
        f"array_agg(({table.key})::text) FILTER (WHERE age(s.xmin) <= {age}) AS keys {table.rows}) AS r"
    )
    if int(str(count)) > MOST:
        raise Unmarked(_TOO_MUCH)
    found = keys if isinstance(keys, list) else []
    sums = former.sums
    if short(int(str(total))) != former.total:
        sums = _sums(database, table, seed, len(sums))
    return State(former.identity, life.horizon, sums), found


def _listed(database: Database, table: _Table, seed: int, moved: list[int], buckets: int) -> set[str]:
    """Return the keys in these buckets."""
    chosen = f"(({table.hashed(seed)}) & {buckets - 1}) = ANY ('{{{','.join(map(str, moved))}}}'::bigint[])"
    rows = database.ask(f"SELECT ({table.key})::text {table.rows} AND {chosen} LIMIT {_LISTED + 1}")
    if len(rows) > _LISTED:
        raise Unmarked(_TOO_MUCH)
    return {str(key) for (key,) in rows if key is not None}


def _looked_at(plan: Plan) -> dict[str, Spec]:
    """Return the mappings of all entities that this one looks up, and those that they do, by entity."""
    found: dict[str, Spec] = {}
    waiting = [plan.spec]
    while waiting:
        for lookup in waiting.pop().lookups.values():
            if lookup.entity not in found:
                found[lookup.entity] = plan.others[lookup.entity]
                waiting.append(plan.others[lookup.entity])
    return dict(sorted(found.items()))


def _looked_up(plan: Plan, spec: Spec) -> _Table:
    rows, key = source.of_tenant(spec, plan.legacy_tenant), source.key(spec)
    return _Table(spec.source_table, _read(spec), rows, key, by_number=False)


def _read(spec: Spec) -> list[str]:
    """Return the columns of legacy that decide what a record is."""
    columns = {*spec.source_columns, *(column for column, _ in spec.key_parts)}
    return [spec.source_tenant, *sorted(spec.source_names.get(column, column) for column in columns)]
