"""Judges raw rows in PostgreSQL by the statement that moves them, in tables that vanish with the session."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from backfills.domain import inspection, keys
from backfills.domain.judgement import DUPLICATE, Fate, Verdict, checks, verdicts
from backfills.domain.quoting import quote, text
from backfills.domain.spec import Spec, Then
from backfills.domain.sql import Compiler, Dialect
from core.inspecting import Example, Found, Inspected, Writes
from core.moving import SourceRows
from core.ports import Rejected
from portal.adapters.beside import Beside
from portal.adapters.postgres import connected

SOURCE_KEY, TARGET_KEY = "source key", "target key"
"""Columns of the rows that would move; the names of a mapping hold no space."""
SUPPLIED = -1
LONGEST_VALUE = 60


class PostgresInspector:
    """Opens sessions in the new platform's database; its role needs no more there than temporary tables."""

    def __init__(self, *, url: str, statement_timeout: int = 600) -> None:
        self.url, self.statement_timeout = url, statement_timeout

    @contextmanager
    def session(self, *, specs: Mapping[str, Spec], account_id: UUID) -> Iterator["Session"]:
        """Begin a pass; see `core.ports.Inspector`. The server refuses it every write that would stay."""
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            try:
                made = Session(connection, specs, account_id)
            except psycopg.errors.InsufficientPrivilege as error:
                raise Rejected(
                    "Our role on the new platform may not make temporary tables: our data lead must grant it."
                ) from error
            # Temporary tables alone may be written now.
            connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            yield made


class Session:
    """Holds, per entity, the raw rows of one batch and what the rows that would move are known by."""

    def __init__(self, connection: psycopg.Connection, specs: Mapping[str, Spec], account_id: UUID) -> None:
        self.connection, self.specs = connection, specs
        self.entities = {
            name: _Entity(spec, number, specs, Beside.of(connection, spec, account_id))
            for number, (name, spec) in enumerate(specs.items())
        }
        for entity in self.entities.values():
            for statement in entity.tables():
                connection.execute(statement)

    def judge(self, *, spec: Spec, rows: SourceRows) -> None:
        """Judge the next rows; see `core.ports.InspectionSession`."""
        entity = self.entities[spec.entity]
        if not rows.count:
            return
        with self.connection.transaction():
            with self.connection.cursor() as cursor, cursor.copy(entity.copy) as copy:
                copy.write(rows.data)
            for kind, number, count, examples in self.connection.execute(entity.statement(self.entities)):
                if kind == "twice":
                    raise Rejected(keys.not_unique(spec))
                if kind == "verdict":
                    entity.verdicts[number] += count
                else:
                    entity.heard(number, count, examples)

    def finish(self, *, spec: Spec) -> Inspected:
        """Tell what became of all rows; see `core.ports.InspectionSession`."""
        entity = self.entities[spec.entity]
        doubled = self.connection.execute(entity.in_moves(_DOUBLED)).fetchall()
        self.connection.execute(entity.in_moves(_FORGET_DOUBLED))
        self.connection.execute(entity.in_moves("ANALYZE {moves}"))
        return entity.told(doubled, entity.beside.writes(self.connection, entity.moves) if entity.beside else None)


