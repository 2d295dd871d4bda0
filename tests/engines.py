"""Files of every engine that a comparison reads, written as a test needs them."""

import csv
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

FILES = ("sqlite", "duckdb", "parquet", "csv")

type Table = tuple[Mapping[str, str], Sequence[Mapping[str, Any]]]
"""Columns with their DuckDB types, and rows of Python values."""


def write(engine: str, folder: Path, tables: Mapping[str, Table]) -> str:
    """Write tables and return the address of the platform that they are."""
    folder.mkdir(parents=True, exist_ok=True)
    if engine == "sqlite":
        return _sqlite(folder / "platform.sqlite", tables)
    if engine == "duckdb":
        return _duckdb(folder / "platform.duckdb", tables)
    if engine == "parquet":
        for table, (types, rows) in tables.items():
            with duckdb.connect() as connection:
                _fill(connection, "t", types, rows)
                connection.execute(f"COPY t TO '{folder / table}.parquet' (FORMAT parquet)")
        return f"parquet://{folder}"
    for table, (types, rows) in tables.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            write_csv(file, list(types), rows)
    return f"csv://{folder}"


def write_csv(file: Any, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write CSV as PostgreSQL's COPY does: NULL is nothing, an empty text is quoted."""
    written = csv.writer(file, quoting=csv.QUOTE_NOTNULL, lineterminator="\n")
    written.writerow(columns)
    for row in rows:
        written.writerow([shown(row.get(column)) for column in columns])


def shown(value: Any) -> str | None:
    """Return a value as PostgreSQL would export it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return str(value)


def _duckdb(path: Path, tables: Mapping[str, Table]) -> str:
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, (types, rows) in tables.items():
            schema, _, _ = table.rpartition(".")
            if schema:
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            _fill(connection, table, types, rows)
    return f"duckdb://{path}"


def _fill(connection: Any, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
    connection.execute(f"CREATE TABLE {table} ({columns})")
    marks = ", ".join("?" for _ in types)
    for row in rows:
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", [row.get(column) for column in types])


def _sqlite(path: Path, tables: Mapping[str, Table]) -> str:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        for table, (types, rows) in tables.items():
            plain = table.rpartition(".")[2]
            columns = ", ".join(f'"{column}"' for column in types)
            connection.execute(f"CREATE TABLE {plain} ({columns})")
            marks = ", ".join("?" for _ in types)
            connection.executemany(
                f"INSERT INTO {plain} VALUES ({marks})",
                [[stored(row.get(column)) for column in types] for row in rows],
            )
    connection.close()
    return f"sqlite://{path}"


def stored(value: Any) -> Any:
    """Return a value as people keep it in SQLite: booleans as 0 and 1, moments and decimals as text."""
    if isinstance(value, Decimal | datetime | date):
        return str(value)
    return value
