"""Crossing's rows in the new platform's `crossing_stage`: a run's place, its totals, its batches with dead letters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import sql

from backfills.domain.spec import Then
from core.moving import BatchDone, Letter, LoadOrder, RunPosition, SourceRows
from core.ports import Rejected
from portal.adapters.batch import table

type Totals = Counter[tuple[str, str]]
"""Source rows per (fate, rule)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands, its row locked for this transaction."""

    batches: int
    loaded: bool
    closed: bool
    fresh: bool | None


RETRIED = -(2**31)
"""The number of a batch of retried rows until it has one."""


@dataclass(frozen=True, slots=True)
class Range:
    """A key range, its row locked for this transaction."""

    number: int
    last_key: str | None
    until: str | None

    @property
    def mark(self) -> int:
        """The number of its batch until the batch has one; nobody else has it meanwhile."""
        return -1 - self.number


def is_made(connection: psycopg.Connection) -> bool:
    """Whether there are tables at all."""
    row = connection.execute("SELECT to_regclass('crossing_stage.run') IS NOT NULL").fetchone()
    return bool(row and row[0])


def is_outdated(connection: psycopg.Connection) -> bool:
    """Whether a former release made the tables, and none of this one has completed them yet."""
    row = connection.execute(
        "SELECT to_regclass('crossing_stage.run') IS NOT NULL AND (to_regclass('crossing_stage.range') IS NULL"
        " OR to_regclass('crossing_stage.preserved') IS NULL OR to_regclass('crossing_stage.touched') IS NULL"
        " OR NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('crossing_stage.run')"
        " AND attname = 'held' AND NOT attisdropped))"
    ).fetchone()
    return bool(row and row[0])


def opened(connection: psycopg.Connection, order: LoadOrder, *, source_total: int, provenance: str) -> bool:
    """Give the run its row, and say whether it had none; the row knows whether the account had none of the entity.

    A catch-up never is the first of an account, whatever is there.
    """
    known = sql.SQL(
        "EXISTS (SELECT FROM {} WHERE account_id = %(account)s AND entity = %(entity)s AND source_system = %(system)s)"
        " OR EXISTS (SELECT FROM crossing_stage.outcome WHERE account_id = %(account)s AND entity = %(entity)s)"
        " OR EXISTS (SELECT FROM crossing_stage.dead_letter WHERE account_id = %(account)s AND entity = %(entity)s)"
    ).format(table(provenance))
    row = connection.execute(
        sql.SQL(
            "INSERT INTO crossing_stage.run (run_id, account_id, entity, spec, source_total, opened_at, fresh)"
            " SELECT %(run)s, %(account)s, %(entity)s, %(spec)s, %(total)s, %(at)s, NOT (%(caught)s OR {})"
            " ON CONFLICT (run_id) DO NOTHING RETURNING 1"
        ).format(known),
        {"run": order.run_id, "account": order.account_id, "entity": order.entity, "system": order.spec.system,
         "spec": order.spec.label, "total": source_total, "at": order.at,
         "caught": order.since is not None},
    ).fetchone()  # fmt: skip
    # Catch-ups that wrote nothing leave nothing, once the rows that they rejected again are another's: there would be
    # hundreds a day.
    connection.execute(
        "DELETE FROM crossing_stage.run AS r WHERE account_id = %s AND entity = %s AND run_id <> %s"
        " AND closed AND removed = 0 AND fresh IS FALSE"
        " AND NOT EXISTS (SELECT FROM crossing_stage.batch b WHERE b.run_id = r.run_id AND b.changed > 0)"
        " AND NOT EXISTS (SELECT FROM crossing_stage.dead_letter d WHERE d.run_id = r.run_id)",
        [order.account_id, order.entity, order.run_id],
    )
    # What runs met that never came to their end.
    connection.execute(
        "DELETE FROM crossing_stage.seen WHERE run_id IN (SELECT run_id FROM crossing_stage.run"
        " WHERE account_id = %s AND entity = %s AND run_id <> %s)",
        [order.account_id, order.entity, order.run_id],
    )
    return row is not None


def demand_key(connection: psycopg.Connection, name: str, *columns: str) -> None:
    """Raise Rejected unless a table has a unique key of just these columns: without one, rows could stand twice."""
    row = connection.execute(_HAS_KEY, [table(name).as_string(connection), sorted(columns)]).fetchone()
    if row is None or not row[0]:
        raise Rejected(
            f"The new platform's table {name} needs a primary or unique key of {', '.join(columns)}, not deferrable and"
            " not partial: nothing is moved into it without one."
        )


_HAS_KEY = """
SELECT EXISTS (
    SELECT FROM pg_index i
     WHERE i.indrelid = %s::regclass AND i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL
       AND %s = (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C")
                   FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                  WHERE k.place <= i.indnkeyatts))
