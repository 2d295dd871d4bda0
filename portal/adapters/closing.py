"""The end of a run: what legacy no longer has leaves the new platform, and every row is counted where it ended."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from backfills.domain import keys
from backfills.domain.spec import Spec, Then
from backfills.domain.sql import Dialect
from core.moving import LoadOrder
from core.ports import Rejected
from portal.adapters import holding, stage
from portal.adapters.batch import looking, raw, table

SEEN = sql.Identifier("crossing_stage", "seen")


@dataclass(frozen=True, slots=True)
class Closed:
    """The sum of the digests of the keys that are accounted for, and how many objects were removed, or are held."""

    digest: int
    removed: int
    held: int


def close(
    connection: psycopg.Connection,
    order: LoadOrder,
    *,
    provenance: str,
    whole: bool,
    seen: sql.Composable = SEEN,
) -> Closed:
    """Remove what this run did not see or did not move any more, and count anew; runs inside the closing transaction.

    Nothing is removed where the order preserves: it is held (`holding`).

    `seen` holds, by `run_id` and `source_key`, what legacy has; it is not asked where the `whole` of what is known is
    there, as after a fresh run, which wrote all of it.

    An object into which several source rows were merged stays as long as one of them does. Raises Rejected where a row
    is written down as moved and the platform holds no object of it.
    """
    spec: Spec = order.spec
    catches_up = order.since is not None
    values = {"account": order.account_id, "entity": order.entity, "run": order.run_id, "system": spec.system,
              "spec": spec.label, "at": order.at, "whole": whole, "preserves": order.preserves,
              "held_by": spec.held_by}  # fmt: skip
    names: dict[str, sql.Composable] = {
        "provenance": table(provenance),
        "target": table(spec.target_table),
        "tenant": sql.Identifier(spec.target_tenant),
        "key": sql.Identifier(spec.target_key),
        "seen": seen,
        # In the order in which rows are read, so that whoever comes next is who would have come first.
        "first": raw(f"(array_agg(source_key ORDER BY {keys.order(spec, 'source_key', Dialect.POSTGRES)}))[1]"),
    }
    names["gone"] = sql.SQL(_GONE).format(**names)
    # Of tables that were just filled the planner knows nothing, and a nested loop over them would never end.
    connection.execute("SET LOCAL enable_nestloop = off")

    def do(statement: str) -> int:
        return connection.execute(sql.SQL(statement).format(**names), values).rowcount

    merges, removes, removed = spec.duplicates.then is Then.MERGE, spec.vanished.then is Then.DELETE, 0
    any_gone = removes and (catches_up or not whole)
    holding.begin(do, removes=removes, preserves=order.preserves)
    if any_gone:
        holding.take(do)
    for statement in _FORGET if not catches_up else () if whole else _FORGET_GONE:
        do(statement)
    if not order.preserves:
        do(_SPENT)
    if any_gone:
        do(_VANISHED)
    if merges:
        do(_NEXT)
    if removes:
        holding.end(do, preserves=order.preserves)
    lost, strays = _apart(connection, names, values)
    if strays and removes and not order.preserves:
        removed = do(_NOWHERE_NOTED if looking(order.entity, order.specs) else _NOWHERE)
    if lost:
        raise Rejected(
            f"{lost:,} of the rows that were moved have no object on the new platform: something there, a trigger"
            f" of {spec.target_table} perhaps, kept them from being written. Nothing is called moved until that is"
            " mended and the run is repeated."
        )
    connection.execute("DELETE FROM crossing_stage.total WHERE run_id = %(run)s", values)
    # Counted by a statement that only reads, which the server may divide among several of its workers.
    ended = sql.SQL(_RECOUNT).format(**names, digest=raw(keys.digest("source_key")))
    counted = connection.execute(ended, values).fetchall()
    stage.count(connection, order.run_id, Counter({(fate, rule): count for fate, rule, count, _ in counted}))
    connection.execute("DELETE FROM crossing_stage.seen WHERE run_id = %(run)s", values)
    return Closed(int(sum(digest for *_, digest in counted)), removed, holding.count(connection, order))


def _apart(
    connection: psycopg.Connection, names: Mapping[str, sql.Composable], values: Mapping[str, object]
) -> tuple[int, int]:
    """Return how many rows are written down as moved without an object, and how many objects come from nowhere."""
    # The seed is drawn anew, so that nobody can prepare two sets of keys with one sum.
    same = sql.SQL(_SAME).format(**names, seed=sql.Literal(secrets.randbits(62)))
    if connection.execute(same, values).fetchone() == (True,):
        return 0, 0
    lost, strays = connection.execute(sql.SQL(_APART).format(**names), values).fetchone() or (0, 0)
    return int(lost), int(strays)


_FORGET = (
    # Outcomes of rows that an earlier run saw and this one did not.
    """
    DELETE FROM crossing_stage.outcome
     WHERE account_id = %(account)s AND entity = %(entity)s AND run_id <> %(run)s
    """,
    # Their dead letters, and those of rows that other runs rejected, are settled.
    """
    UPDATE crossing_stage.dead_letter SET state = 'resolved', last_at = %(at)s,
           payload = CASE WHEN %(preserves)s THEN payload END
     WHERE account_id = %(account)s AND entity = %(entity)s AND run_id <> %(run)s AND state = 'open'
    """,
)
# What a legal hold kept of rejected rows that are settled.
_SPENT = """
UPDATE crossing_stage.dead_letter SET payload = NULL
 WHERE account_id = %(account)s AND entity = %(entity)s AND state = 'resolved' AND payload IS NOT NULL
