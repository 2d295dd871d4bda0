"""Repairing single objects of the new platform in PostgreSQL, and putting them back as they were."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
from cryptography.fernet import Fernet, MultiFernet
from psycopg import errors, sql

from backfills.domain.spec import Spec, Then
from core.moving import LoadOrder
from core.ports import Rejected
from core.reconciling import Outcome, Repair
from portal.adapters import stage
from portal.adapters.batch import table
from portal.adapters.postgres import connected
from portal.adapters.staged import Staged

_STAGE = Path(__file__).with_name("stage.sql")
_REFERRED = (
    "Objects that are to be removed are still referred to on the new platform: reconcile what refers to them first."
)


class PostgresReconciler:
    """Works beside the mover, in its schema `crossing_stage` and under its locks. `keys` encrypt former states."""

    def __init__(
        self,
        *,
        url: str,
        keys: Sequence[str],
        provenance: str = "platform.provenance",
        statement_timeout: int = 600,
    ) -> None:
        self.url, self.provenance, self.statement_timeout = url, provenance, statement_timeout
        self.cipher = MultiFernet([Fernet(key) for key in keys])

    def marks(self, *, account_id: UUID, spec: Spec, keys: Sequence[str]) -> Mapping[str, str]:
        """Return a mark per object; see `core.reconciling.Reconciler`."""
        with self._connected() as connection:
            found = _Objects(connection, spec, account_id, self.provenance).read(keys)
        return {key: found[key][0] if key in found else "" for key in keys}

    def repair(self, batch: Repair) -> Mapping[str, Outcome]:
        """Repair a batch; see `core.reconciling.Reconciler`."""
        with self._connected() as connection:
            try:
                with connection.transaction():
                    return self._repair(connection, batch)
            except errors.ForeignKeyViolation as error:
                raise Rejected(_REFERRED) from error

    def restore(self, *, order: LoadOrder, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """Put a batch back; see `core.reconciling.Reconciler`."""
        with self._connected() as connection:
            try:
                with connection.transaction():
                    return self._restore(connection, order, keys)
            except errors.ForeignKeyViolation as error:
                raise Rejected(_REFERRED) from error

    def forget(self, *, at: datetime) -> int:
        """Delete what is over; see `core.reconciling.Reconciler`."""
        with self._connected() as connection:
            return connection.execute("DELETE FROM crossing_stage.former WHERE expires_at <= %s", [at]).rowcount

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            row = connection.execute("SELECT to_regclass('crossing_stage.former') IS NULL").fetchone()
            if row and row[0]:
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(hashtext('crossing_stage'))")
                    connection.execute(_STAGE.read_bytes())
            yield connection

    def _repair(self, connection: psycopg.Connection, batch: Repair) -> dict[str, Outcome]:
        order, spec = batch.order, batch.order.spec
        stage.share(connection, order, alone=True)
        told = _told(connection, order, list(batch.marks))
        objects = _Objects(connection, spec, order.account_id, self.provenance)
        before = objects.read([key for key in batch.marks if key not in told], lock=True)
        outcomes = dict(told)
        fit = []
        for key, mark in batch.marks.items():
            if key not in told:
                fit.append(key) if before.get(key, ("",))[0] == mark else outcomes.update({key: Outcome.KEPT})
        former = {key: self._seal(before.get(key), objects.origins([key])) for key in fit}
        refused, there = self._move(connection, batch, fit)
        gone = {key for key in fit if batch.sources.get(key) not in there}
        may_go = gone & batch.removable if spec.vanished.then is Then.DELETE else set()
        refused |= gone - may_go
        objects.remove(sorted(may_go))
        outcomes |= dict.fromkeys(refused, Outcome.REFUSED)
        done = [key for key in fit if key not in refused]
        after = objects.read(done)
        for key in done:
            mark = after[key][0] if key in after else ""
            outcomes[key] = _became(batch.marks[key], mark)
            connection.execute(
                "INSERT INTO crossing_stage.former VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [order.run_id, order.account_id, order.entity, key, outcomes[key].value, mark, former[key],
                 batch.keep_until],
            )  # fmt: skip
        return outcomes

    def _move(self, connection: psycopg.Connection, batch: Repair, fit: Sequence[str]) -> tuple[set[str], set[str]]:
        """Move these objects' source rows; return the objects whose row is not taken, and the rows that are there.

        What those would have left (outcomes, dead letters) is rolled back with the batch, which is tried again without
        them: their fate is told by a run, not here.
        """
        order, spec = batch.order, batch.order.spec
        refused: set[str] = set()
        while True:
            wanted = {batch.sources[key]: key for key in fit if key in batch.sources and key not in refused}
            with connection.transaction() as attempt:
                staged = Staged(connection, order, number=1, provenance=self.provenance, mark=False)
                staged.fill(batch.rows)
                there = staged.keys()
                count = staged.keep(wanted)
                if count:
                    staged.upsert(count)
                staged.drop()
                rows = connection.execute(
                    sql.SQL(_NOT_TAKEN).format(provenance=table(self.provenance)),
                    {"account": order.account_id, "entity": spec.entity, "system": spec.system, "run": order.run_id,
                     "sources": list(wanted), "keys": list(wanted.values())},
                ).fetchall()  # fmt: skip
                if not rows:
                    return refused, there
                refused |= {wanted[source] for (source,) in rows}
                raise psycopg.Rollback(attempt)

    def _restore(self, connection: psycopg.Connection, order: LoadOrder, keys: Sequence[str]) -> dict[str, Outcome]:
        stage.share(connection, order, alone=True)
        objects = _Objects(connection, order.spec, order.account_id, self.provenance)
        now = objects.read(keys, lock=True)
        rows = connection.execute(
            "SELECT target_key, outcome, mark, payload, expires_at <= %s, restored_at FROM crossing_stage.former"
            " WHERE reconciliation_id = %s AND target_key = ANY(%s) FOR UPDATE",
            [order.at, order.run_id, list(keys)],
        ).fetchall()
        outcomes = dict.fromkeys(keys, Outcome.EXPIRED)
        for key, outcome, mark, payload, is_over, restored_at in rows:
            stands = now[key][0] if key in now else ""
            if restored_at is not None:
                outcomes[key] = Outcome.RESTORED
            elif outcome == Outcome.EQUAL:
                outcomes[key] = Outcome.EQUAL
            elif is_over or payload is None:
                outcomes[key] = Outcome.EXPIRED
            elif stands != mark:
                outcomes[key] = Outcome.KEPT
            else:
                objects.put_back(key, *self._unseal(payload))
                outcomes[key] = Outcome.RESTORED
                connection.execute(
                    "UPDATE crossing_stage.former SET restored_at = %s, payload = NULL"
                    " WHERE reconciliation_id = %s AND target_key = %s",
                    [order.at, order.run_id, key],
                )
        return outcomes

    def _seal(self, row: tuple[str, str] | None, origins: Iterable[str]) -> bytes:
        mark, values = row or ("", "")
        return self.cipher.encrypt(json.dumps([mark, values, list(origins)]).encode())

    def _unseal(self, payload: bytes) -> tuple[str, str, list[str]]:
        mark, values, origins = json.loads(self.cipher.decrypt(bytes(payload)))
        return mark, values, origins


class _Objects:
    """An account's objects of an entity, with where they came from, inside somebody's transaction."""

    def __init__(self, connection: psycopg.Connection, spec: Spec, account_id: UUID, provenance: str) -> None:
        self.connection, self.spec, self.account_id = connection, spec, account_id
        self.given = {"account": account_id, "entity": spec.entity, "system": spec.system}
        self.names = {
            "target": table(spec.target_table),
            "tenant": sql.Identifier(spec.target_tenant),
            "key": sql.Identifier(spec.target_key),
            "provenance": table(provenance),
        }

    def _run(self, statement: str, **more: object) -> psycopg.Cursor[tuple[object, ...]]:
        return self.connection.execute(sql.SQL(statement).format(**self.names), {**self.given, **more})

    def read(self, keys: Sequence[str], *, lock: bool = False) -> dict[str, tuple[str, str]]:
        """Return mark and values of those that are there."""
        rows = self._run(_READ + (" FOR UPDATE" if lock else ""), keys=list(keys))
        return {str(key): (str(mark), str(values)) for key, mark, values in rows}

    def origins(self, keys: Sequence[str]) -> list[str]:
        """Return where they came from, as JSON each."""
        return [str(row) for (row,) in self._run(_ORIGINS, keys=list(keys))]

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects and where they came from."""
        self._run(_FORGET_ORIGINS, keys=list(keys))
        self._run(_REMOVE, keys=list(keys))

    def put_back(self, key: str, mark: str, values: str, origins: Sequence[str]) -> None:
        """Make an object what it was. Raises Rejected, so that nothing stays, where it cannot be exactly that."""
        self._run(_FORGET_ORIGINS, keys=[key])
        if not values:
            self._run(_REMOVE, keys=[key])
        else:
            columns = [
                sql.Identifier(str(name))
                for (name,) in self._run(_COLUMNS, table=self.names["target"].as_string(self.connection))
            ]
            listed = sql.SQL(", ").join(columns)
            self.connection.execute(
                sql.SQL(_PUT_BACK).format(
                    **self.names,
                    columns=listed,
                    sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns),
                ),
                {"values": values},
            )
        for origin in origins:
            self._run(_ORIGIN_BACK, origin=origin)
        now = self.read([key])
        if (now[key][0] if key in now else "") != mark:
            raise Rejected(
                "An object could not be put back exactly as it was: something on the new platform changes it."
            )


