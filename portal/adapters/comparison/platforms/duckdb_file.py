"""A platform in one DuckDB file."""

from collections.abc import Collection

import duckdb

from core.ports import Rejected
from portal.adapters.comparison.platforms import typed_files
from portal.adapters.comparison.platforms.base import Asking
from portal.adapters.comparison.quoting import name, text


class DuckdbFile(typed_files.Typed):
    """Attached read-only; while it is, no other process can open the file for writing."""

    form = "a DuckDB file that this version reads"

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the file."""
        self.begin("")
        with self.speaking():
            connection.execute(f"ATTACH {text(str(self.path))} AS {name(self.name)} (TYPE duckdb, READ_ONLY)")

    def begin(self, table: str) -> None:
        """Take note of the file."""
        self.watch.begin(self.path, ".wal")

    def describe(self, session: Asking, table: str) -> dict[str, str]:
        """Return the columns of a table or view."""
        schema, _, plain = table.rpartition(".")
        found = session.rows(
            f"SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = {text(self.name)} AND "
            f"schema_name = {text(schema or 'main')} AND table_name = {text(plain)}"
        )
        if not found:
            raise Rejected(f"The {self.name} platform's {self.path.name} has no table {table}.")
        return dict(found)

    def relation(self, table: str, columns: Collection[str] = ()) -> str:
        """Return the table."""
        schema, _, plain = table.rpartition(".")
        return f"{name(self.name)}.{name(schema or 'main')}.{name(plain)}"

    def trouble(self, said: str) -> str:
        """Tell a file that is being written from one that is none."""
        if "lock" in said.lower():
            return "another process has it open for writing. Let that end, then try again."
        return super().trouble(said)
