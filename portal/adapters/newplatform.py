"""The loading side of the new platform in PostgreSQL: each batch is one transaction, checkpoint included."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
from cryptography.fernet import Fernet, MultiFernet
from psycopg import errors, sql

from backfills.domain.judgement import Fate
from core.moving import BatchDone, Letter, LoadOrder, RunPosition, SourceRows
from core.ports import Rejected
from portal.adapters import batch as statements
from portal.adapters.closing import close
from portal.adapters.postgres import connected

STAGE = Path(__file__).with_name("stage.sql")
REFERENCE = "reference"
"""The source system of rows that the mapping itself supplies."""

type Totals = Counter[tuple[str, str]]


class PostgresMover:
    """Loads into the account's tables; its own tables lie in the schema `crossing_stage`, which its role owns.

    `keys` encrypt the payload of rejected rows, newest first. `provenance` and `accounts` name the new
    platform's tables for where objects come from and for customers.
    """

    def __init__(
        self,
        *,
        url: str,
        keys: Sequence[str],
        provenance: str = "platform.provenance",
        accounts: str = "platform.account",
        statement_timeout: int = 600,
    ) -> None:
        self.url, self.statement_timeout = url, statement_timeout
        self.provenance, self.accounts = provenance, accounts
        self.cipher = MultiFernet([Fernet(key) for key in keys])

    def open_run(self, *, order: LoadOrder, source_total: int) -> RunPosition:
        """Give the run its place; see `core.ports.DataMover`."""
        with self._connected() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('crossing_stage'))")
            connection.execute(STAGE.read_bytes())
            connection.execute(
                sql.SQL("INSERT INTO {} (id, name, legacy_ref) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING").format(
                    statements.table(self.accounts)
                ),
                [order.account_id, order.account_name, order.tenant_ref],
            )
            opened = connection.execute(
                "INSERT INTO crossing_stage.run (run_id, account_id, entity, spec, source_total, opened_at)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (run_id) DO NOTHING RETURNING 1",
                [order.run_id, order.account_id, order.entity, order.spec.label, source_total, order.at],
            ).fetchone()
            if opened:
                self._supplement(connection, order)
            return _position(connection, order.run_id)

    def load(self, *, order: LoadOrder, after: str | None, rows: SourceRows, last: bool) -> RunPosition:
        """Move one batch; see `core.ports.DataMover`."""
        with self._connected() as connection, connection.transaction():
            run = _locked(connection, order.run_id)
            if run.last_key != after or run.loaded:
                return _position(connection, order.run_id)
            number = run.batches + 1
            self._apply(connection, order, rows, number=number, add=True)
            connection.execute(
                "UPDATE crossing_stage.run SET last_key = coalesce(%s, last_key), read = read + %s, batches = %s,"
                " loaded = %s WHERE run_id = %s",
                [rows.last_key, rows.count, number if rows.count else run.batches, last, order.run_id],
            )
            return _position(connection, order.run_id, after_batch=run.batches)

    def retry(self, *, order: LoadOrder, keys: Sequence[str], rows: SourceRows) -> RunPosition:
        """Judge rejected rows again; see `core.ports.DataMover`."""
        with self._connected() as connection, connection.transaction():
            run = _locked(connection, order.run_id)
            number = run.batches + 1
            self._apply(connection, order, rows, number=number, add=False, asked=keys)
            connection.execute("UPDATE crossing_stage.run SET batches = %s WHERE run_id = %s", [number, order.run_id])
            _recount(connection, order)
            return _position(connection, order.run_id, after_batch=run.batches)

    def finish(self, *, order: LoadOrder, source_total: int) -> RunPosition:
        """Remove what legacy no longer has, and close the run; see `core.ports.DataMover`."""
        with self._connected() as connection:
            try:
                with connection.transaction():
                    run = _locked(connection, order.run_id)
                    if not run.closed:
                        close(connection, order, provenance=self.provenance)
                        _recount(connection, order)
                        connection.execute(
                            "UPDATE crossing_stage.run SET source_total = %s, closed = true WHERE run_id = %s",
                            [source_total, order.run_id],
                        )
                        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except errors.CheckViolation as error:
                if error.diag.constraint_name != "crossing_stage_conserved":
                    raise
                accounted = sum(_position(connection, order.run_id).totals.values())
                raise Rejected(
                    f"Legacy holds {source_total:,} rows, of which {accounted:,} are accounted for: the data changed"
                    " while it was read. Run it again."
                ) from error
            except errors.ForeignKeyViolation as error:
                raise Rejected(
                    "Rows that legacy no longer has are still referred to in the new platform: run the entities that"
                    " refer to them, then this one again."
                ) from error
            return _position(connection, order.run_id)

    def position(self, *, order: LoadOrder, after_batch: int = 0) -> RunPosition:
        """Tell how far the run is; see `core.ports.DataMover`."""
        with self._connected() as connection, connection.transaction():
            return _position(connection, order.run_id, after_batch=after_batch)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            yield connection

    def _supplement(self, connection: psycopg.Connection, order: LoadOrder) -> None:
        """Write the rows that the mapping itself supplies, where the target has none of that key."""
        spec = order.spec
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in spec.columns)
        casts = sql.SQL(", ").join(sql.SQL("%s::{}").format(statements.cast(column)) for column in spec.columns)
        insert = sql.SQL("INSERT INTO {} ({}, {}) VALUES (%s, {}) ON CONFLICT DO NOTHING RETURNING 1").format(
            statements.table(spec.target_table), sql.Identifier(spec.target_tenant), columns, casts
        )
        trace = sql.SQL(
            "INSERT INTO {} (account_id, entity, source_system, source_key, target_key, run_id, spec, source_hash,"
            " migrated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, sha256(convert_to(%s, 'UTF8')), %s)"
            " ON CONFLICT DO NOTHING"
        ).format(statements.table(self.provenance))
        for row in spec.supplements:
            key = str(row[spec.target_key])
            connection.execute(insert, [order.account_id, *(row[column.name] for column in spec.columns)])
            connection.execute(
                trace,
                [order.account_id, order.entity, REFERENCE, key, key, order.run_id, spec.label,
                 json.dumps(row, sort_keys=True), order.at],
            )  # fmt: skip
        connection.execute(
            "UPDATE crossing_stage.run SET supplemented = %s WHERE run_id = %s", [len(spec.supplements), order.run_id]
        )

    def _apply(
        self,
        connection: psycopg.Connection,
        order: LoadOrder,
        rows: SourceRows,
        *,
        number: int,
        add: bool,
        asked: Sequence[str] = (),
    ) -> None:
        """Stage the rows and run the statement over them; rows that the target refuses are set apart one by one."""
        totals: Totals = Counter()
        changed = 0
        if rows.count:
            staged = _Staged(connection, order, number=number, provenance=self.provenance)
            staged.fill(rows)
            totals, changed = staged.apply(1, rows.count)
            self._seal_payloads(connection, order, number=number, stage=staged.table)
            staged.drop()
        gone = sorted(set(asked) - _present(connection, order, number=number, asked=asked)) if asked else []
        if gone:
            _bury(connection, order, gone, number=number)
        if add:
            _count(connection, order.run_id, totals)
        if rows.count or gone:
            first, last = rows.first_key or gone[0], rows.last_key or gone[-1]
            connection.execute(
                "INSERT INTO crossing_stage.batch VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [order.run_id, number, first, last, rows.count + len(gone), changed, order.at],
            )

    def _seal_payloads(
        self, connection: psycopg.Connection, order: LoadOrder, *, number: int, stage: sql.Composable
    ) -> None:
        """Encrypt the rejected rows of this batch; their plain text goes with the stage."""
        spec = order.spec
        rejected = connection.execute(
            sql.SQL(
                "SELECT d.source_key, (to_jsonb(s) - 'n')::text FROM crossing_stage.dead_letter d"
                " JOIN {} s ON s.{} = d.source_key WHERE d.run_id = %s AND d.batch = %s AND d.state = 'open'"
            ).format(stage, sql.Identifier(spec.key_column)),
            [order.run_id, number],
        ).fetchall()
        sealed = [self.cipher.encrypt(payload.encode()) for _, payload in rejected]
        if rejected:
            connection.execute(
                "UPDATE crossing_stage.dead_letter d SET payload = p.payload"
                " FROM unnest(%s::text[], %s::bytea[]) AS p (source_key, payload)"
                " WHERE d.account_id = %s AND d.entity = %s AND d.source_key = p.source_key",
                [[key for key, _ in rejected], sealed, order.account_id, order.entity],
            )


class _Staged:
    """The raw rows of one batch in a table of their own, made and dropped inside the batch's transaction."""

    def __init__(self, connection: psycopg.Connection, order: LoadOrder, *, number: int, provenance: str) -> None:
        self.connection, self.order = connection, order
        self.table = sql.Identifier("crossing_stage", f"raw_{order.run_id.hex}")
        self.statement = statements.batch(
            order.spec, order.specs, account=str(order.account_id), stage=self.table, provenance=provenance
        )
        self.values = {
            "account": order.account_id,
            "entity": order.entity,
            "system": order.spec.system,
            "run": order.run_id,
            "spec": order.spec.label,
            "batch": number,
            "at": order.at,
        }

    def fill(self, rows: SourceRows) -> None:
        """Copy the rows in as they came."""
        columns = [sql.Identifier(column) for column in self.order.spec.source_columns]
        self.connection.execute(
            sql.SQL("CREATE UNLOGGED TABLE {} (n bigint GENERATED ALWAYS AS IDENTITY, {})").format(
                self.table, sql.SQL(", ").join(sql.SQL("{} text").format(column) for column in columns)
            )
        )
        with (
            self.connection.cursor() as cursor,
            cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(self.table, sql.SQL(", ").join(columns))) as copy,
        ):
            copy.write(rows.data)
        self.connection.execute(sql.SQL("ANALYZE {}").format(self.table))

    def apply(self, low: int, high: int) -> tuple[Totals, int]:
        """Run the statement over rows `low` to `high`; halve them where the target refuses one."""
        try:
            with self.connection.transaction():
                answer = self.connection.execute(self.statement, {**self.values, "low": low, "high": high}).fetchall()
        except (errors.IntegrityError, errors.DataError) as error:
            if low == high:
                return self._refuse(low, error), 0
            middle = (low + high) // 2
            (left, some), (right, more) = self.apply(low, middle), self.apply(middle + 1, high)
            return left + right, some + more
        totals = Counter({(fate, rule): count for fate, rule, count, _ in answer})
        return totals, answer[0][3] if answer else 0

    def _refuse(self, number: int, error: psycopg.Error) -> Totals:
        """Quarantine a row that satisfies the spec but not the target; the constraint's name is its reason."""
        spec = self.order.spec
        key = sql.Identifier(spec.key_column)
        self.connection.execute(
            sql.SQL(_REFUSED).format(key=key, stage=self.table),
            {
                **self.values,
                "n": number,
                "rule": "refused_by_target",
                "sqlstate": error.sqlstate or "",
                "column": error.diag.constraint_name or error.diag.column_name or "",
            },
        )
        return Counter({(Fate.QUARANTINED.value, "refused_by_target"): 1})

    def drop(self) -> None:
        """Remove the plain rows."""
        self.connection.execute(sql.SQL("DROP TABLE {}").format(self.table))