"""


def locked(connection: psycopg.Connection, run_id: UUID) -> Place:
    """Lock the run's row and return where it stands; raises Rejected for a run that is not there."""
    row = connection.execute(
        "SELECT batches, loaded, closed, fresh FROM crossing_stage.run WHERE run_id = %s FOR UPDATE", [run_id]
    ).fetchone()
    if row is None:
        raise Rejected("The new platform does not know this run: start it again.")
    return Place(*row)


def divide(connection: psycopg.Connection, order: LoadOrder, borders: Sequence[str]) -> None:
    """Give the run its ranges; only a fresh one whose rows do not merge has more than one."""
    merges = order.spec.duplicates.then is Then.MERGE
    row = connection.execute("SELECT fresh FROM crossing_stage.run WHERE run_id = %s", [order.run_id]).fetchone()
    cuts = [] if merges or row is None or not row[0] else [*borders]
    for number, (after, until) in enumerate(zip([None, *cuts], [*cuts, None], strict=True)):
        connection.execute(
            "INSERT INTO crossing_stage.range (run_id, number, last_key, until) VALUES (%s, %s, %s, %s)",
            [order.run_id, number, after, until],
        )


def claimed(connection: psycopg.Connection, run_id: UUID) -> Range | None:
    """Lock a range that is not loaded, if need be after others are done with it; None: all are."""
    query = (
        "SELECT number, last_key, until FROM crossing_stage.range WHERE run_id = %s AND NOT loaded"
        " ORDER BY number LIMIT 1 FOR UPDATE"
    )
    connection.execute("SET LOCAL lock_timeout = 0")  # the statement's own timeout limits the wait
    while True:
        row = connection.execute(f"{query} SKIP LOCKED".encode(), [run_id]).fetchone()
        if row is None and (left := _left(connection, run_id)):
            row = connection.execute(query, [run_id]).fetchone()  # none: it was loaded meanwhile, another may be left
            if row is None and left:
                continue
        return Range(*row) if row else None


def share(connection: psycopg.Connection, order: LoadOrder, *, alone: bool, entity: str = "") -> None:
    """Move beside others of the account's entity (or another one), or alone, until the end of the transaction."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    connection.execute("SET LOCAL lock_timeout = 0")  # the statement's own timeout limits the wait
    connection.execute(
        f"SELECT {lock}(hashtextextended(%s, 0))".encode(), [f"crossing {order.account_id} {entity or order.entity}"]
    )


def advanced(
    connection: psycopg.Connection,
    run_id: UUID,
    claim: Range | None,
    rows: SourceRows,
    *,
    last: bool,
    more: bool = False,
) -> int:
    """Move the range's checkpoint and the run's, and return the batch's number.

    From here to the commit the run's row is held, so that numbers are in the order of commits.
    """
    if claim:
        connection.execute(
            "UPDATE crossing_stage.range SET last_key = coalesce(%s, last_key), loaded = %s"
            " WHERE run_id = %s AND number = %s",
            [rows.last_key, last, run_id, claim.number],
        )
    row = connection.execute(
        "UPDATE crossing_stage.run SET read = read + %s, batches = batches + %s WHERE run_id = %s RETURNING batches",
        [rows.count if claim else 0, int(rows.count > 0 or more), run_id],
    ).fetchone()
    # A statement of its own: it sees what others committed while this one waited for the row.
    connection.execute(
        "UPDATE crossing_stage.run SET loaded = true WHERE run_id = %(run)s AND NOT EXISTS"
        " (SELECT FROM crossing_stage.range WHERE run_id = %(run)s AND NOT loaded)",
        {"run": run_id},
    )
    number = int(row[0]) if row else 0
    connection.execute(
        "UPDATE crossing_stage.dead_letter SET batch = %s WHERE run_id = %s AND batch = %s",
        [number, run_id, claim.mark if claim else RETRIED],
    )
    return number


def _left(connection: psycopg.Connection, run_id: UUID) -> int:
    row = connection.execute(
        "SELECT count(*) FROM crossing_stage.range WHERE run_id = %s AND NOT loaded", [run_id]
    ).fetchone()
    return int(row[0]) if row else 0


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
    totals: Totals = Counter()
    for fate, rule, count in rows:
        # Outcomes that an earlier release wrote may say of other rows what provenance says of these.
        totals[fate, rule] += count
    return totals


def bury(connection: psycopg.Connection, order: LoadOrder, keys: list[str], *, number: int) -> Totals:
    """Account for rejected rows that legacy has deleted since: dropped, by the spec's rule."""
    rule = order.spec.vanished.name
    connection.execute(
        "INSERT INTO crossing_stage.outcome AS o (account_id, entity, source_key, run_id, fate, rule)"
        " SELECT %s, %s, key, %s, 'dropped', %s FROM unnest(%s::text[]) AS key"
        " ON CONFLICT (account_id, entity, source_key) DO UPDATE"
        " SET fate = excluded.fate, rule = excluded.rule, target_key = NULL",
        [order.account_id, order.entity, order.run_id, rule, keys],
    )
    connection.execute(
        "UPDATE crossing_stage.dead_letter SET state = 'resolved', batch = %s, last_at = %s,"
        " payload = CASE WHEN %s THEN payload END WHERE account_id = %s AND entity = %s AND source_key = ANY (%s)",
        [number, order.at, order.preserves, order.account_id, order.entity, keys],
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
        "SELECT read, source_total, loaded, closed, supplemented, removed, held,"
        " (SELECT count(*) FROM crossing_stage.range r WHERE r.run_id = run.run_id)"
        " FROM crossing_stage.run WHERE run_id = %s",
        [run_id],
    ).fetchone()
    if row is None:
        raise Rejected("The new platform does not know this run: start it again.")
    read, source_total, loaded, closed, supplemented, removed, held, ranges = row
    totals = connection.execute("SELECT fate, rule, count FROM crossing_stage.total WHERE run_id = %s", [run_id])
    return RunPosition(
        read=read,
        ranges=ranges,
        source_total=source_total,
        loaded=loaded,
        closed=closed,
        totals={(fate, rule): count for fate, rule, count in totals if count},
        supplemented=supplemented,
        removed=removed,
        held=held,
        batches=tuple(_batches(connection, run_id, after_batch)),
    )


