"""A platform in Parquet files: one per table, `<folder>/<table>.parquet`."""

from collections.abc import Collection
from pathlib import Path

from parity_reports.domain.file_gate import NotComparable
from parity_reports.domain.gate import Passage
from portal.adapters.comparison.platforms import files, typed_files
from portal.adapters.comparison.platforms.base import Asking
from portal.adapters.comparison.quoting import text

_INT96 = "INT96"
_NANOSECONDS = "NANOSECONDS"
_WIDE = "DECIMAL of more than 38 digits"
_WHY = {
    _INT96: "is an INT96 moment, of which the engine would drop the nanoseconds; write it as TIMESTAMP of microseconds",
    _NANOSECONDS: "counts nanoseconds, which the engine would drop; write it in microseconds",
    _WIDE: "is a decimal of more than 38 digits, which the engine would round; write it as text",
}


class ParquetFiles(typed_files.Typed):
    """Reads Parquet; a column whose values the engine would round is refused, by the file's own schema."""

    ending = "parquet"
    form = "Parquet"

    @property
    def folder(self) -> str:
        """The folder of the files."""
        return str(self.path)

    def begin(self, table: str) -> None:
        """Take note of a table's file."""
        self.watch.begin(self._file(table))

    def describe(self, session: Asking, table: str) -> dict[str, str]:
        """Return the columns with the engine's types, or with what is wrong with them."""
        self.begin(table)
        shown = dict(session.rows(f"SELECT column_name, column_type FROM (DESCRIBE FROM {self.relation(table)})"))
        schema = session.rows(
            "SELECT name, type, coalesce(logical_type, ''), coalesce(converted_type, '') "
            f"FROM parquet_schema({text(str(self._file(table)))}) WHERE num_children IS NULL"
        )
        for column, physical, logical, converted in schema:
            if column not in shown:
                continue  # inside a nested one, whose own type is refused
            if physical == _INT96:
                shown[column] = _INT96
            elif "NANOS=NanoSeconds" in logical and shown[column] not in ("TIMESTAMP_NS", "TIME_NS"):
                shown[column] = _NANOSECONDS
            elif "DECIMAL" in f"{converted} {logical}".upper() and not shown[column].startswith("DECIMAL"):
                shown[column] = _WIDE
        return shown

    def relation(self, table: str, columns: Collection[str] = ()) -> str:
        """Return the file's rows."""
        return (
            f"read_parquet({text(str(self._file(table)))}, hive_partitioning = false, union_by_name = false, "
            "binary_as_string = false)"
        )

    def shown(self, column: str, declared: str) -> str:
        """Return the SQL of a value as PostgreSQL would show it."""
        _refuse(declared)
        return super().shown(column, declared)

    def passage(self, declared: str, wanted: str) -> Passage:
        """Decide by the column's own type."""
        _refuse(declared)
        return super().passage(declared, wanted)

    def _file(self, table: str) -> Path:
        return files.of_table(self.path, table, self.ending)


def _refuse(declared: str) -> None:
    if why := _WHY.get(declared):
        raise NotComparable(why)
