"""A platform in one SQLite file, whose values have a type each, whatever their column declares."""

from collections.abc import Collection
from pathlib import Path

import duckdb

from core.ports import Rejected
from parity_reports.domain.gate import Family
from portal.adapters.comparison import texts
from portal.adapters.comparison.extensions import scanner
from portal.adapters.comparison.platforms import written
from portal.adapters.comparison.platforms.base import Asking
from portal.adapters.comparison.quoting import name, text

_REAL = "'%!.20g'"
"""More digits than a double has, so that reading them gives the same double again."""


class SqliteFile(written.Written):
    """Attached read-only, inside one transaction of SQLite's.

    Each value arrives as text beside its storage class (`<column>?`): the scanner's own reading would convert texts
    to dates by convention and numbers to doubles.
    """

    form = "a SQLite file"

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the file."""
        self.begin("")
        if _is_cut(self.path):
            raise Rejected(
                f"The {self.name} platform's {self.path.name} is shorter than it says itself. Copy it anew and compare "
                "again."
            )
        connection.execute(f"LOAD {text(str(scanner('sqlite')))}")
        with self.speaking():
            connection.execute(f"ATTACH {text(str(self.path))} AS {name(self.name)} (TYPE sqlite, READ_ONLY)")

    def begin(self, table: str) -> None:
        """Take note of the file."""
        self.watch.begin(self.path, "-wal", "-journal")

    def describe(self, session: Asking, table: str) -> dict[str, str]:
        """Return the columns of a table or view; what they declare says nothing about their values."""
        ((encoding,),) = session.rows(f"FROM {self._query('PRAGMA encoding')}")
        if encoding != "UTF-8":
            raise Rejected(f"The {self.name} platform's {self.path.name} is in {encoding}; write it anew in UTF-8.")
        found = session.rows(f"FROM {self._query(f'SELECT name FROM pragma_table_info({text(_plain(table))})')}")
        if not found:
            raise Rejected(f"The {self.name} platform's {self.path.name} has no table {_plain(table)}.")
        return dict.fromkeys((str(row[0]) for row in found), "")

    def relation(self, table: str, columns: Collection[str] = ()) -> str:
        """Return the rows: each column as text, and its storage class."""
        parts = []
        for column in columns:
            quoted = name(column)
            parts.append(
                f"CASE typeof({quoted}) WHEN 'real' THEN printf({_REAL}, {quoted}) "
                f"WHEN 'blob' THEN '\\x' || lower(hex({quoted})) ELSE CAST({quoted} AS TEXT) END AS {quoted}, "
                f"typeof({quoted}) AS {name(column + '?')}"
            )
        return self._query(f"SELECT {', '.join(parts)} FROM {name(_plain(table))}")

    def shown(self, column: str, declared: str) -> str:
        """Return the text of a value, a real number's as PostgreSQL would show it."""
        quoted, stored = name(column), name(column + "?")
        # Nothing promises that a text in the file is UTF-8: what is not is an error here.
        return (
            f"CASE {stored} WHEN 'real' THEN {texts.shown_float(f'{quoted}::DOUBLE')} ELSE decode(encode({quoted})) END"
        )

    def spoken(self, session: Asking, table: str, column: str, family: Family) -> str:
        """Return a value's text, if its storage class can hold one of this family at all."""
        return f"CASE WHEN {_fits(column, family)} THEN {super().spoken(session, table, column, family)} END"

    def foreign(self, column: str, family: Family) -> str:
        """Return the mark of bytes where none are wanted, and of what is none where they are."""
        stored = name(column + "?")
        return (
            f"CASE WHEN {stored} <> 'null' AND NOT ({_fits(column, family)}) THEN {texts.unreadable(name(column))} END"
        )

    def trouble(self, said: str) -> str:
        """Tell a file that is being written from one that is none."""
        if "locked" in said.lower() or "busy" in said.lower():
            return "another process is writing it. Let that end, then try again."
        if "utf" in said.lower() or "decode" in said.lower():
            return "a text in it is not UTF-8. Correct it and try again."
        return super().trouble(said)

    def _query(self, query: str) -> str:
        return f"sqlite_query({text(self.name)}, {text(query)})"


def _fits(column: str, family: Family) -> str:
    return f"{name(column + '?')} {'=' if family is Family.BYTES else '<>'} 'blob'"


def _is_cut(path: Path) -> bool:
    """Whether a file has fewer pages than its header counts: SQLite would read what lacks as zeros."""
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        return False  # it is something else, which is for SQLite to say
    size = int.from_bytes(head[16:18])
    counted = int.from_bytes(head[28:32]) if head[24:28] == head[92:96] else 0
    return path.stat().st_size < counted * (65536 if size == 1 else size)


def _plain(table: str) -> str:
    """Return a table's name without its schema: SQLite has none."""
    return table.rpartition(".")[2]