_REFUSED = """
WITH ended AS (
    INSERT INTO crossing_stage.outcome AS o (account_id, entity, source_key, run_id, fate, rule)
    SELECT %(account)s, %(entity)s, {key}, %(run)s, 'quarantined', %(rule)s FROM {stage} WHERE n = %(n)s
    ON CONFLICT (account_id, entity, source_key) DO UPDATE
       SET run_id = excluded.run_id, fate = excluded.fate, rule = excluded.rule, target_key = NULL
    RETURNING source_key
)
INSERT INTO crossing_stage.dead_letter AS d
       (account_id, entity, source_key, run_id, batch, rule, sqlstate, source_column, spec, first_at, last_at)
SELECT %(account)s, %(entity)s, source_key, %(run)s, %(batch)s, %(rule)s, %(sqlstate)s, %(column)s, %(spec)s, %(at)s, %(at)s
  FROM ended
ON CONFLICT (account_id, entity, source_key) DO UPDATE
   SET run_id = excluded.run_id, batch = excluded.batch, state = 'open', rule = excluded.rule,
       sqlstate = excluded.sqlstate, source_column = excluded.source_column, spec = excluded.spec,
       attempts = d.attempts + 1, last_at = excluded.last_at
"""


class _Run:
    """The run's row, locked for this transaction."""

    def __init__(self, last_key: str | None, batches: int, loaded: bool, closed: bool) -> None:
        self.last_key, self.batches, self.loaded, self.closed = last_key, batches, loaded, closed


