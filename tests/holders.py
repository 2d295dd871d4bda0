"""How each engine holds the values of `tests.traps`: as which type, written how; UNHELD where it cannot.

Holders write two tables of one row each, `traps_left` and `traps_right`, with a column per trap.
"""

import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.engines import write_csv
from tests.traps import TRAPS

type Value = tuple[str, str | None]

TABLES = ("traps_left", "traps_right")
WANTED = {
    "unsigned": "numeric(20,0)", "huge": "numeric(39,0)", "double": "double precision", "mood": "enum",
    "padded": "text",
}  # fmt: skip
POSTGRES = {
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone", "unsigned": "numeric(20,0)",
    "huge": "numeric(39,0)", "double": "double precision", "json": "jsonb", "array": "text[]", "bits": "bit varying",
    "padded": "character(5)", "time": "time without time zone",
}  # fmt: skip
DUCKDB = {
    "text": "VARCHAR", "smallint": "SMALLINT", "bigint": "BIGINT", "unsigned": "UBIGINT", "huge": "HUGEINT",
    "double": "DOUBLE", "real": "FLOAT", "boolean": "BOOLEAN", "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ", "bytea": "BLOB", "uuid": "UUID", "interval": "INTERVAL", "json": "JSON",
    "array": "VARCHAR[]", "bits": "BIT", "mood": "ENUM('sad', 'ok')", "timetz": "TIMETZ",
    "pair": "STRUCT(a INTEGER, b INTEGER)",
}  # fmt: skip


def wanted(kind: str) -> str:
    """Return the type that a mapping declares for such a column."""
    return WANTED.get(kind, kind)


def columns(side: int) -> list[tuple[str, Value]]:
    """Return the columns of one table: name and value."""
    return [(f"c{number}", (trap.left, trap.right)[side]) for number, trap in enumerate(TRAPS)]


class Holder:
    """What an engine holds: `address`, and which of the columns `c0`, `c1`, … of each table."""

    def __init__(self, engine: str, address: str, held: Sequence[set[str]]) -> None:
        self.engine, self.address, self.held = engine, address, held


def postgres(url: str, reader: str) -> Holder:
    """Everything; written by the owner and read by the role that may."""
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b int)")
        for side, table in enumerate(TABLES):
            cells = ", ".join(
                f"CAST({_quoted(value)} AS {POSTGRES.get(kind, kind)}) AS {column}"
                for column, (kind, value) in columns(side)
            )
            connection.execute(f"CREATE TABLE {table} AS SELECT 't'::text AS owner, {cells}".encode())
            connection.execute(f"GRANT SELECT ON {table} TO PUBLIC".encode())
    every = {column for column, _ in columns(0)}
    return Holder("postgres", reader, [every, every])


def in_duckdb(folder: Path) -> Holder:
    """What DuckDB has a type for."""
    path = folder / "traps.duckdb"
    with duckdb.connect(str(path)) as connection:
        return Holder("duckdb", f"duckdb://{path}", [_duck_table(connection, side, unheld=()) for side in (0, 1)])


def in_parquet(folder: Path) -> Holder:
    """What Parquet has a type for; DuckDB would write huge numbers as doubles, and bits as bytes."""
    with duckdb.connect() as connection:
        held = [_duck_table(connection, side, unheld=("huge", "bits", "timetz")) for side in (0, 1)]
        for table in TABLES:
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
    return Holder("parquet", f"parquet://{folder}", held)


def _duck_table(connection: Any, side: int, *, unheld: Sequence[str]) -> set[str]:
    connection.execute("SET TimeZone = 'UTC'")
    cells, held = ["'t' AS owner"], set()
    for column, (kind, value) in columns(side):
        declared = DUCKDB.get(kind, kind.replace("numeric", "DECIMAL") if "(" in kind else "")
        if not declared or kind in unheld or (declared.startswith("DECIMAL") and int(declared[8:].split(",")[0]) > 38):
            continue
        cell = f"CAST({_duck_literal(kind, value)} AS {declared})"
        try:
            ((found,),) = connection.execute(f"SELECT {cell} IS NULL").fetchall()
        except duckdb.Error:
            continue  # NaN of a decimal, moments beyond the engine's
        if not found or value is None:
            cells.append(f"{cell} AS {column}")
            held.add(column)
    connection.execute(f"CREATE TABLE {TABLES[side]} AS SELECT {', '.join(cells)}")
    return held


