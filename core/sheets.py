"""Tables for a spreadsheet: CSV with its formulas defused, streamed; XLSX in which no text can be a formula."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import batched, chain, islice
from typing import Any

from defusedcsv import csv
from django.http import HttpResponse, StreamingHttpResponse
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

type Sheet = tuple[str, Sequence[str], Iterable[Sequence[object]]]
"""A sheet's name, its heading and its rows."""

_BOM = "\ufeff"
"""So that spreadsheets read UTF-8."""
_LINES_AT_ONCE = 200
_NARROWEST, _WIDEST = 10, 60
_MEASURED = 1000
"""Rows by which the columns' widths are chosen; the others are not looked at before they are written."""
_LONGEST_CELL = 32_767
"""Characters that a cell of a workbook can hold."""
_EXACT = 2**53
"""Spreadsheets calculate in floating point; a larger whole number is written as text, so that none of it is lost."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def csv_response(*, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Return a download called `name` with a heading and a line for each row, which are read while it is sent."""
    response = StreamingHttpResponse(_text(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def xlsx_response(*, name: str, sheets: Iterable[Sheet], at: datetime) -> HttpResponse:
    """Return a download called `name`, as `workbook` makes it."""
    response = HttpResponse(workbook(sheets, at=at), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def workbook(sheets: Iterable[Sheet], *, at: datetime) -> bytes:
    """Return sheets as XLSX, made at `at`. Whole numbers are numbers; everything else is text, and only text.

    Rows are read once, while they are written.
    What no document can hold becomes `�`, what is longer than a cell is cut off with `…`.
    """
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = at.astimezone(UTC).replace(tzinfo=None)
    book.properties.creator = "Crossing"
    for title, header, rows in sheets:
        sheet: Any = book.create_sheet(title)  # its declared type lacks the columns
        sheet.freeze_panes = "A2"
        rest = iter(rows)
        first = list(islice(rest, _MEASURED))
        for number, width in enumerate(_widths(header, first), start=1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.append([_cell(sheet, name, bold=True) for name in header])
        for row in chain(first, rest):
            sheet.append([_cell(sheet, value) for value in row])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _cell(sheet: Any, value: object, *, bold: bool = False) -> Cell:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT:
        return WriteOnlyCell(sheet, value)
    cell = WriteOnlyCell(sheet, _written(value))
    cell.data_type = "s"  # also what begins with "=": said to be text, it is never calculated
    if bold:
        cell.font = Font(bold=True)
    return cell


def _written(value: object) -> str:
    text = _NOT_IN_XML.sub("�", "" if value is None else str(value))
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


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