def _locked(connection: psycopg.Connection, run_id: UUID) -> _Run:
    row = connection.execute(
        "SELECT last_key, batches, loaded, closed FROM crossing_stage.run WHERE run_id = %s FOR UPDATE", [run_id]
    ).fetchone()
    if row is None:
        raise Rejected("The new platform does not know this run: start it again.")
    return _Run(*row)


def _present(connection: psycopg.Connection, order: LoadOrder, *, number: int, asked: Sequence[str]) -> set[str]:
    """Return which of the asked keys this batch has judged."""
    rows = connection.execute(
        "SELECT source_key FROM crossing_stage.dead_letter WHERE account_id = %s AND entity = %s AND run_id = %s"
        " AND batch = %s AND source_key = ANY (%s)",
        [order.account_id, order.entity, order.run_id, number, list(asked)],
    )
    return {key for (key,) in rows}


def _bury(connection: psycopg.Connection, order: LoadOrder, keys: list[str], *, number: int) -> None:
    """Account for rejected rows that legacy has deleted since: dropped, by the spec's rule."""
    rule = order.spec.vanished.name
    connection.execute(
        "UPDATE crossing_stage.outcome SET fate = 'dropped', rule = %s, target_key = NULL"
        " WHERE account_id = %s AND entity = %s AND source_key = ANY (%s)",
        [rule, order.account_id, order.entity, keys],
    )
    connection.execute(
        "UPDATE crossing_stage.dead_letter SET state = 'resolved', batch = %s, last_at = %s, payload = NULL"
        " WHERE account_id = %s AND entity = %s AND source_key = ANY (%s)",
        [number, order.at, order.account_id, order.entity, keys],
    )


