"""Where objects ended: one by the key it had or the one it has, or those that ended in one way."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from backfills.domain.judgement import Fate
from core.moving import HELD, Trace
from portal.adapters import holding
from portal.adapters.batch import table


def trace(
    connection: psycopg.Connection, *, account_id: UUID, entity: str, system: str, key: str, provenance: str
) -> Trace | None:
    """Return the trace of a row by its key in legacy, else by its object's key on the new platform; None: neither."""
    made = connection.execute("SELECT to_regclass('crossing_stage.outcome') IS NOT NULL").fetchone()
    if made is None or not made[0]:
        return None
    connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(PATIENCE)))
    given: dict[str, Any] = {"account": account_id, "entity": entity, "system": system, "key": key}
    name = {"provenance": table(provenance)}
    row = connection.execute(sql.SQL(_BY_SOURCE).format(**name), given).fetchone()
    found = holding.traced(connection, given, Trace(*row)) if row else None
    if found is None:
        source = connection.execute(sql.SQL(_SOURCE_OF).format(**name), given).fetchone()
        if source is None:
            return holding.traced(connection, given, None)
        row = connection.execute(sql.SQL(_BY_SOURCE).format(**name), given | {"key": source[0]}).fetchone()
        found = Trace(*row) if row else None
    return found


def ended(
    connection: psycopg.Connection, how: Mapping[str, Any], *, skip: int, limit: int, provenance: str
) -> tuple[str, ...]:
    """Return source keys of rows that ended in one way, or keys of objects that are held.

    `how`: account, entity, system, fate, rule.
    """
    made = connection.execute("SELECT to_regclass('crossing_stage.outcome') IS NOT NULL").fetchone()
    if made is None or not made[0]:
        return ()
    connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(PATIENCE)))
    if how["fate"] == HELD:
        return tuple(key for (key,) in connection.execute(holding.LISTED, {**how, "skip": skip, "limit": limit}))
    is_plain = how["fate"] == Fate.MIGRATED and not how["rule"]
    asked = sql.SQL(_PLAINLY if is_plain else _BY_RULE).format(provenance=table(provenance))
    rows = connection.execute(asked, {**how, "skip": skip, "limit": limit})
    return tuple(key for (key,) in rows)


PATIENCE = "10s"
"""How long somebody waits for a page."""
_BY_RULE = """
SELECT source_key FROM crossing_stage.outcome
 WHERE account_id = %(account)s AND entity = %(entity)s AND fate = %(fate)s AND rule = %(rule)s
 ORDER BY source_key OFFSET %(skip)s LIMIT %(limit)s
"""
# Rows that simply moved are known by their provenance alone.
_PLAINLY = """
SELECT p.source_key FROM {provenance} p
 WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
   AND NOT EXISTS (SELECT FROM crossing_stage.outcome o
                    WHERE o.account_id = p.account_id AND o.entity = p.entity AND o.source_key = p.source_key
                      AND o.fate <> 'migrated')
 ORDER BY p.source_key OFFSET %(skip)s LIMIT %(limit)s
"""
_BY_SOURCE = """
SELECT coalesce(o.source_key, p.source_key), coalesce(o.fate, 'migrated'), coalesce(o.rule, ''),
       k.key, coalesce(h.source_key, ''),
       coalesce(o.run_id, p.run_id), coalesce(h.spec, ''), h.migrated_at
  FROM (SELECT * FROM crossing_stage.outcome
         WHERE source_key = %(key)s AND account_id = %(account)s AND entity = %(entity)s) o
  FULL JOIN (SELECT * FROM {provenance}
              WHERE source_key = %(key)s AND account_id = %(account)s AND entity = %(entity)s
                AND source_system = %(system)s) p ON p.source_key = o.source_key
  LEFT JOIN LATERAL (
       SELECT CASE WHEN o.fate IS NULL THEN p.target_key ELSE o.target_key END AS key) k ON true
  LEFT JOIN LATERAL (
       SELECT * FROM {provenance} h
        WHERE h.account_id = %(account)s AND h.entity = %(entity)s AND h.source_system = %(system)s
          AND h.source_key = k.key AND h.target_key = h.source_key
        UNION ALL
       SELECT * FROM {provenance} h
        WHERE h.account_id = %(account)s AND h.entity = %(entity)s AND h.source_system = %(system)s
          AND h.target_key = k.key AND h.target_key <> h.source_key) h ON true
"""
# An object that has its row's key was found by that.
_SOURCE_OF = """
SELECT source_key FROM {provenance}
 WHERE target_key = %(key)s AND account_id = %(account)s AND entity = %(entity)s AND source_system = %(system)s
   AND target_key <> source_key
"""