class _Entity:
    def __init__(self, spec: Spec, number: int, specs: Mapping[str, Spec], beside: Beside | None) -> None:
        self.spec, self.beside = spec, beside
        self.raw, self.moves = (sql.Identifier("pg_temp", f"{name}_{number}") for name in ("raw", "moves"))
        # What other entities look up of this one.
        self.fields = sorted({field for other in specs.values() for lookup in other.lookups.values()
                              if lookup.entity == spec.entity for field in lookup.fields})  # fmt: skip
        self.listed = verdicts(spec)
        self.first_moving = len(list(checks(spec)))
        # Faults with one rule and one column are one kind: a row counts once.
        self.kinds: dict[tuple[str, str], int] = {}
        self.kind_of = {
            fault.number: self.kinds.setdefault((fault.verdict.rule, fault.verdict.column), len(self.kinds))
            for fault in inspection.faults(spec)
        }
        self.verdicts: Counter[int] = Counter()
        self.counts: Counter[int] = Counter()
        self.examples: dict[int, list[Example]] = {}
        self._statement: sql.Composed | None = None
        columns = sql.SQL(", ").join(map(sql.Identifier, spec.source_columns))
        self.copy = sql.SQL("COPY {} ({}) FROM STDIN").format(self.raw, columns)

    def tables(self) -> Iterator[sql.Composed]:
        """Yield the statements that make its tables and put in what the mapping itself supplies."""
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(one)) for one in self.spec.source_columns)
        fields = [sql.SQL(", {} text").format(sql.Identifier(field)) for field in self.fields]
        yield sql.SQL(
            "CREATE TEMPORARY TABLE {} (n bigint GENERATED ALWAYS AS IDENTITY, {}) ON COMMIT DELETE ROWS"
        ).format(self.raw, columns)
        yield sql.SQL(
            'CREATE TEMPORARY TABLE {} (n bigint GENERATED ALWAYS AS IDENTITY, "source key" text,'
            ' "target key" text COLLATE "C", verdict int, "would be" text{})'
        ).format(self.moves, sql.SQL("").join(fields))
        # Of values of any length: a tree takes no more than a third of a page.
        yield self.in_moves('CREATE INDEX ON {moves} USING hash ("target key")')
        for row in self.spec.supplements:
            given = [row[self.spec.target_key], SUPPLIED, *(row[field] for field in self.fields)]
            yield sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                self.moves,
                sql.SQL(", ").join(map(sql.Identifier, (TARGET_KEY, "verdict", *self.fields))),
                sql.SQL(", ").join(sql.Literal(None if one is None else str(one)) for one in given),
            )

    def in_moves(self, statement: str) -> sql.Composed:
        """Return a statement about the rows that would move."""
        return sql.SQL(statement).format(moves=self.moves)

    def statement(self, entities: Mapping[str, "_Entity"]) -> sql.Composed:
        """Return the statement that judges a batch, keeps what would move, and counts verdicts and faults."""
        if self._statement is None:
            self._statement = self._made(entities)
        return self._statement

    def _made(self, entities: Mapping[str, "_Entity"]) -> sql.Composed:
        spec = self.spec
        lookups = {
            name: (entities[lookup.entity].moves.as_string(), TARGET_KEY) for name, lookup in spec.lookups.items()
        }
        compiler = Compiler(Dialect.POSTGRES, spec.tables, spec.sets, spec.zones, lookups)
        shown = list(dict.fromkeys(column for _, column in self.kinds if self._is_public(column)))
        judged = inspection.statement(spec, compiler, self.raw.as_string(), extra=("n", *shown))
        kinds = ", ".join(f"({number}, {kind})" for number, kind in self.kind_of.items()) or "(-1, -1)"
        values = " ".join(
            f"WHEN {kind} THEN left({quote(column)}, {LONGEST_VALUE})"
            for (_, column), kind in self.kinds.items()
            if column in shown
        )
        return sql.SQL(_JUDGE).format(
            judged=sql.SQL(judged),
            moves=self.moves,
            names=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(field)) for field in self.fields),
            values=sql.SQL("").join(
                sql.SQL(", j.{}::text").format(sql.Identifier(f"out__{field}")) for field in self.fields
            ),
            target_key=sql.Identifier(f"out__{spec.target_key}"),
            first_moving=sql.Literal(self.first_moving),
            would_be=self.beside.would_be if self.beside else sql.SQL("NULL"),
            beside=self.beside.joined if self.beside else sql.SQL(""),
            kinds=sql.SQL(kinds),
            value=sql.SQL(f"CASE kind {values} END" if values else text("")),
            examples=sql.Literal(inspection.EXAMPLES),
        )

    def _is_public(self, column: str) -> bool:
        return self.spec.source_columns.get(column, False)

    def heard(self, kind: int, count: int, rows: list[list[str | None]]) -> None:
        """Note how many rows of a batch have a kind of fault, and the first of them."""
        self.counts[kind] += count
        known = self.examples.setdefault(kind, [])
        column = list(self.kinds)[kind][1]
        for key, value in rows[: inspection.EXAMPLES - len(known)]:
            known.append(self._example(str(key), value if self._is_public(column) else None))

    def _example(self, key: str, value: str | None) -> Example:
        return Example(key if self._is_public(self.spec.key_column) else "", value)

    def told(self, doubled: list[Any], writes: Writes | None) -> Inspected:
        """Return totals and faults; rows whose key another row has follow the spec's rule for duplicates."""
        counts, spec = Counter(self.verdicts), self.spec
        totals: Counter[tuple[str, str]] = Counter()
        duplicates = Found("", "", 0)
        merges = spec.duplicates.then is Then.MERGE
        end = Verdict(Fate.MERGED if merges else Fate.QUARANTINED, spec.duplicates.name, "" if merges else DUPLICATE)
        for number, count, told in doubled:
            counts[number] -= count
            totals[end.fate.value, end.rule] += count
            named = (*duplicates.examples, *(self._example(key, None) for key in told))
            column = spec.source_of_column(spec.column(spec.target_key))
            duplicates = Found(end.rule, column, duplicates.count + count, named[: inspection.EXAMPLES])
        for number, count in counts.items():
            totals[self.listed[number].fate.value, self.listed[number].rule] += count
        found = [
            Found(rule, column, self.counts[kind], tuple(self.examples.get(kind, ())))
            for (rule, column), kind in self.kinds.items()
            if self.counts[kind]
        ]
        if duplicates.count and not merges:
            found.append(duplicates)
        return Inspected({key: count for key, count in totals.items() if count}, tuple(found), writes)


