"""A platform in CSV files: one per table, `<folder>/<table>.csv`, with a header line, in UTF-8 (RFC 4180)."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from core.ports import Rejected
from portal.adapters.comparison.platforms import files, written
from portal.adapters.comparison.platforms.base import Asking
from portal.adapters.comparison.quoting import name, text

_OPTIONS = {"delimiter": ",", "null": ""}
_WIDTH = (
    "line {} has {} fields where the header names {}. Quote what holds the delimiter or a line break, write it anew"
)

_REMEMBERED = 256
_WELL_FORMED: dict[tuple[object, ...], None] = {}
"""Files that were read to their end, as they were then, and how they were read; the oldest goes first."""

csv.field_size_limit(2_000_000)  # as long as a line may be for the engine


class CsvFiles(written.Written):
    """Reads strictly: nothing is guessed, skipped, padded or repaired.

    `?delimiter=;` sets what stands between fields; `?null=NULL` the unquoted text that is NULL, which otherwise is
    nothing at all (a quoted empty text is an empty text).
    """

    ending = "csv"
    form = "CSV in UTF-8 with a header line, as the address says"

    def __post_init__(self) -> None:
        """Read the address."""
        super().__post_init__()
        self._headers: dict[str, list[str]] = {}
        given = files.options(self.name, self.url, known=_OPTIONS)
        self.delimiter, self.null = given["delimiter"], given["null"]
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n' or set(self.null) & {'"', self.delimiter, "\r", "\n"}:
            raise Rejected(
                f"The {self.name} platform's address needs a delimiter of one character that is no quote, and a NULL "
                "text without it; correct it in the settings."
            )

    @property
    def folder(self) -> str:
        """The folder of the files."""
        return str(self.path)

    def begin(self, table: str) -> None:
        """Take note of a table's file."""
        self.watch.begin(self._file(table))

    def describe(self, session: Asking, table: str) -> dict[str, str]:
        """Return the header's columns, every one of them text, once the whole file is known to be well-formed.

        The engine would drop a last record whose quote does not end, and an empty field too many. A file that this
        process has found to be well-formed is not looked through again as long as it is the same.
        """
        columns, file = self._header(table), self._file(table)
        known = (str(file), self.watch.look(file), self.delimiter, self.null)
        if known not in _WELL_FORMED:
            self._demand_whole(session, table)
            _WELL_FORMED[known] = None
            while len(_WELL_FORMED) > _REMEMBERED:
                _WELL_FORMED.pop(next(iter(_WELL_FORMED)), None)
        return dict.fromkeys(columns, "text")

    def _demand_whole(self, session: Asking, table: str) -> None:
        count, file = self._count(table), self._file(table).name
        ((found,),) = session.rows(f"SELECT count(*) FROM {self.relation(table)}")
        if found != count:
            raise Rejected(
                f"The {self.name} platform's {file} has {count} records, of which the engine sees {found}. "
                "Write it anew with every text in quotes and try again."
            )

    def relation(self, table: str, columns: Collection[str] = ()) -> str:
        """Return the file's rows."""
        declared = ", ".join(f"{text(column)}: 'VARCHAR'" for column in self._header(table))
        settings = {
            "columns": f"{{{declared}}}",
            "header": "true",
            "auto_detect": "false",
            "delim": text(self.delimiter),
            "quote": "'\"'",
            "escape": "'\"'",
            "nullstr": text(self.null),
            "allow_quoted_nulls": "false",
            "strict_mode": "true",
            "null_padding": "false",
            "ignore_errors": "false",
            "hive_partitioning": "false",
            # Quoted line breaks are found by reading from the beginning.
            "parallel": "false",
        }
        given = ", ".join(f"{key} = {value}" for key, value in settings.items())
        return f"read_csv({text(str(self._file(table)))}, {given})"

    def shown(self, column: str, declared: str) -> str:
        """Return the text as it is."""
        return name(column)

    def _file(self, table: str) -> Path:
        return files.of_table(self.path, table, self.ending)

    def _header(self, table: str) -> list[str]:
        if table not in self._headers:
            names = next(self._records(table), [])
            if not names or not all(names) or len({one.lower() for one in names}) < len(names):
                raise Rejected(
                    f"The {self.name} platform's {self._file(table).name} has no header line that names every column, "
                    "and each once. Write it with one and try again."
                )
            self._headers[table] = names
        return self._headers[table]

    def _count(self, table: str) -> int:
        """Count a file's records behind its header; raises Rejected where one is not as wide as that."""
        return sum(1 for _ in self._records(table)) - 1

    def _records(self, table: str) -> Iterator[list[str]]:
        path, line = self._file(table), 0
        self.begin(table)
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader, width = csv.reader(file, delimiter=self.delimiter, strict=True), 0
                for record in reader:
                    line, width = reader.line_num, width or len(record)
                    if len(record) != width:
                        raise self._refusal(path, _WIDTH.format(line, len(record), width))
                    yield record
        except UnicodeDecodeError:
            raise self._refusal(path, f"what follows line {line} is not UTF-8. Write it in UTF-8") from None
        except csv.Error:
            raise self._refusal(
                path, f"line {line + 1} has a quote that does not end, or text behind one. Write it anew"
            ) from None

    def _refusal(self, path: Path, why: str) -> Rejected:
        return Rejected(f"The {self.name} platform's {path.name} cannot be read: {why} and try again.")
