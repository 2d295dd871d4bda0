"""What was written or removed of rows that other entities look up: noted beside it, told to these entities' catch-ups.

Each note has a number. A run of an entity remembers the last number given when it began (`looked`): its rows are judged
by all that was noted until then. The next catch-up asks for what was noted since (`looked_from`).
"""

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from backfills.domain import naming
from backfills.domain.spec import Spec
from core.moving import LoadOrder
from portal.adapters import stage
from portal.adapters.batch import looking, table


def begin(connection: psycopg.Connection, order: LoadOrder, *, since: int | None) -> None:
    """Write down what an opened run's rows will be judged by, and forget what all have been judged by.

    Nobody writes rows of what it looks up at this moment: each note with a lower number can be seen by then.
    """
    others = _looked_up(order.spec)
    for other in others:
        stage.share(connection, order, alone=True, entity=other)
    connection.execute(
        "UPDATE crossing_stage.run SET looked_from = %s, looked = coalesce("
        "pg_sequence_last_value(pg_get_serial_sequence('crossing_stage.touched', 'number')::regclass), 0)"
        " WHERE run_id = %s",
        [since, order.run_id],
    )
    for other in others:
        connection.execute(_FORGET, [order.account_id, other, order.account_id, looking(other, order.specs)])


def known(connection: psycopg.Connection, order: LoadOrder) -> int | None:
    """Return up to which note all of the entity's rows are judged; None where no run has remembered one."""
    row = connection.execute(
        "SELECT max(greatest(looked_from, CASE WHEN closed THEN looked END)) FROM crossing_stage.run"
        " WHERE account_id = %s AND entity = %s AND run_id <> %s",
        [order.account_id, order.entity, order.run_id],
    ).fetchone()
    return row[0] if row else None


def touched(connection: psycopg.Connection, order: LoadOrder) -> Mapping[str, tuple[str, ...]] | None:
    """Return by look-up which keys were noted since; see `core.ports.DataMover`."""
    spec: Spec = order.spec
    if not spec.lookups:
        return {}
    if not stage.is_made(connection):
        return None
    mine = connection.execute(
        "SELECT looked_from, looked FROM crossing_stage.run WHERE run_id = %s", [order.run_id]
    ).fetchone()
    since, until = mine or (known(connection, order), None)
    if since is None:
        return None
    found = {}
    for name, lookup in spec.lookups.items():
        rows = connection.execute(
            "SELECT target_key FROM crossing_stage.touched WHERE account_id = %s AND entity = %s AND number > %s"
            " AND (%s::bigint IS NULL OR number <= %s) AND NOT (is_new AND %s) ORDER BY number LIMIT %s",
            [order.account_id, lookup.entity, since, until, until, naming.is_guarded(spec, name), spec.batch + 1],
        )
        found[name] = tuple(key for (key,) in rows)
    return found


def note(connection: psycopg.Connection, order: LoadOrder, key: str) -> None:
    """Note a row that came."""
    if looking(order.entity, order.specs):
        values = sql.SQL("VALUES (%(account)s, %(entity)s, %(key)s, true)")
        connection.execute(NOTED.format(values), {"account": order.account_id, "entity": order.entity, "key": key})


def note_written(connection: psycopg.Connection, order: LoadOrder, keys: Sequence[str]) -> None:
    """Note objects that something else than a run wrote, removed or put back."""
    if keys and looking(order.entity, order.specs):
        values = sql.SQL("SELECT %(account)s, %(entity)s, key, false FROM unnest(%(keys)s::text[]) AS k (key)")
        given = {"account": order.account_id, "entity": order.entity, "keys": sorted(set(keys))}
        connection.execute(NOTED.format(values), given)


def note_all(connection: psycopg.Connection, order: LoadOrder) -> None:
    """Note every row of an entity that came all at once, if others were moved while there was none of it."""
    others = looking(order.entity, order.specs)
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM crossing_stage.run WHERE account_id = %s AND entity = ANY (%s))",
        [order.account_id, others],
    ).fetchone()
    if row and row[0]:
        rows = sql.SQL("SELECT %(account)s, %(entity)s, {}::text, true FROM {} WHERE {} = %(account)s").format(
            sql.Identifier(order.spec.target_key), table(order.spec.target_table),
            sql.Identifier(order.spec.target_tenant),
        )  # fmt: skip
        connection.execute(NOTED.format(rows), {"account": order.account_id, "entity": order.entity})


def _looked_up(spec: Spec) -> list[str]:
    return sorted({lookup.entity for lookup in spec.lookups.values()})


NOTED = sql.SQL(
    "INSERT INTO crossing_stage.touched (account_id, entity, target_key, is_new) {}"
    " ON CONFLICT (target_key, account_id, entity) DO UPDATE SET number = DEFAULT, is_new = false"
)
"""How rows are noted: what was noted before and is again did not merely come."""

_FORGET = """
DELETE FROM crossing_stage.touched WHERE account_id = %s AND entity = %s AND number <= (
    SELECT min(judged) FROM (
        SELECT coalesce(max(greatest(looked_from, CASE WHEN closed THEN looked END)), min(looked)) AS judged
          FROM crossing_stage.run WHERE account_id = %s AND entity = ANY (%s) GROUP BY entity) AS each)
"""
