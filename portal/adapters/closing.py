"""The end of a run: what legacy no longer has leaves the new platform, and every row is counted where it ended."""

import psycopg
from psycopg import sql

from backfills.domain import keys
from backfills.domain.spec import Spec, Then
from backfills.domain.sql import Dialect
from core.moving import LoadOrder
from core.ports import Rejected
from portal.adapters.batch import raw, table


def close(connection: psycopg.Connection, order: LoadOrder, *, provenance: str, fresh: bool) -> int:
    """Remove what this run did not see or did not move any more, and count anew; runs inside the closing transaction.

    Returns the sum of the digests of the keys that are accounted for.

    An object into which several source rows were merged stays as long as one of them does. A fresh run wrote all
    that there is, so nothing can have vanished. Raises Rejected where a row is written down as moved and the platform
    holds no object of it.
    """
    spec: Spec = order.spec
    values = {"account": order.account_id, "entity": order.entity, "run": order.run_id, "system": spec.system,
              "spec": spec.label, "at": order.at, "fresh": fresh}  # fmt: skip
    names = {
        "provenance": table(provenance),
        "target": table(spec.target_table),
        "tenant": sql.Identifier(spec.target_tenant),
        "key": sql.Identifier(spec.target_key),
        # In the order in which rows are read, so that whoever comes next is who would have come first.
        "first": raw(f"(array_agg(source_key ORDER BY {keys.order(spec, 'source_key', Dialect.POSTGRES)}))[1]"),
    }
    # Of tables that were just filled the planner knows nothing, and a nested loop over them would never end.
    connection.execute("SET LOCAL enable_nestloop = off")
    steps = list(_FORGET)
    if spec.vanished.then is Then.DELETE:
        if not fresh:
            steps.append(_VANISHED)
        if spec.duplicates.then is Then.MERGE:
            steps.append(_NEXT)
        steps.append(_NOWHERE)
    for statement in steps:
        connection.execute(sql.SQL(statement).format(**names), values)
    lost = connection.execute(sql.SQL(_LOST).format(**names), values).fetchone()
    if lost and lost[0]:
        raise Rejected(
            f"{lost[0]:,} of the rows that were moved have no object on the new platform: something there, a trigger"
            f" of {spec.target_table} perhaps, kept them from being written. Nothing is called moved until that is"
            " mended and the run is repeated."
        )
    connection.execute("DELETE FROM crossing_stage.total WHERE run_id = %(run)s", values)
    ended = sql.SQL(_RECOUNT).format(**names, digest=raw(keys.digest("source_key")))
    row = connection.execute(ended, values).fetchone()
    connection.execute("DELETE FROM crossing_stage.seen WHERE run_id = %(run)s", values)
    return int(row[0]) if row else 0


_FORGET = (
    # Outcomes of rows that an earlier run saw and this one did not.
    """
    DELETE FROM crossing_stage.outcome
     WHERE account_id = %(account)s AND entity = %(entity)s AND run_id <> %(run)s
    """,
    # Their dead letters, and those of rows that other runs rejected, are settled.
    """
    UPDATE crossing_stage.dead_letter SET state = 'resolved', payload = NULL, last_at = %(at)s
     WHERE account_id = %(account)s AND entity = %(entity)s AND run_id <> %(run)s AND state = 'open'
    """,
)
# Nothing comes from a row that is gone, or that does not move any more.
_VANISHED = """
DELETE FROM {provenance} p
 WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
   AND (NOT EXISTS (SELECT FROM crossing_stage.seen s WHERE s.run_id = %(run)s AND s.source_key = p.source_key)
        OR EXISTS (SELECT FROM crossing_stage.outcome o
                    WHERE o.account_id = p.account_id AND o.entity = p.entity AND o.source_key = p.source_key
                      AND o.fate NOT IN ('migrated', 'transformed')))
"""
# A merged object whose first row is gone now comes from the next one.
_NEXT = """
WITH next AS (
    DELETE FROM crossing_stage.outcome o
     USING (SELECT target_key, {first} AS source_key
              FROM crossing_stage.outcome
             WHERE account_id = %(account)s AND entity = %(entity)s AND fate = 'merged'
             GROUP BY target_key) AS m
     WHERE o.account_id = %(account)s AND o.entity = %(entity)s AND o.source_key = m.source_key
       AND NOT EXISTS (SELECT FROM {provenance} p
                        WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = m.target_key)
    RETURNING o.source_key, o.target_key
)
INSERT INTO {provenance} (account_id, entity, source_system, source_key, target_key, run_id, spec, source_hash,
                          migrated_at)
SELECT %(account)s, %(entity)s, %(system)s, source_key, target_key, %(run)s, %(spec)s, sha256(''), %(at)s FROM next
"""
# What comes from nowhere goes.
_NOWHERE = """
DELETE FROM {target} t
 WHERE t.{tenant} = %(account)s
   AND NOT EXISTS (SELECT FROM {provenance} p
                    WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = t.{key}::text)
"""
# Rows that this run met and wrote down as moved, of which the platform holds no object.
_LOST = """
SELECT count(*) FROM {provenance} p
 WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
   AND NOT EXISTS (SELECT FROM {target} t WHERE t.{tenant} = %(account)s AND t.{key}::text = p.target_key)
   AND (%(fresh)s
        OR EXISTS (SELECT FROM crossing_stage.seen s WHERE s.run_id = %(run)s AND s.source_key = p.source_key))
"""
# The ledger is counted from where rows ended, not from what batches said of themselves.
_RECOUNT = """
WITH ended AS (
    SELECT fate, rule, source_key FROM crossing_stage.outcome
     WHERE account_id = %(account)s AND entity = %(entity)s AND run_id = %(run)s
     UNION ALL
    SELECT 'migrated', '', source_key FROM {provenance} p
     WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
       AND NOT EXISTS (SELECT FROM crossing_stage.outcome o
                        WHERE o.account_id = p.account_id AND o.entity = p.entity AND o.source_key = p.source_key)
       AND (%(fresh)s
            OR EXISTS (SELECT FROM crossing_stage.seen s WHERE s.run_id = %(run)s AND s.source_key = p.source_key))
),
counted AS (
    SELECT fate, rule, count(*) AS count, sum({digest}) AS digest FROM ended GROUP BY fate, rule
),
kept AS (
    INSERT INTO crossing_stage.total SELECT %(run)s, fate, rule, count FROM counted
)
SELECT coalesce(sum(digest), 0) FROM counted
"""
