"""What a platform's own catalogue says of its tables, asked over a connection of ours."""

import psycopg

from portal.adapters.comparison.quoting import name

DECLARED = (
    "SELECT attname::text AS column_name, format_type(atttypid, atttypmod)::text AS column_type FROM pg_attribute "
    "WHERE attrelid = to_regclass({}) AND attnum > 0 AND NOT attisdropped"
)
"""The columns of a table whose quoted name stands in the braces, as a literal."""

_UNIQUE = """
SELECT EXISTS (
    SELECT 1 FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
     WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL AND (c.relkind = 'p' OR NOT c.relhassubclass)
       AND (SELECT array_agg(a.attname::text) FROM pg_attribute AS a WHERE a.attrelid = i.indrelid
             AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) <@ %s
)
"""


def declared(connection: psycopg.Connection, table: str) -> dict[str, str]:
    """Return the type of each of a table's columns (`format_type`); nothing, if there is no such table."""
    rows = connection.execute(DECLARED.format("%s").encode(), [name(table)]).fetchall()
    return {str(column): str(kind) for column, kind in rows}


def is_unique(connection: psycopg.Connection, table: str, columns: list[str]) -> bool:
    """Tell whether the server itself lets no two rows of a table have the same values in these columns."""
    row = connection.execute(_UNIQUE, [name(table), columns]).fetchone()
    return bool(row and row[0])


def estimate(connection: psycopg.Connection, query: str) -> tuple[int, int]:
    """Return how many rows the planner expects of a query, and how many bytes; it costs the server nothing."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Plan Rows"]), int(plan["Plan Rows"]) * int(plan["Plan Width"])
