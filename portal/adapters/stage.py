"""Crossing's rows in the new platform's `crossing_stage`: a run's place, its totals, its batches with dead letters."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from core.moving import BatchDone, Letter, LoadOrder, RunPosition
from core.ports import Rejected
from portal.adapters.batch import table

type Totals = Counter[tuple[str, str]]
"""Source rows per (fate, rule)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands, its row locked for this transaction."""

    last_key: str | None
    batches: int
    loaded: bool
    closed: bool
    fresh: bool | None


def opened(connection: psycopg.Connection, order: LoadOrder, *, source_total: int, provenance: str) -> bool:
    """Give the run its row, and say whether it had none; the row knows whether the account had none of the entity."""
    known = sql.SQL(
        "EXISTS (SELECT FROM {} WHERE account_id = %(account)s AND entity = %(entity)s AND source_system = %(system)s)"
        " OR EXISTS (SELECT FROM crossing_stage.outcome WHERE account_id = %(account)s AND entity = %(entity)s)"
        " OR EXISTS (SELECT FROM crossing_stage.dead_letter WHERE account_id = %(account)s AND entity = %(entity)s)"
    ).format(table(provenance))
    row = connection.execute(
        sql.SQL(
            "INSERT INTO crossing_stage.run (run_id, account_id, entity, spec, source_total, opened_at, fresh)"
            " SELECT %(run)s, %(account)s, %(entity)s, %(spec)s, %(total)s, %(at)s, NOT ({})"
            " ON CONFLICT (run_id) DO NOTHING RETURNING 1"
        ).format(known),
        {"run": order.run_id, "account": order.account_id, "entity": order.entity, "system": order.spec.system,
         "spec": order.spec.label, "total": source_total, "at": order.at},
    ).fetchone()  # fmt: skip
    return row is not None


def locked(connection: psycopg.Connection, run_id: UUID) -> Place:
    """Lock the run's row and return where it stands; raises Rejected for a run that is not there."""
    row = connection.execute(
        "SELECT last_key, batches, loaded, closed, fresh FROM crossing_stage.run WHERE run_id = %s FOR UPDATE", [run_id]
    ).fetchone()
    if row is None:
        raise Rejected("The new platform does not know this run: start it again.")
    return Place(*row)


def ended(connection: psycopg.Connection, order: LoadOrder, keys: Sequence[str], provenance: str) -> Totals:
    """Count how rows have ended so far: by their outcome, or plainly moved where only provenance knows them."""
    rows = connection.execute(
        sql.SQL(
            "SELECT o.fate, o.rule, count(*) FROM crossing_stage.outcome o"
            " WHERE o.account_id = %(account)s AND o.entity = %(entity)s AND o.source_key = ANY (%(keys)s)"
            " GROUP BY 1, 2"
            " UNION ALL SELECT 'migrated', '', count(*) FROM {} p"
            " WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s"
            " AND p.source_key = ANY (%(keys)s) AND NOT EXISTS (SELECT FROM crossing_stage.outcome o"
            " WHERE o.account_id = p.account_id AND o.entity = p.entity AND o.source_key = p.source_key)"
        ).format(table(provenance)),
        {"account": order.account_id, "entity": order.entity, "system": order.spec.system, "keys": list(keys)},
    )
    return Counter({(fate, rule): count for fate, rule, count in rows})


def bury(connection: psycopg.Connection, order: LoadOrder, keys: list[str], *, number: int) -> Totals:
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
    return Counter({("dropped", rule): len(keys)})


def uncount(connection: psycopg.Connection, run_id: UUID, totals: Totals) -> None:
    """Take from the run's totals those rows that are judged again."""
    for (fate, rule), count in totals.items():
        connection.execute(
            "UPDATE crossing_stage.total SET count = count - %s WHERE run_id = %s AND fate = %s AND rule = %s",
            [count, run_id, fate, rule],
        )


def count(connection: psycopg.Connection, run_id: UUID, totals: Totals) -> None:
    """Add a batch's outcomes to the run's totals."""
    for (fate, rule), count in totals.items():
        connection.execute(
            "INSERT INTO crossing_stage.total AS t VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (run_id, fate, rule) DO UPDATE SET count = t.count + excluded.count",
            [run_id, fate, rule, count],
        )


def position(connection: psycopg.Connection, run_id: UUID, *, after_batch: int = 0) -> RunPosition:
    """Return where a run stands, with its batches after a number; raises Rejected for a run that is not there."""
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


def counted(connection: psycopg.Connection, account_id: UUID) -> dict[str, int]:
    """Count an account's rows in each table; none where the schema was never filled."""
    made = connection.execute("SELECT to_regclass('crossing_stage.run') IS NOT NULL").fetchone()
    if made is None or not made[0]:
        return dict.fromkeys(_OF_ACCOUNT, 0)
    counts = {}
    for name, which in _OF_ACCOUNT.items():
        row = connection.execute(sql.SQL(_COUNT).format(sql.Identifier(name), which), [account_id]).fetchone()
        counts[name] = int(row[0]) if row else 0
    return counts


def forget(connection: psycopg.Connection, account_id: UUID) -> None:
    """Delete an account's rows from each table; batches and totals go with their runs."""
    if any(counted(connection, account_id).values()):
        for name in ("dead_letter", "outcome", "run"):
            delete = sql.SQL("DELETE FROM crossing_stage.{} WHERE {}").format(sql.Identifier(name), _OF_ACCOUNT[name])
            connection.execute(delete, [account_id])


_COUNT = "SELECT count(*) FROM crossing_stage.{} WHERE {}"
_MINE = sql.SQL("account_id = %s")
_OF_MY_RUNS = sql.SQL("run_id IN (SELECT run_id FROM crossing_stage.run WHERE account_id = %s)")
_OF_ACCOUNT = {
    "run": _MINE,
    "batch": _OF_MY_RUNS,
    "total": _OF_MY_RUNS,
    "seen": _OF_MY_RUNS,
    "outcome": _MINE,
    "dead_letter": _MINE,
}
"""Each table of `stage.sql`, and which rows of it are an account's."""


def _batches(connection: psycopg.Connection, run_id: UUID, after_batch: int) -> Iterator[BatchDone]:
    letters: dict[int, list[Letter]] = {}
    settled: dict[int, list[str]] = {}
    for row in connection.execute(
        "SELECT batch, state, source_key, rule, sqlstate, source_column, spec, attempts, first_at, last_at, payload"
        " FROM crossing_stage.dead_letter WHERE run_id = %s AND batch > %s ORDER BY source_key",
        [run_id, after_batch],
    ):
        number, state, key, rule, sqlstate, column, spec, attempts, first_at, last_at, payload = row
        if state == "open":
            letter = Letter(key, rule, sqlstate, column, spec, attempts, first_at, last_at, payload or b"")
            letters.setdefault(number, []).append(letter)
        else:
            settled.setdefault(number, []).append(key)
    for number, first_key, last_key, rows, changed, at in connection.execute(
        "SELECT number, first_key, last_key, rows, changed, at FROM crossing_stage.batch"
        " WHERE run_id = %s AND number > %s ORDER BY number",
        [run_id, after_batch],
    ).fetchall():
        yield BatchDone(
            number, first_key, last_key, rows, changed, at,
            letters=tuple(letters.get(number, ())), settled=tuple(settled.get(number, ())),
        )  # fmt: skip