def _count(connection: psycopg.Connection, run_id: UUID, totals: Totals) -> None:
    for (fate, rule), count in totals.items():
        connection.execute(
            "INSERT INTO crossing_stage.total AS t VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (run_id, fate, rule) DO UPDATE SET count = t.count + excluded.count",
            [run_id, fate, rule, count],
        )


def _recount(connection: psycopg.Connection, order: LoadOrder) -> None:
    """Count the outcomes again from where every row ended."""
    connection.execute("DELETE FROM crossing_stage.total WHERE run_id = %s", [order.run_id])
    connection.execute(
        "INSERT INTO crossing_stage.total SELECT run_id, fate, rule, count(*) FROM crossing_stage.outcome"
        " WHERE account_id = %s AND entity = %s AND run_id = %s GROUP BY run_id, fate, rule",
        [order.account_id, order.entity, order.run_id],
    )


def _position(connection: psycopg.Connection, run_id: UUID, *, after_batch: int = 0) -> RunPosition:
    row = connection.execute(
        "SELECT last_key, read, source_total, loaded, closed, supplemented FROM crossing_stage.run WHERE run_id = %s",
        [run_id],
    ).fetchone()
    if row is None:
        raise Rejected("The new platform does not know this run: start it again.")
    last_key, read, source_total, loaded, closed, supplemented = row
    totals = connection.execute("SELECT fate, rule, count FROM crossing_stage.total WHERE run_id = %s", [run_id])
    return RunPosition(
        last_key=last_key,
        read=read,
        source_total=source_total,
        loaded=loaded,
        closed=closed,
        totals={(fate, rule): count for fate, rule, count in totals if count},
        supplemented=supplemented,
        batches=tuple(_batches(connection, run_id, after_batch)),
    )


def _batches(connection: psycopg.Connection, run_id: UUID, after_batch: int) -> Iterator[BatchDone]:
    letters: dict[int, list[Letter]] = {}
    settled: dict[int, list[str]] = {}
    for row in connection.execute(
        "SELECT batch, state, source_key, rule, sqlstate, source_column, spec, attempts, first_at, last_at, payload"
        " FROM crossing_stage.dead_letter WHERE run_id = %s AND batch > %s ORDER BY source_key",
        [run_id, after_batch],
    ):
        number, state, *facts, payload = row
        if state == "open":
            letters.setdefault(number, []).append(Letter(*facts, payload=payload or b""))
        else:
            settled.setdefault(number, []).append(facts[0])
    for number, first_key, last_key, rows, changed, at in connection.execute(
        "SELECT number, first_key, last_key, rows, changed, at FROM crossing_stage.batch"
        " WHERE run_id = %s AND number > %s ORDER BY number",
        [run_id, after_batch],
    ).fetchall():
        yield BatchDone(
            number, first_key, last_key, rows, changed, at,
            letters=tuple(letters.get(number, ())), settled=tuple(settled.get(number, ())),
        )  # fmt: skip


__all__ = ["PostgresMover"]