"""
# After a catch-up, those of rows that legacy holds no more: the others stand as they were judged.
_FORGET_GONE = (
    """
    DELETE FROM crossing_stage.outcome o
     WHERE o.account_id = %(account)s AND o.entity = %(entity)s
       AND NOT EXISTS (SELECT FROM {seen} s WHERE s.run_id = %(run)s AND s.source_key = o.source_key)
    """,
    """
    UPDATE crossing_stage.dead_letter d SET state = 'resolved', last_at = %(at)s,
           payload = CASE WHEN %(preserves)s THEN payload END
     WHERE d.account_id = %(account)s AND d.entity = %(entity)s AND d.state = 'open'
       AND NOT EXISTS (SELECT FROM {seen} s WHERE s.run_id = %(run)s AND s.source_key = d.source_key)
    """,
)
# Rows that are gone, or that do not move any more: nothing comes from them.
_GONE = """
p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_system = %(system)s
   AND (NOT %(whole)s
        AND NOT EXISTS (SELECT FROM {seen} s WHERE s.run_id = %(run)s AND s.source_key = p.source_key)
        OR EXISTS (SELECT FROM crossing_stage.outcome o
                    WHERE o.account_id = p.account_id AND o.entity = p.entity AND o.source_key = p.source_key
                      AND o.fate NOT IN ('migrated', 'transformed')))
"""
_VANISHED = "DELETE FROM {provenance} p WHERE {gone}"
# A merged object whose first row is gone now comes from the next one; its values are brought afterwards (`unread`).
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
# What comes from nowhere goes, but for what is held by legacy's own mark.
_NOWHERE = """
DELETE FROM {target} t
 WHERE t.{tenant} = %(account)s
   AND NOT EXISTS (SELECT FROM {provenance} p
                    WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = t.{key}::text)
   AND NOT EXISTS (SELECT FROM crossing_stage.held h
                    WHERE h.account_id = %(account)s AND h.entity = %(entity)s AND h.target_key = t.{key}::text)
"""
_NOWHERE_NOTED = f"""
WITH gone AS ({_NOWHERE} RETURNING t.{{key}}::text)
INSERT INTO crossing_stage.touched (account_id, entity, target_key, is_new)
SELECT %(account)s, %(entity)s, g.*, false FROM gone AS g
    ON CONFLICT (target_key, account_id, entity) DO UPDATE SET number = DEFAULT, is_new = false
"""  # noqa: S608 - no value in it
# Whether the keys that are written down and those of the objects are the same, which they mostly are: two sums take a
# third of the time of a join, and no room on the disk.
# CASE: of a table that was just filled the planner expects next to no row that equals several values, and has one
# process do all the work; of a CASE it expects half of the account's, and divides the work.
_SAME = """
SELECT (SELECT ROW(count(*), sum(hashtextextended(p.target_key COLLATE "C", {seed}))) FROM {provenance} p
         WHERE p.account_id = %(account)s AND CASE WHEN p.entity = %(entity)s THEN true ELSE false END)
     = (SELECT ROW(count(*), sum(hashtextextended(t.{key}::text COLLATE "C", {seed}))) FROM {target} t
         WHERE t.{tenant} = %(account)s)
"""
# How many rows that legacy has are written down as moved while the platform holds no object of them, and how many
# objects come from nowhere.
_APART = """
SELECT count(*) FILTER (WHERE t.key IS NULL AND p.is_there), count(*) FILTER (WHERE p.target_key IS NULL)
  FROM (SELECT p.target_key, p.source_system = %(system)s AND (%(whole)s OR EXISTS (
                   SELECT FROM {seen} s WHERE s.run_id = %(run)s AND s.source_key = p.source_key)) AS is_there
          FROM {provenance} p
         WHERE p.account_id = %(account)s AND CASE WHEN p.entity = %(entity)s THEN true ELSE false END) AS p
  FULL JOIN (SELECT t.{key}::text COLLATE "C" AS key FROM {target} t WHERE t.{tenant} = %(account)s) AS t
    ON t.key = p.target_key
"""
# The ledger is counted from where rows ended, not from what batches said of themselves.
_RECOUNT = """
SELECT fate, rule, count(*), sum({digest}) FROM (
    SELECT fate, rule, source_key FROM crossing_stage.outcome
     WHERE account_id = %(account)s AND entity = %(entity)s
     UNION ALL
    SELECT 'migrated', '', source_key FROM {provenance} p
     WHERE p.account_id = %(account)s
       AND CASE WHEN p.entity = %(entity)s AND p.source_system = %(system)s THEN true ELSE false END
       AND NOT EXISTS (SELECT FROM crossing_stage.outcome o
                        WHERE o.account_id = %(account)s AND o.entity = %(entity)s AND o.source_key = p.source_key)
       AND (%(whole)s
            OR EXISTS (SELECT FROM {seen} s WHERE s.run_id = %(run)s AND s.source_key = p.source_key))
) AS ended GROUP BY fate, rule
"""
