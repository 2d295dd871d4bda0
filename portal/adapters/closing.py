"""The end of a run: what legacy no longer has leaves the new platform, by the spec's rule."""

import psycopg
from psycopg import sql

from backfills.domain.spec import Spec, Then
from core.moving import LoadOrder
from portal.adapters.batch import table


def close(connection: psycopg.Connection, order: LoadOrder, *, provenance: str) -> None:
    """Remove what this run did not see or did not move any more; runs inside the closing transaction.

    An object into which several source rows were merged stays as long as one of them does.
    """
    spec: Spec = order.spec
    values = {"account": order.account_id, "entity": order.entity, "run": order.run_id, "system": spec.system,
              "spec": spec.label, "at": order.at}  # fmt: skip
    names = {
        "provenance": table(provenance),
        "target": table(spec.target_table),
        "tenant": sql.Identifier(spec.target_tenant),
        "key": sql.Identifier(spec.target_key),
    }
    for statement in (*_FORGET, *(_REMOVE if spec.vanished.then is Then.DELETE else ())):
        connection.execute(sql.SQL(statement).format(**names), values)


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
_REMOVE = (
    # Nothing comes from a row that is gone, or that does not move any more.
    """
    DELETE FROM {provenance} p
     WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
       AND NOT EXISTS (SELECT FROM crossing_stage.outcome o
                        WHERE o.account_id = p.account_id AND o.entity = p.entity AND o.source_key = p.source_key
                          AND o.fate IN ('migrated', 'transformed'))
    """,
    # A merged object whose first row is gone now comes from the next one.
    """
    WITH next AS (
        UPDATE crossing_stage.outcome o SET fate = 'migrated', rule = ''
          FROM (SELECT target_key, min(source_key) AS source_key
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
    """,
    # What comes from nowhere goes.
    """
    DELETE FROM {target} t
     WHERE t.{tenant} = %(account)s
       AND NOT EXISTS (SELECT FROM {provenance} p
                        WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = t.{key}::text)
    """,
)
