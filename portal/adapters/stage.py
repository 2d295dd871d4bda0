"""Crossing's rows in the new platform's `crossing_stage`: a run's place, its totals, its batches with dead letters."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from core.moving import BatchDone, Letter, LoadOrder, RunPosition
from core.ports import Rejected

type Totals = Counter[tuple[str, str]]
"""Source rows per (fate, rule)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands, its row locked for this transaction."""

    last_key: str | None
    batches: int
    loaded: bool
    closed: bool


def locked(connection: psycopg.Connection, run_id: UUID) -> Place:
    """Lock the run's row and return where it stands; raises Rejected for a run that is not there."""
    row = connection.execute(
        "SELECT last_key, batches, loaded, closed FROM crossing_stage.run WHERE run_id = %s FOR UPDATE", [run_id]
    ).fetchone()
    if row is None:
        raise Rejected("The new platform does not know this run: start it again.")
    return Place(*row)


def bury(connection: psycopg.Connection, order: LoadOrder, keys: list[str], *, number: int) -> None:
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


def count(connection: psycopg.Connection, run_id: UUID, totals: Totals) -> None:
    """Add a batch's outcomes to the run's totals."""
    for (fate, rule), count in totals.items():
        connection.execute(
            "INSERT INTO crossing_stage.total AS t VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (run_id, fate, rule) DO UPDATE SET count = t.count + excluded.count",
            [run_id, fate, rule, count],
        )


def recount(connection: psycopg.Connection, order: LoadOrder) -> None:
    """Count the outcomes again from where every row ended."""
    connection.execute("DELETE FROM crossing_stage.total WHERE run_id = %s", [order.run_id])
    connection.execute(
        "INSERT INTO crossing_stage.total SELECT run_id, fate, rule, count(*) FROM crossing_stage.outcome"
        " WHERE account_id = %s AND entity = %s AND run_id = %s GROUP BY run_id, fate, rule",
        [order.account_id, order.entity, order.run_id],
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
    for table, which in _OF_ACCOUNT.items():
        row = connection.execute(sql.SQL(_COUNT).format(sql.Identifier(table), which), [account_id]).fetchone()
        counts[table] = int(row[0]) if row else 0
    return counts


def forget(connection: psycopg.Connection, account_id: UUID) -> None:
    """Delete an account's rows from each table; batches and totals go with their runs."""
    if any(counted(connection, account_id).values()):
        for table in ("dead_letter", "outcome", "run"):
            delete = sql.SQL("DELETE FROM crossing_stage.{} WHERE {}").format(sql.Identifier(table), _OF_ACCOUNT[table])
            connection.execute(delete, [account_id])


_COUNT = "SELECT count(*) FROM crossing_stage.{} WHERE {}"
_MINE = sql.SQL("account_id = %s")
_OF_MY_RUNS = sql.SQL("run_id IN (SELECT run_id FROM crossing_stage.run WHERE account_id = %s)")
_OF_ACCOUNT = {"run": _MINE, "batch": _OF_MY_RUNS, "total": _OF_MY_RUNS, "outcome": _MINE, "dead_letter": _MINE}
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
