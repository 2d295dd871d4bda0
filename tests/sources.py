"""Legacy platforms of every engine, filled and changed as a test needs them: an airline's tables, as texts."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.ports import LegacyPlatform
from portal.adapters.legacy import PostgresLegacy
from portal.adapters.legacy.engine import EngineLegacy
from tests import airline, engines
from tests.databases import Platforms
from tests.fakes.platforms import FakeLegacy
from tests.mariadb import MariaDb

type Row = Mapping[str, Any]

ENGINES = (*engines.FILES, "mariadb")
CHANGED = "upd_ts"
"""A column of every table here that tells when a row changed."""

_STATION = ("carr_cd", "stn_cd", "stn_nm", "lat_txt", "lon_txt", "elev_ft", "tz_nm", "dst_flg", CHANGED)
_PLANE = (*airline.PLANE, "cruise_spd", CHANGED)
_FLIGHT = ("carr_cd", "flt_seq", *(one for one in airline.FLIGHT if one != "carr_cd"), "org_nm", "dst_nm", CHANGED)
COLUMNS = {"stn_mast": _STATION, "eqp_mast": _PLANE, "flt_hist": _FLIGHT}
KEYS = {"stn_mast": "stn_cd", "eqp_mast": "tail_no", "flt_hist": "flt_seq"}
_WHOLE = {"flt_seq", "dep_dly", "arr_dly", "air_min", "dist_mi"}


class InMemory:
    """The fake's tables."""

    def __init__(self) -> None:
        self.legacy: LegacyPlatform = FakeLegacy()
        self.tables = FakeLegacy.tables

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """Put rows into a table."""
        plain = [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]
        self.tables.setdefault(table, []).extend(plain)
        self.written(table)

    def empty(self, table: str) -> None:
        """Take every row out of it."""
        self.tables[table] = []
        self.written(table)

    def change(self, table: str, key: str, values: Row) -> None:
        """Change one row."""
        for row in self.tables.get(table, []):
            if row[KEYS[table]] == key:
                row.update({name: None if value is None else str(value) for name, value in values.items()})
        self.written(table)

    def drop(self, table: str, key: str) -> None:
        """Take one row out."""
        self.tables[table] = [row for row in self.tables.get(table, []) if row[KEYS[table]] != key]
        self.written(table)

    def written(self, table: str) -> None:
        """Write a table that has changed."""


class InPostgres:
    """Tables in PostgreSQL."""

    def __init__(self, platforms: Platforms) -> None:
        self.platforms = platforms
        self.legacy: LegacyPlatform = PostgresLegacy(url=platforms.legacy_reader)

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """Put rows into a table."""
        airline.insert(self.platforms, table, rows)

    def empty(self, table: str) -> None:
        """Take every row out of it."""
        airline.legacy_do(self.platforms, f"DELETE FROM {table}")

    def change(self, table: str, key: str, values: Row) -> None:
        """Change one row."""
        sets = ", ".join(f"{name} = %s" for name in values)
        airline.legacy_do(self.platforms, f"UPDATE {table} SET {sets} WHERE {KEYS[table]} = %s", *values.values(), key)

    def drop(self, table: str, key: str) -> None:
        """Take one row out."""
        airline.legacy_do(self.platforms, f"DELETE FROM {table} WHERE {KEYS[table]} = %s", key)


class InFiles(InMemory):
    """Tables in files of one engine, written anew with every change."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.tables = {table: [] for table in COLUMNS}
        self.legacy = EngineLegacy(url=engines.write(engine, folder, self._content()), threads=1)

    def written(self, table: str) -> None:
        """Write every file anew, beside what is there, and put it in its place."""
        anew = self.folder.with_name("anew")
        engines.write(self.engine, anew, self._content())
        for file in anew.iterdir():
            file.replace(self.folder / file.name)
        shutil.rmtree(anew)

    def _content(self) -> dict[str, engines.Table]:
        return {
            table: (
                {column: "BIGINT" if column in _WHOLE and self.engine != "csv" else "VARCHAR" for column in columns},
                [{**row, **{one: int(row[one]) for one in _WHOLE & row.keys() if row[one] is not None}}
                 for row in self.tables[table]],
            )
            for table, columns in COLUMNS.items()
        }  # fmt: skip


class InMariaDb(InMemory):
    """Tables in a MariaDB, in a collation that is none of ours."""

    def __init__(self, server: MariaDb) -> None:
        self.server, self.tables = server, {table: [] for table in COLUMNS}
        for table, columns in COLUMNS.items():
            listed = ", ".join(f"`{one}` {_mariadb_type(table, one)}" for one in columns)
            server.run(
                f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({listed}, KEY (carr_cd, {KEYS[table]})) "
                "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;"
            )
        self.legacy = EngineLegacy(url=server.address, threads=1)

    def written(self, table: str) -> None:
        """Put every row in anew."""
        rows = ", ".join(
            f"({', '.join('NULL' if row.get(one) is None else _literal(row[one]) for one in COLUMNS[table])})"
            for row in self.tables[table]
        )
        put = f"INSERT INTO {table} VALUES {rows};" if rows else ""
        self.server.run(f"START TRANSACTION; DELETE FROM {table}; {put} COMMIT;")


def _mariadb_type(table: str, column: str) -> str:
    if column == CHANGED:
        return "timestamp(6) NULL"
    if column in _WHOLE:
        return "bigint"
    return "varchar(60)" if column in ("carr_cd", KEYS[table]) else "text"


def _literal(value: Any) -> str:
    found = str(value).removesuffix("+00:00")
    return f"_utf8mb4 X'{found.encode().hex()}'"


__all__ = ["CHANGED", "ENGINES", "InFiles", "InMariaDb", "InMemory", "InPostgres"]