def _duck_literal(kind: str, value: str | None) -> str:
    if value is None:
        return "NULL"
    if kind == "bytea":
        return f"unhex('{value[2:]}')"
    if value.endswith(" BC"):
        day, _, clock = value.removesuffix(" BC").partition(" ")
        return f"'{day} (BC){' ' + clock if clock else ''}'"
    if kind == "pair":
        return "{'a': NULL, 'b': NULL}"
    if kind == "array":
        return {"{NULL}": "[NULL]", '{"NULL"}': "['NULL']", '{"a,b"}': "['a,b']", "{a,b}": "['a', 'b']"}[value]
    return _quoted(value)


def in_sqlite(folder: Path) -> Holder:
    """SQLite has five types: numbers that a double would round, dates and moments are kept as text."""
    path, held = folder / "traps.sqlite", []
    with sqlite3.connect(path) as connection:
        for side, table in enumerate(TABLES):
            row, names = ["t"], ["owner"]
            for column, (kind, value) in columns(side):
                cell = _sqlite_value(kind, value)
                if cell is not UNHELD:
                    names.append(column)
                    row.append(cell)
            connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
            held.append(set(names) - {"owner"})
    connection.close()
    return Holder("sqlite", f"sqlite://{path}", held)


UNHELD: Any = object()


def _sqlite_value(kind: str, value: str | None) -> Any:
    if kind == "real" or (kind == "double" and value in ("NaN", "-0")):
        return UNHELD  # one is widened, the others become NULL and 0
    if value is None:
        return None
    if kind in ("bigint", "smallint"):
        return int(value)
    if kind == "double":
        return float(value.replace("Infinity", "inf"))
    if kind == "boolean":
        return int(value == "t")
    return bytes.fromhex(value[2:]) if kind == "bytea" else value


def in_csv(folder: Path) -> Holder:
    """Texts, as PostgreSQL exports them."""
    held = []
    for side, table in enumerate(TABLES):
        row: dict[str, str | None] = {"owner": "t"}
        row |= {column: value for column, (kind, value) in columns(side) if kind != "real"}
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            write_csv(file, list(row), [row])
        held.append(row.keys() - {"owner"})
    return Holder("csv", f"csv://{folder}", held)


def _quoted(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


MARIADB = {
    "text": "TEXT", "smallint": "SMALLINT", "bigint": "BIGINT", "unsigned": "BIGINT UNSIGNED", "huge": "DECIMAL(39,0)",
    "double": "DOUBLE", "boolean": "TINYINT(1)", "date": "DATE", "time": "TIME(6)",
    "timestamp": "DATETIME(6)", "timestamptz": "TIMESTAMP(6) NULL", "bytea": "LONGBLOB", "uuid": "CHAR(36)",
    "mood": "ENUM('sad', 'ok')", "padded": "CHAR(5)", "json": "JSON",
}  # fmt: skip


def in_mariadb(server: Any) -> Holder:
    """What MariaDB has a type for, in a collation that equates case, accents and spaces at the end."""
    held = []
    for side, table in enumerate(TABLES):
        cells, names = ["'t'"], ["owner VARCHAR(9)"]
        for column, (kind, value) in columns(side):
            declared = MARIADB.get(kind, kind.replace("numeric", "DECIMAL") if "(" in kind else "")
            cell = _mariadb_literal(kind, value)
            if declared and cell is not UNHELD:
                names.append(f"{column} {declared}")
                cells.append(cell)
        form = "ENGINE InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
        server.run(
            f"CREATE TABLE {table} ({', '.join(names)}) {form}; INSERT INTO {table} VALUES ({', '.join(cells)});"
        )
        held.append({one.split()[0] for one in names} - {"owner"})
    return Holder("mariadb", server.address, held)


def _mariadb_literal(kind: str, value: str | None) -> Any:
    if value is None:
        return "NULL"
    if "nfinity" in value or value in ("NaN", "-0") or value.endswith(" BC") or re.match(r"[0-9]{5,}-", value):
        return UNHELD
    if kind == "timestamptz":
        moment = datetime.fromisoformat(value).astimezone(UTC)
        return f"'{moment:%Y-%m-%d %H:%M:%S.%f}'" if moment.timestamp() else UNHELD  # its zero is no moment
    if kind == "bytea":
        return f"X'{value[2:]}'"
    if kind == "boolean":
        return str(int(value == "t"))
    return f"{float(value):.17e}" if kind == "double" else f"CONVERT(X'{value.encode().hex()}' USING utf8mb4)"
