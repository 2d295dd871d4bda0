"""The loading side of the new platform in PostgreSQL: each batch is one transaction, checkpoint included."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
from cryptography.fernet import Fernet, MultiFernet
from psycopg import errors, sql

from backfills.domain.judgement import Fate
from backfills.domain.spec import Spec, Then
from core.moving import LoadOrder, Origin, Preserved, RunPosition, SourceKeys, SourceRows, Trace
from core.ports import Committing, Rejected
from portal.adapters import batch as statements
from portal.adapters import catching, origins, preserving, stage, touching, tracing
from portal.adapters.closing import close
from portal.adapters.postgres import committed, connected
from portal.adapters.stage import Totals
from portal.adapters.staged import Staged

STAGE = Path(__file__).with_name("stage.sql")
REFERENCE = "reference"
"""The source system of rows that the mapping itself supplies."""

_OUTDATED = "The run began before Crossing was updated: run it again."


class _Contested(Exception):
    """Rows are there already, or the target refuses one: the batch is moved alone."""


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

    def open_run(self, *, order: LoadOrder, source_total: int, borders: Sequence[str] = ()) -> RunPosition:
        """Give the run its place; see `core.ports.DataMover`."""
        with self._connected() as connection, connection.transaction():
            self._prepare(connection)
            spec = order.spec
            stage.demand_key(connection, spec.target_table, spec.target_tenant, spec.target_key)
            stage.demand_key(connection, self.provenance, "account_id", "entity", "source_system", "source_key")
            connection.execute(
                sql.SQL("INSERT INTO {} (id, name, legacy_ref) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING").format(
                    statements.table(self.accounts)
                ),
                [order.account_id, order.account_name, order.tenant_ref],
            )
            judged_by = touching.known(connection, order)  # before runs that wrote nothing are forgotten
            if stage.opened(connection, order, source_total=source_total, provenance=self.provenance):
                stage.divide(connection, order, borders)
                stage.share(connection, order, alone=False)
                touching.begin(connection, order, since=judged_by)
                self._supplement(connection, order)
                if order.since is not None:
                    catching.demand_read(connection, order, provenance=self.provenance)
            return stage.position(connection, order.run_id)

    def load(
        self,
        *,
        order: LoadOrder,
        read: Callable[[str | None, str | None], SourceRows],
        after_batch: int = 0,
        committing: Committing = nullcontext,
    ) -> RunPosition:
        """Move one batch; see `core.ports.DataMover`."""
        with self._connected() as connection:
            fresh = self._is_fresh(connection, order) and order.spec.duplicates.then is not Then.MERGE
            try:
                with committed(connection, committing):
                    self._move(connection, order, read, alone=not fresh)
            except (_Contested, errors.DeadlockDetected):
                with committed(connection, committing):
                    self._move(connection, order, read, alone=True)
            with connection.transaction():
                return stage.position(connection, order.run_id, after_batch=after_batch)

    def _is_fresh(self, connection: psycopg.Connection, order: LoadOrder) -> bool:
        """Say whether the run may insert; raises Rejected for a run that is not there."""
        with connection.transaction():
            run = stage.locked(connection, order.run_id)
            if run.fresh is None:
                raise Rejected(_OUTDATED)
            return run.fresh

    def _move(
        self,
        connection: psycopg.Connection,
        order: LoadOrder,
        read: Callable[[str | None, str | None], SourceRows],
        *,
        alone: bool,
    ) -> None:
        """Move a batch: beside others while each only inserts, alone where it matters what is there already."""
        stage.share(connection, order, alone=alone)
        claim = stage.claimed(connection, order.run_id)
        if claim is None:
            return
        rows = read(claim.last_key, claim.until)
        last = rows.count < order.spec.batch
        self._apply(connection, order, rows, claim=claim, last=last, alone=alone)

    def retry(
        self, *, order: LoadOrder, keys: Sequence[str], rows: SourceRows, committing: Committing = nullcontext
    ) -> RunPosition:
        """Judge rejected rows again; see `core.ports.DataMover`."""
        with self._connected() as connection, committed(connection, committing):
            run = stage.locked(connection, order.run_id)
            stage.share(connection, order, alone=True)
            stage.uncount(connection, order.run_id, stage.ended(connection, order, keys, self.provenance))
            self._apply(connection, order, rows, asked=keys, alone=True)
            return stage.position(connection, order.run_id, after_batch=run.batches)

    def unread(self, *, order: LoadOrder) -> Sequence[str]:
        """Tell what is left to rows that were not read; see `core.ports.DataMover`."""
        if order.spec.duplicates.then is not Then.MERGE:
            return ()
        with self._connected() as connection:
            return catching.unread(connection, order, provenance=self.provenance)

    def finish(
        self,
        *,
        order: LoadOrder,
        source: SourceKeys,
        held: Callable[[], Iterator[bytes]] | None = None,
        committing: Committing = nullcontext,
    ) -> RunPosition:
        """Remove what legacy no longer has, and close the run; see `core.ports.DataMover`."""
        if order.since is not None and held is None:
            raise ValueError("a catch-up has not met every row: it needs to know which there are")
        with self._connected() as connection:
            try:
                with committed(connection, committing):
                    stage.share(connection, order, alone=False)
                    run = stage.locked(connection, order.run_id)
                    if not run.closed:
                        if run.fresh is None:
                            raise Rejected(_OUTDATED)
                        if order.since is None or held is None:
                            closed = close(connection, order, provenance=self.provenance, whole=run.fresh)
                            if run.fresh:
                                touching.note_all(connection, order)
                        else:
                            source, closed = catching.close_caught_up(
                                connection, order, source=source, held=held, provenance=self.provenance
                            )
                        connection.execute(
                            "UPDATE crossing_stage.run SET source_total = %s, removed = %s, held = %s, closed = true"
                            " WHERE run_id = %s",
                            [source.rows, closed.removed, closed.held, order.run_id],
                        )
                        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                        if closed.digest != source.digest:
                            raise Rejected(
                                f"Legacy holds {source.rows:,} rows, as many as are accounted for, but not the same"
                                " ones: some were deleted and others added while it was read. Run it again."
                            )
            except errors.CheckViolation as error:
                if error.diag.constraint_name != "crossing_stage_conserved":
                    raise
                accounted = sum(stage.position(connection, order.run_id).totals.values())
                raise Rejected(
                    f"Legacy holds {source.rows:,} rows, of which {accounted:,} are accounted for: the data changed"
                    " while it was read. Run it again."
                ) from error
            except errors.ForeignKeyViolation as error:
                raise Rejected(
                    "Rows that legacy no longer has are still referred to in the new platform: run the entities that"
                    " refer to them, then this one again."
                ) from error
            return stage.position(connection, order.run_id)

    def touched(self, *, order: LoadOrder) -> Mapping[str, tuple[str, ...]] | None:
        """Tell what was written that the entity looks up; see `core.ports.DataMover`."""
        with self._connected() as connection, connection.transaction():
            return touching.touched(connection, order)

    def trace(self, *, account_id: UUID, entity: str, system: str, key: str) -> Trace | None:
        """Tell where one row ended; see `core.ports.DataMover`."""
        with self._connected() as connection:
            return tracing.trace(
                connection, account_id=account_id, entity=entity, system=system, key=key, provenance=self.provenance
            )

    def origins(
        self, *, account_id: UUID, spec: Spec, keys: Sequence[str], read: Callable[[Sequence[str]], SourceRows]
    ) -> Mapping[str, Origin]:
        """Tell where objects came from; see `core.ports.DataMover`."""
        with self._connected() as connection:
            return origins.origins(
                connection, account_id=account_id, spec=spec, keys=keys, read=read, provenance=self.provenance
            )

    def ended(
        self, *, account_id: UUID, entity: str, system: str, fate: str, rule: str, skip: int, limit: int
    ) -> tuple[str, ...]:
        """Return keys of rows that ended so; see `core.ports.DataMover`."""
        how = {"account": account_id, "entity": entity, "system": system, "fate": fate, "rule": rule}
        with self._connected() as connection:
            return tracing.ended(connection, how, skip=skip, limit=limit, provenance=self.provenance)

    def preserved(self, *, account_id: UUID) -> Iterator[Preserved]:
        """Read what was kept under a legal hold; see `core.ports.DataMover`."""
        with self._connected() as connection:
            if stage.is_made(connection):
                yield from preserving.kept(connection, account_id, cipher=self.cipher)

    def empty_letters(self, *, account_id: UUID, before: datetime, committing: Committing = nullcontext) -> int:
        """Delete old copies of rejected rows; see `core.ports.DataMover`."""
        with self._connected() as connection, committed(connection, committing):
            return stage.empty_letters(connection, account_id, before) if stage.is_made(connection) else 0

    def staged(self, *, account_id: UUID) -> Mapping[str, int]:
        """Count an account's rows in `crossing_stage`; see `core.ports.DataMover`."""
        with self._connected() as connection:
            return stage.counted(connection, account_id)

    def forget(self, *, account_id: UUID, committing: Committing = nullcontext) -> Mapping[str, int]:
        """Delete an account's rows in `crossing_stage`; see `core.ports.DataMover`."""
        with self._connected() as connection, committed(connection, committing):
            stage.forget(connection, account_id)
        return self.staged(account_id=account_id)

    def position(self, *, order: LoadOrder, after_batch: int = 0) -> RunPosition:
        """Tell how far the run is; see `core.ports.DataMover`."""
        with self._connected() as connection, connection.transaction():
            return stage.position(connection, order.run_id, after_batch=after_batch)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            if stage.is_outdated(connection):
                with connection.transaction():
                    self._prepare(connection)
            yield connection

    def _prepare(self, connection: psycopg.Connection) -> None:
        """Make what is lacking in `crossing_stage`, one at a time."""
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('crossing_stage'))")
        connection.execute(STAGE.read_bytes())

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
            came = connection.execute(insert, [order.account_id, *(row[column.name] for column in spec.columns)])
            if came.rowcount:
                touching.note(connection, order, key)
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
        alone: bool,
        claim: stage.Range | None = None,
        last: bool = False,
        asked: Sequence[str] = (),
    ) -> int:
        """Stage the rows, move them, count how they ended, and return the batch's number.

        In an account that had nothing of the entity they are inserted, at a third of the cost; where that meets a
        duplicate or a refusal it is begun anew, `alone`, and they are upserted.
        """
        mark = claim.mark if claim else stage.RETRIED
        totals: Totals = Counter()
        changed, there = 0, set[str]()
        if rows.count:
            writes_down = alone and not asked and order.since is None
            staged = Staged(connection, order, number=mark, provenance=self.provenance, mark=writes_down)
            staged.fill(rows)
            moved: tuple[Totals, int] | None
            if alone:
                with preserving.overwritten(connection, order, stage=staged.table, cipher=self.cipher):
                    moved = staged.upsert(rows.count)
            else:
                moved = staged.insert()
            if moved is None:
                raise _Contested
            totals, changed = moved
            if any(fate == Fate.QUARANTINED for fate, _ in totals):
                self._seal_payloads(connection, order, number=mark, stage=staged.table)
            there = staged.keys() if asked else set()
            staged.drop()
        gone = sorted(set(asked) - there)
        if gone:
            totals += stage.bury(connection, order, gone, number=mark)
        number = stage.advanced(connection, order.run_id, claim, rows, last=last, more=bool(gone))
        stage.count(connection, order.run_id, totals)
        if rows.count or gone:
            first, final = rows.first_key or gone[0], rows.last_key or gone[-1]
            connection.execute(
                "INSERT INTO crossing_stage.batch VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [order.run_id, number, first, final, rows.count + len(gone), changed, order.at],
            )
        return number

    def _seal_payloads(
        self, connection: psycopg.Connection, order: LoadOrder, *, number: int, stage: sql.Composable
    ) -> None:
        """Encrypt the rejected rows of this batch; their plain text goes with the stage."""
        spec = order.spec
        rejected = connection.execute(
            sql.SQL(
                "SELECT d.source_key, (to_jsonb(s) - 'n__')::text FROM crossing_stage.dead_letter d"
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
