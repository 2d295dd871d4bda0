"""The platforms that can be read, compared and moved from, each by the scheme of its address."""

from core.ports import Rejected
from portal.adapters.comparison.platforms.base import Keys, Platform, Rows, Sources
from portal.adapters.comparison.platforms.csv_files import CsvFiles
from portal.adapters.comparison.platforms.duckdb_file import DuckdbFile
from portal.adapters.comparison.platforms.mysql import MySql
from portal.adapters.comparison.platforms.parquet_files import ParquetFiles
from portal.adapters.comparison.platforms.postgres import Postgres
from portal.adapters.comparison.platforms.sqlite_file import SqliteFile
from portal.adapters.postgres import is_postgres, scheme

__all__ = ["Keys", "Platform", "Rows", "Sources", "platform"]

_FILES = {"sqlite": SqliteFile, "duckdb": DuckdbFile, "parquet": ParquetFiles, "csv": CsvFiles}
_OTHERS = {**_FILES, "mysql": MySql, "mariadb": MySql}


def platform(url: str, *, name: str) -> Platform:
    """Return a platform by its address; it is attached later, and belongs to one session."""
    if found := _OTHERS.get(scheme(url)):
        return found(name, url)
    if is_postgres(url):
        return Postgres(name, url)
    known = ", ".join(f"{one}://" for one in ("postgres", *_OTHERS))
    raise Rejected(f"The {name} platform's address begins with none of {known}; correct it in the settings.")