def counted(connection: psycopg.Connection, account_id: UUID) -> dict[str, int]:
    """Count an account's rows in each table; none where the schema was never filled."""
    if not is_made(connection):
        return dict.fromkeys(_OF_ACCOUNT, 0)
    counts = {}
    for name, which in _OF_ACCOUNT.items():
        row = connection.execute(sql.SQL(_COUNT).format(sql.Identifier(name), which), [account_id]).fetchone()
        counts[name] = int(row[0]) if row else 0
    return counts


def empty_letters(connection: psycopg.Connection, account_id: UUID, before: datetime) -> int:
    """Delete the copies of rejected rows that were judged last before a moment; return how many."""
    return connection.execute(
        "UPDATE crossing_stage.dead_letter SET payload = NULL"
        " WHERE account_id = %s AND last_at < %s AND payload IS NOT NULL",
        [account_id, before],
    ).rowcount


def forget(connection: psycopg.Connection, account_id: UUID) -> None:
    """Delete an account's rows from each table; batches and totals go with their runs."""
    if any(counted(connection, account_id).values()):
        for name in ("dead_letter", "outcome", "former", "held", "preserved", "touched", "run"):
            delete = sql.SQL("DELETE FROM crossing_stage.{} WHERE {}").format(sql.Identifier(name), _OF_ACCOUNT[name])
            connection.execute(delete, [account_id])


_COUNT = "SELECT count(*) FROM crossing_stage.{} WHERE {}"
_MINE = sql.SQL("account_id = %s")
_OF_MY_RUNS = sql.SQL("run_id IN (SELECT run_id FROM crossing_stage.run WHERE account_id = %s)")
_OF_ACCOUNT = {
    "run": _MINE,
    "range": _OF_MY_RUNS,
    "batch": _OF_MY_RUNS,
    "total": _OF_MY_RUNS,
    "seen": _OF_MY_RUNS,
    "outcome": _MINE,
    "dead_letter": _MINE,
    "former": _MINE,
    "held": _MINE,
    "preserved": _MINE,
    "touched": _MINE,
}
"""Each table of `stage.sql`, and which rows of it are an account's."""


def _batches(connection: psycopg.Connection, run_id: UUID, after_batch: int) -> list[BatchDone]:
    """Read batches, and only then their dead letters: what is committed in between waits with its own batch."""
    found = connection.execute(
        "SELECT number, first_key, last_key, rows, changed, at FROM crossing_stage.batch"
        " WHERE run_id = %s AND number > %s ORDER BY number",
        [run_id, after_batch],
    ).fetchall()
    letters: dict[int, list[Letter]] = {}
    settled: dict[int, list[str]] = {}
    for row in connection.execute(
        "SELECT batch, state, source_key, rule, sqlstate, source_column, spec, attempts, first_at, last_at, payload"
        " FROM crossing_stage.dead_letter WHERE run_id = %s AND batch > %s AND batch <= %s ORDER BY source_key",
        [run_id, after_batch, found[-1][0] if found else after_batch],
    ):
        number, state, key, rule, sqlstate, column, spec, attempts, first_at, last_at, payload = row
        if state == "open":
            letter = Letter(key, rule, sqlstate, column, spec, attempts, first_at, last_at, payload or b"")
            letters.setdefault(number, []).append(letter)
        else:
            settled.setdefault(number, []).append(key)
    return [
        BatchDone(
            number, first, last, rows, changed, at, tuple(letters.get(number, ())), tuple(settled.get(number, ()))
        )
        for number, first, last, rows, changed, at in found
    ]
