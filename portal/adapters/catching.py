"""The end of a catch-up: which rows legacy holds now, of which the run has read only those that changed."""

from collections.abc import Callable, Iterator

import psycopg
from psycopg import sql

from backfills.domain import keys
from backfills.domain.spec import Spec, Then
from core.moving import LoadOrder, SourceKeys
from core.ports import Rejected
from portal.adapters.batch import raw, table
from portal.adapters.closing import Closed, close


def unread(connection: psycopg.Connection, order: LoadOrder, *, provenance: str) -> tuple[str, ...]:
    """Return the keys of rows to which merged objects were left; see `core.ports.DataMover`."""
    spec: Spec = order.spec
    rows = connection.execute(
        sql.SQL(_UNREAD).format(table(provenance)),
        {"account": order.account_id, "entity": order.entity, "system": spec.system},
    )
    return tuple(key for (key,) in rows)


def demand_read(connection: psycopg.Connection, order: LoadOrder, *, provenance: str) -> None:
    """Raise Rejected where a run left a merged object to a row and did not come to bring its values."""
    left = unread(connection, order, provenance=provenance) if order.spec.duplicates.then is Then.MERGE else ()
    if left:
        raise Rejected(
            f"{len(left):,} objects were left to the next of the rows that were merged into them, and only a full run"
            " brings its values: run it in full."
        )


def close_caught_up(
    connection: psycopg.Connection,
    order: LoadOrder,
    *,
    source: SourceKeys,
    held: Callable[[], Iterator[bytes]],
    provenance: str,
) -> tuple[SourceKeys, Closed]:
    """Close a catch-up over the rows that legacy holds, and return those that it accounts for.

    Where exactly the rows of `source` are known, no key is read. Else all are, into a table that lives as long as the
    closing transaction. A row that nobody has met is left to the next catch-up, if that will read it; else this
    raises Rejected. Whatever legacy does not hold any more is removed.
    """
    spec: Spec = order.spec
    values = {"account": order.account_id, "entity": order.entity, "system": spec.system}
    names = {
        "provenance": table(provenance),
        "held": sql.Identifier("crossing_stage", f"held_{order.run_id.hex}"),
        "run": sql.Literal(order.run_id),
        "digest": raw(keys.digest("source_key")),
    }

    def ask(statement: str) -> SourceKeys:
        row = connection.execute(sql.SQL(statement).format(**names), values).fetchone()
        return SourceKeys(int(row[0]), int(row[1])) if row else SourceKeys()

    connection.execute("SET LOCAL enable_nestloop = off")  # as `close` does
    if ask(_KNOWN) == source:
        return source, close(connection, order, provenance=provenance, whole=True)
    connection.execute(sql.SQL(_TABLE).format(**names))
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {held} (source_key, is_late) FROM STDIN").format(**names)) as copy,
    ):
        for block in held():
            copy.write(block)
    connection.execute(sql.SQL("ANALYZE {held}").format(**names))
    unmet = ask(_UNMET)
    if unmet.rows:
        raise Rejected(
            f"Legacy holds new rows ({unmet.rows:,}) that by their “{spec.changed and spec.changed.column}” have not"
            " changed since the last run: a catch-up cannot see such rows. Run it in full."
        )
    connection.execute(sql.SQL(_LATE).format(**names), values)
    there = ask(_THERE)
    closed = close(connection, order, provenance=provenance, whole=False, seen=names["held"])
    connection.execute(sql.SQL("DROP TABLE {held}").format(**names))
    return there, closed


_UNREAD = """
SELECT source_key FROM {} p
 WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
   AND p.source_hash = sha256('') ORDER BY source_key
"""
_KNOWN = """
SELECT count(*), coalesce(sum({digest}), 0) FROM (
    SELECT source_key FROM crossing_stage.outcome WHERE account_id = %(account)s AND entity = %(entity)s
     UNION
    SELECT source_key FROM {provenance}
     WHERE account_id = %(account)s AND entity = %(entity)s AND source_system = %(system)s
) AS known
"""
# Unlogged and made in the transaction that drops it: a kill leaves nothing.
_TABLE = """
CREATE UNLOGGED TABLE {held} (source_key text COLLATE "C" NOT NULL, is_late boolean, run_id uuid DEFAULT {run})
"""
_IS_UNMET = """
NOT EXISTS (SELECT FROM crossing_stage.outcome o
                 WHERE o.account_id = %(account)s AND o.entity = %(entity)s AND o.source_key = h.source_key)
   AND NOT EXISTS (SELECT FROM {provenance} p
                    WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
                      AND p.source_key = h.source_key)
"""
_UNMET = f"SELECT count(*), 0 FROM {{held}} h WHERE NOT h.is_late AND {_IS_UNMET}"  # noqa: S608 - no value in it
_LATE = f"DELETE FROM {{held}} h WHERE {_IS_UNMET}"  # noqa: S608 - no value in it
_THERE = "SELECT count(*), coalesce(sum({digest}), 0) FROM {held}"