def _told(connection: psycopg.Connection, order: LoadOrder, keys: Sequence[str]) -> dict[str, Outcome]:
    """Return what this reconciliation did already, before it was interrupted."""
    rows = connection.execute(
        "SELECT target_key, outcome FROM crossing_stage.former WHERE reconciliation_id = %s AND target_key = ANY(%s)",
        [order.run_id, list(keys)],
    )
    return {key: Outcome(outcome) for key, outcome in rows}


def _became(before: str, after: str) -> Outcome:
    if before == after:
        return Outcome.EQUAL
    return Outcome.WRITTEN if after else Outcome.REMOVED


_READ = """
SELECT t.{key}::text, encode(sha256(convert_to(t::text, 'UTF8')), 'hex'), row_to_json(t)::text
  FROM {target} AS t WHERE t.{tenant} = %(account)s AND t.{key}::text = ANY(%(keys)s)
"""
# Rows that do not move, or that became another object than the one that is to be repaired.
_NOT_TAKEN = """
SELECT w.source_key FROM unnest(%(sources)s::text[], %(keys)s::text[]) AS w (source_key, target_key)
 WHERE EXISTS (SELECT FROM crossing_stage.outcome o
                WHERE o.account_id = %(account)s AND o.entity = %(entity)s AND o.source_key = w.source_key
                  AND o.run_id = %(run)s AND o.fate NOT IN ('migrated', 'transformed'))
    OR EXISTS (SELECT FROM {provenance} p
                WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
                  AND p.source_key = w.source_key AND p.target_key <> w.target_key)
"""
_ORIGINS = """
SELECT row_to_json(p)::text FROM {provenance} AS p
 WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = ANY(%(keys)s)
"""
_FORGET_ORIGINS = """
DELETE FROM {provenance} WHERE account_id = %(account)s AND entity = %(entity)s AND target_key = ANY(%(keys)s)
"""
_REMOVE = """
DELETE FROM {target} AS t WHERE t.{tenant} = %(account)s AND t.{key}::text = ANY(%(keys)s)
"""
_COLUMNS = """
SELECT attname::text FROM pg_attribute
 WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_PUT_BACK = """
INSERT INTO {target} ({columns}) SELECT {columns} FROM json_populate_record(NULL::{target}, %(values)s::json)
ON CONFLICT ({tenant}, {key}) DO UPDATE SET {sets}
"""
_ORIGIN_BACK = """
INSERT INTO {provenance} SELECT * FROM json_populate_record(NULL::{provenance}, %(origin)s::json)
"""