_JUDGE = """
WITH judged AS MATERIALIZED ({judged}),
kept AS (
    INSERT INTO {moves} ("source key", "target key", verdict, "would be"{names})
    SELECT j.source_key, j.{target_key}::text, j.verdict, {would_be}{values}
      FROM (SELECT * FROM judged WHERE verdict >= {first_moving} OFFSET 0) AS j{beside} ORDER BY j.n
),
fault AS (
    SELECT DISTINCT ON (kind, n) kind, n, source_key, {value} AS value
      FROM judged, unnest(faults) AS f (number) JOIN (VALUES {kinds}) AS k (number, kind) USING (number)
)
SELECT 'verdict', verdict, count(*), NULL::text[] FROM judged GROUP BY verdict
UNION ALL
SELECT 'twice', 0, count(*), NULL FROM judged HAVING count(*) > count(DISTINCT source_key)
UNION ALL
SELECT 'fault', kind, count(*), (array_agg(ARRAY[source_key, value] ORDER BY n))[1:{examples}] FROM fault GROUP BY kind
"""
_DOUBLED = """
SELECT verdict, count(*), (array_agg("source key" ORDER BY n))[1:5]
  FROM (SELECT *, row_number() OVER (PARTITION BY "target key" ORDER BY n) AS place FROM {moves} WHERE verdict >= 0) m
 WHERE place > 1 GROUP BY verdict ORDER BY min(n)
"""
# A look-up finds one row: the first of those with one key, and a row of legacy rather than one of the mapping.
_FORGET_DOUBLED = """
DELETE FROM {moves} USING (
    SELECT n, row_number() OVER (PARTITION BY "target key" ORDER BY verdict < 0, n) AS place FROM {moves}
) d WHERE d.place > 1 AND d.n = {moves}.n
"""


__all__ = ["PostgresInspector"]
