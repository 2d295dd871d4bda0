"""Objects that stay on the new platform although nothing of legacy asks for them any more.

They stay under a legal hold, or by the mapping's rule for what legacy itself marks as held, and are written down in
`crossing_stage.held`. Provenance moves there with them: everything else finds what it would find had they been removed.
"""

from collections.abc import Callable
from dataclasses import replace

import psycopg
from psycopg import sql

from core.moving import LoadOrder, Trace

type Do = Callable[[str], int]
"""Runs a statement of the closing transaction, with `closing`'s names and values."""


def begin(do: Do, *, removes: bool, preserves: bool) -> None:
    """Let go of what is held for no reason any more: it is removed like everything that comes from nowhere."""
    if not preserves or not removes:
        do(_RELEASE if removes else _RELEASE_ALL)


def take(do: Do) -> None:
    """Hold the objects of rows that vanished or do not move any more; before their outcomes are forgotten."""
    do(_TAKE)


def end(do: Do, *, preserves: bool) -> None:
    """Let go of what comes from a row again; under a legal hold, hold whatever comes from nowhere."""
    do(_TAKEN_UP)
    if preserves:
        do(_TAKE_STRAYS)


def count(connection: psycopg.Connection, order: LoadOrder) -> int:
    """Count an entity's objects that are held."""
    row = connection.execute(
        "SELECT count(*) FROM crossing_stage.held WHERE account_id = %s AND entity = %s",
        [order.account_id, order.entity],
    ).fetchone()
    return int(row[0]) if row else 0


def traced(connection: psycopg.Connection, given: dict[str, object], found: Trace | None) -> Trace | None:
    """Tell of a trace, or of none, whether its object is held; `given`: account, entity, key."""
    asked = {**given, "key": found.source_key if found else given["key"], "by_object": found is None}
    row = connection.execute(_HELD, asked).fetchone()
    if row is None:
        return found
    source_key, target_key, rule, run_id, spec, at, held_at = row
    if found is None:
        return Trace(
            source_key or "", "migrated", "", target_key, source_key or "", run_id, spec or "", at, held_at, rule
        )
    if found.target_key is not None:  # it is another row's by now
        return found
    return replace(found, target_key=target_key, spec=spec or "", at=at, held_at=held_at, held_by=rule)


LISTED = sql.SQL(
    "SELECT target_key FROM crossing_stage.held WHERE account_id = %(account)s AND entity = %(entity)s"
    " AND %(rule)s IN ('', rule) ORDER BY target_key OFFSET %(skip)s LIMIT %(limit)s"
)
_HELD = """
SELECT source_key, target_key, rule, run_id, spec, migrated_at, held_at FROM crossing_stage.held
 WHERE account_id = %(account)s AND entity = %(entity)s
   AND (source_key = %(key)s OR %(by_object)s AND target_key = %(key)s)
 ORDER BY source_key = %(key)s DESC NULLS LAST LIMIT 1
"""
_RELEASE_ALL = "DELETE FROM crossing_stage.held WHERE account_id = %(account)s AND entity = %(entity)s"
_RELEASE = f"{_RELEASE_ALL} AND (rule = '' OR rule <> %(held_by)s)"
# Legacy's own mark counts as the row's last run has judged it.
_TAKE = """
INSERT INTO crossing_stage.held (account_id, entity, target_key, rule, source_key, spec, migrated_at, run_id, held_at)
SELECT p.account_id, p.entity, p.target_key, coalesce(marked.rule, ''), p.source_key, p.spec, p.migrated_at,
       %(run)s, %(at)s
  FROM {provenance} p
  LEFT JOIN crossing_stage.outcome marked
    ON marked.account_id = p.account_id AND marked.entity = p.entity AND marked.source_key = p.source_key
   AND marked.rule = nullif(%(held_by)s, '') AND marked.fate IN ('migrated', 'transformed')
 WHERE {gone} AND (%(preserves)s OR marked.rule IS NOT NULL)
ON CONFLICT DO NOTHING
"""
_TAKEN_UP = """
DELETE FROM crossing_stage.held h
 WHERE h.account_id = %(account)s AND h.entity = %(entity)s
   AND (EXISTS (SELECT FROM {provenance} p
                 WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = h.target_key)
        OR NOT EXISTS (SELECT FROM {target} t WHERE t.{tenant} = %(account)s AND t.{key}::text = h.target_key))
"""
_TAKE_STRAYS = """
INSERT INTO crossing_stage.held (account_id, entity, target_key, rule, run_id, held_at)
SELECT %(account)s, %(entity)s, t.{key}::text, '', %(run)s, %(at)s
  FROM {target} t
 WHERE t.{tenant} = %(account)s
   AND NOT EXISTS (SELECT FROM {provenance} p
                    WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = t.{key}::text)
ON CONFLICT DO NOTHING
"""
