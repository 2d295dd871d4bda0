"""Which table of which server it is, as far as its rows alone say what it holds.

A server that starts anew may have lost transactions and give their numbers out again; a table that was made, emptied or
written anew has other files; a column that was made anew another number. Row security, inheritance and computed columns
show what no transaction wrote, and so do types whose text hangs on more than the value.
"""

import json
from dataclasses import dataclass

from portal.adapters.comparison.quoting import name
from portal.adapters.comparison.servers import Database
from portal.adapters.postgres import translated

_LIFE = """
SELECT pg_is_in_recovery(), pg_postmaster_start_time()::text, (SELECT stats_reset::text FROM pg_stat_bgwriter),
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
       pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() AS s
"""
"""A server's life: the second tells of a start, the third of a crash that it survived, for recovery resets it."""

_TABLE = """
WITH c AS (SELECT * FROM pg_class WHERE oid = to_regclass(%(table)s)),
     a AS (SELECT a.attnum, a.attname, a.atttypmod, a.attgenerated, t.oid, t.typtype, t.typname,
                  coalesce(b.typnamespace, t.typnamespace) AS home, coalesce(b.typtype, t.typtype) AS base
             FROM pg_attribute AS a JOIN c ON a.attrelid = c.oid JOIN pg_type AS t ON t.oid = a.atttypid
             LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
            WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY (%(columns)s))
SELECT json_build_array(c.oid::bigint, pg_relation_filenode(c.oid)::bigint, current_setting('server_version_num'),
           (SELECT json_agg(json_build_array(attnum, attname, oid::bigint, atttypmod, (
                       SELECT string_agg(e.oid || e.enumlabel, ',' ORDER BY e.oid) FROM pg_enum AS e
                        WHERE e.enumtypid = a.oid)) ORDER BY attnum) FROM a))::text,
       c.relkind = 'r' AND NOT c.relhassubclass AND NOT row_security_active(c.oid)
           AND (SELECT amname = 'heap' FROM pg_am WHERE pg_am.oid = c.relam),
       (SELECT bool_and(attgenerated IN ('', 's') AND (typtype = 'e' OR base = 'b'
                   AND home = 'pg_catalog'::regnamespace AND typname !~ '^_*(reg|aclitem)')) FROM a)
  FROM c
"""
"""A table: which it is, whether its rows alone say what it holds, and whether they say all of its columns' text."""


class Unmarked(Exception):
    """Everything is to be read; the text says why, to follow “because”."""


@dataclass(frozen=True, slots=True)
class Life:
    """A server's life, the oldest transaction that is not over in it, and the next one to come."""

    told: list[object]
    horizon: int
    upto: int


def life(database: Database) -> Life:
    """Tell which life a server lives. Raises Unmarked for one whose history may be exchanged."""
    ((recovering, *told, horizon, upto),) = database.ask(_LIFE)
    if recovering:
        raise Unmarked("one of the servers is a standby, which may come to follow another history")
    return Life(told, int(str(horizon)), int(str(upto)))


def identity(database: Database, table: str, columns: list[str], life: Life) -> str:
    """Name a table in a server's life: two of one name hold, row by row, what was written into them since, or the same.

    Raises Unmarked for one whose rows alone do not say what it holds.
    """
    with translated(database.title):
        asked = {"table": name(table), "columns": columns}
        row = database.connection.execute(_TABLE, asked).fetchone()
    if row is None or not row[1]:
        raise Unmarked("one of its tables is none of which the rows alone say what it holds")
    if not row[2]:
        raise Unmarked("one of its columns is of a type whose text hangs on more than the row")
    return json.dumps([life.told, row[0]])
