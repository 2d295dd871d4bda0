"""Tables for a spreadsheet: CSV with its formulas defused, and XLSX in which no text can be a formula."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import batched, chain, islice
from typing import Any
from xml.sax.saxutils import escape

from defusedcsv import csv
from django.http import StreamingHttpResponse

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

type Sheet = tuple[str, Sequence[str], Iterable[Sequence[object]]]
"""A sheet's name, its heading and its rows."""

_BOM = "\ufeff"
"""So that spreadsheets read UTF-8."""
_LINES_AT_ONCE = 200
_ROWS_AT_ONCE = 500
_NARROWEST, _WIDEST = 10, 60
_MEASURED = 1000
"""Rows by which the columns' widths are chosen; the others are not looked at before they are written."""
_LONGEST_CELL = 32_767
"""Characters that a cell of a workbook can hold."""
_EXACT = 2**53
"""Spreadsheets calculate in floating point; a larger whole number is written as text, so that none of it is lost."""
_MOST_ROWS = 1_048_576 - 1
"""Rows that a sheet can hold below its heading."""
_LONGEST_TITLE = 31
_SHEETS = "xl/worksheets/sheet"
_NAMING_SHEETS = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml")
_RETURN = {"\r": "&#13;"}
"""What a reader of XML would take for the end of a line."""
_LIKE_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What begins a character by its number (ST_Xstring, ECMA-376 part 1, 22.9.2.19): a reader shows `_x003D_` as `=`."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def csv_response(*, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Return a download called `name` with a heading and a line for each row, which are read while it is sent."""
    response = StreamingHttpResponse(_text(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def xlsx_response(*, name: str, sheets: Iterable[Sheet], at: datetime) -> StreamingHttpResponse:
    """Return a download called `name`, as `workbook` makes it; rows are read while it is sent."""
    response = StreamingHttpResponse(workbook(sheets, at=at), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def workbook(sheets: Iterable[Sheet], *, at: datetime) -> Iterator[bytes]:
    """Return sheets as XLSX, made at `at`, in pieces. Whole numbers are numbers; everything else is only text.

    Rows are read once, while they are written, and no more than some hundred are in memory. What no document can hold
    becomes `�`, what is longer than a cell is cut off with `…`, and rows that a sheet cannot hold go on in another one
    with the same heading, `People (2)` after `People`.
    """
    drafts = []
    for title, header, rows in sheets:
        more = iter(rows)
        first = list(islice(more, _MEASURED))
        drafts.append(_Draft(title, header, _widths(header, first), chain(first, more)))
    return _filled(drafts, at=at)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A sheet, and the rows that are to be written into it."""

    title: str
    header: Sequence[str]
    widths: Sequence[int]
    rows: Iterator[Sequence[object]]

    def parts(self) -> Iterator["_Draft"]:
        """Yield as many sheets as the rows need, at least one; the rows of each are to be taken before the next."""
        yield replace(self, rows=islice(self.rows, _MOST_ROWS))
        for number, row in enumerate(self.rows, start=2):
            mark = f" ({number})"
            title = self.title[: _LONGEST_TITLE - len(mark)] + mark
            yield replace(self, title=title, rows=chain([row], islice(self.rows, _MOST_ROWS - 1)))


def _filled(drafts: Sequence[_Draft], *, at: datetime) -> Iterator[bytes]:
    """Yield a workbook that has its headings only, with the rows of each sheet put in.

    openpyxl knows how a workbook is put together, but takes an object for each cell: rows are written here. How many
    sheets there are is known at the end, and so are the parts that name them.
    """
    frame, made, written = _frame(drafts, at=at), _Pieces(), []
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        for name in frame.namelist():
            if name not in _NAMING_SHEETS and not name.startswith(_SHEETS):
                book.writestr(name, frame.read(name))
        for number, draft in enumerate(drafts, start=1):
            before, end, after = frame.read(f"{_SHEETS}{number}.xml").partition(b"</sheetData>")
            for part in draft.parts():
                written.append(part)
                with book.open(f"{_SHEETS}{len(written)}.xml", "w") as sheet:
                    sheet.write(before)
                    for some in batched(enumerate(part.rows, start=2), _ROWS_AT_ONCE):
                        sheet.write("".join(_row(place, row) for place, row in some).encode())
                        yield made.taken()
                    sheet.write(end + after)
        whole = _frame(written, at=at)
        for name in _NAMING_SHEETS:
            book.writestr(name, whole.read(name))
    yield made.taken()


def _frame(drafts: Sequence[_Draft], *, at: datetime) -> zipfile.ZipFile:
    """Return a workbook with the heading of each sheet and no rows."""
    from openpyxl import Workbook  # here, and below: ten megabytes that most processes never need
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = at.astimezone(UTC).replace(tzinfo=None)
    book.properties.creator = "Crossing"
    for draft in drafts:
        sheet: Any = book.create_sheet(draft.title)  # its declared type lacks the columns
        sheet.freeze_panes = "A2"
        for number, width in enumerate(draft.widths, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.append([_heading(sheet, name) for name in draft.header])
    frame = io.BytesIO()
    book.save(frame)
    return zipfile.ZipFile(frame)


class _Pieces(io.RawIOBase):
    """Where a zip file is written to, to be taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _heading(sheet: Any, name: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, _spelt(_written(name)))
    cell.data_type, cell.font = "s", Font(bold=True)  # said to be text, it is never calculated
    return cell


def _row(number: int, row: Sequence[object]) -> str:
    cells = "".join(_cell(f"{_letter(column)}{number}", value) for column, value in enumerate(row, start=1))
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT:
        return f'<c r="{place}"><v>{value:d}</v></c>'
    text = _written(value)
    if not text:
        return ""
    # Said to be text, also what begins with "=" is never calculated.
    kept = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() or "\n" in text else ""
    return f'<c r="{place}" t="inlineStr"><is><t{kept}>{escape(_spelt(text), _RETURN)}</t></is></c>'


def _written(value: object) -> str:
    text = _NOT_IN_XML.sub("�", "" if value is None else str(value))
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _spelt(text: str) -> str:
    """Return a text as a cell holds it: what looks like an escaped character in it is escaped itself."""
    return _LIKE_ESCAPED.sub("_x005F_", text)


@cache
def _letter(column: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(column))


def _widths(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
    longest = [len(name) for name in header]
    for row in rows:
        longest = [max(one, len(str(value))) for one, value in zip(longest, row, strict=True)]
    return [min(max(length + 2, _NARROWEST), _WIDEST) for length in longest]


def _text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield _BOM + _lines([header])
    for some in batched(rows, _LINES_AT_ONCE):
        yield _lines(some)


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
