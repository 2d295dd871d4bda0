"""Repairing single objects of the new platform in PostgreSQL, and putting them back as they were."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
from cryptography.fernet import Fernet, MultiFernet
from psycopg import errors, sql

from backfills.domain.spec import Spec, Then
from core.moving import LoadOrder
from core.ports import Committing, Rejected
from core.reconciling import Field, Foreseen, Outcome, Repair
from portal.adapters import stage, touching
from portal.adapters.batch import table
from portal.adapters.objects import Objects
from portal.adapters.postgres import committed, connected
from portal.adapters.staged import Staged

_STAGE = Path(__file__).with_name("stage.sql")
_REFERRED = (
    "Objects that are to be removed are still referred to on the new platform: reconcile what refers to them first."
)


type _Merged = tuple[tuple[Field, ...], str]


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
        """Return a mark per object; see `core.ports.Reconciler`."""
        with self._connected() as connection:
            found = Objects(connection, spec, account_id, self.provenance).read(keys)
        return {key: found[key][0] if key in found else "" for key in keys}

    def foresee(self, batch: Repair) -> Mapping[str, Foreseen]:
        """Say what a repair would do; see `core.ports.Reconciler`."""
        with self._connected() as connection, _unreferred(), connection.transaction(force_rollback=True):
            return self._repair(connection, batch)

    def repair(self, batch: Repair, *, committing: Committing = nullcontext) -> Mapping[str, Outcome]:
        """Repair a batch; see `core.ports.Reconciler`."""
        with self._connected() as connection, _unreferred(), committed(connection, committing):
            return {key: told.outcome for key, told in self._repair(connection, batch).items()}

    def restore(
        self, *, order: LoadOrder, keys: Sequence[str], committing: Committing = nullcontext
    ) -> Mapping[str, Outcome]:
        """Put a batch back; see `core.ports.Reconciler`."""
        with self._connected() as connection, _unreferred(), committed(connection, committing):
            return self._restore(connection, order, keys)

    def over(self, *, at: datetime) -> Collection[UUID]:
        """Tell whose are over; see `core.ports.Reconciler`."""
        asked = "SELECT DISTINCT account_id FROM crossing_stage.former WHERE expires_at <= %s"
        with self._connected() as connection:
            return [account_id for (account_id,) in connection.execute(asked, [at])]

    def forget(self, *, account_id: UUID, at: datetime, committing: Committing = nullcontext) -> int:
        """Delete what is over; see `core.ports.Reconciler`."""
        over = "DELETE FROM crossing_stage.former WHERE account_id = %s AND expires_at <= %s"
        with self._connected() as connection, committed(connection, committing):
            return connection.execute(over, [account_id, at]).rowcount

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            if not stage.is_made(connection) or stage.is_outdated(connection):
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(hashtext('crossing_stage'))")
                    connection.execute(_STAGE.read_bytes())
            yield connection

    def _repair(self, connection: psycopg.Connection, batch: Repair) -> dict[str, Foreseen]:
        order, spec = batch.order, batch.order.spec
        stage.share(connection, order, alone=True)
        told = {key: Foreseen(outcome) for key, outcome in _told(connection, order, list(batch.marks)).items()}
        objects = Objects(connection, spec, order.account_id, self.provenance)
        before = objects.read([key for key in batch.marks if key not in told], lock=True)
        stand = {key: before.get(key, ("", "")) for key in batch.marks if key not in told}
        fit = {key: values for key, (mark, values) in stand.items() if mark == batch.marks[key]}
        left = dict.fromkeys(stand.keys() - fit.keys(), Outcome.KEPT)
        left |= {key: Outcome.REFUSED for key in fit if key in batch.merges and key not in before}
        former = {key: self._seal(before.get(key), objects.origins([key])) for key in fit}
        there, merged = self._move(connection, batch, objects, fit, left)
        gone = {key for key in fit if key not in left and batch.sources.get(key) not in there}
        may_go = gone & batch.removable if spec.vanished.then is Then.DELETE else set()
        left |= dict.fromkeys(gone - may_go, Outcome.REFUSED)
        if order.preserves:
            left |= dict.fromkeys(may_go, Outcome.HELD)
            may_go = set()
        objects.remove(sorted(may_go))
        done = [key for key in fit if key not in left]
        after = objects.read(done)
        for key in done:
            mark = after[key][0] if key in after else ""
            told[key] = Foreseen(_became(batch.marks[key], mark), *merged.get(key, ()))
            connection.execute(
                "INSERT INTO crossing_stage.former VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [order.run_id, order.account_id, order.entity, key, told[key].outcome.value, mark, former[key],
                 batch.keep_until],
            )  # fmt: skip
        touching.note_written(connection, order, [key for key in done if told[key].outcome is not Outcome.EQUAL])
        return told | {key: Foreseen(outcome) for key, outcome in left.items()}

    def _move(
        self,
        connection: psycopg.Connection,
        batch: Repair,
        objects: Objects,
        fit: Mapping[str, str],
        left: dict[str, Outcome],
    ) -> tuple[set[str], Mapping[str, _Merged]]:
        """Move the objects' source rows, but of those that are `left`; return the rows that are there, and what merged.

        One whose row is not taken, and one that would not become what was foreseen, is left, too. What those would have
        written (outcomes, dead letters) is rolled back with the batch, which is tried again without them: their fate is
        told by a run, not here.
        """
        order, spec = batch.order, batch.order.spec
        while True:
            wanted = {batch.sources[key]: key for key in fit if key in batch.sources and key not in left}
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
                failed = {wanted[source]: Outcome.REFUSED for (source,) in rows}
                of = [key for source, key in wanted.items() if source in there and key in batch.merges]
                merged = _merged(connection, objects, {key: fit[key] for key in of if key not in failed})
                failed |= {key: Outcome.REFUSED for key in of if key not in merged}
                failed |= {key: Outcome.KEPT for key, one in merged.items() if batch.merges[key] not in ("", one[1])}
                if not failed:
                    return there, merged
                left |= failed
                raise psycopg.Rollback(attempt)

    def _restore(self, connection: psycopg.Connection, order: LoadOrder, keys: Sequence[str]) -> dict[str, Outcome]:
        stage.share(connection, order, alone=True)
        objects = Objects(connection, order.spec, order.account_id, self.provenance)
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
                former = self._unseal(payload)
                if order.preserves and not former[1]:  # there was no such object: it would be removed
                    outcomes[key] = Outcome.HELD
                    continue
                objects.put_back(key, *former)
                touching.note_written(connection, order, [key])
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


@contextmanager
def _unreferred() -> Iterator[None]:
    """Name what keeps objects from being removed."""
    try:
        yield
    except errors.ForeignKeyViolation as error:
        raise Rejected(_REFERRED) from error


def _merged(connection: psycopg.Connection, objects: Objects, former: Mapping[str, str]) -> dict[str, _Merged]:
    """Merge objects with their former values, one by one; those that the platform takes so."""
    merged = {}
    for key, values in former.items():
        with suppress(errors.IntegrityError, errors.DataError), connection.transaction():
            merged[key] = objects.merge(key, values)
    return merged


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
