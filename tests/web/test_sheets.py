"""Workbooks as a spreadsheet reads them: whatever text there is, and any number of rows."""

import io
from datetime import UTC, datetime

import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from core import sheets as made
from core.sheets import workbook

AT = datetime(2026, 11, 26, 9, tzinfo=UTC)


def sheets(body):
    return {sheet.title: [list(row) for row in sheet.iter_rows()] for sheet in load_workbook(io.BytesIO(body))}


def shown(cell):
    """A cell's text as a spreadsheet shows it: openpyxl leaves escaped characters as they are."""
    return unescape(cell.value)


def test_a_workbook_takes_whatever_text_there_is():
    hostile = ["=1+1", "+1", "@x", "a\x00\x0b\ud800b", "y" * 40_000, 2**60, True, None, -7, ' <&">\r\n]]>', "\t"]
    body = b"".join(workbook([("Odd", ("value",), [(one,) for one in hostile])], at=AT))
    (header, *rows) = sheets(body)["Odd"]
    assert (header[0].value, header[0].font.b) == ("value", True)
    values = [row[0].value for row in rows]
    assert values[:3] == ["=1+1", "+1", "@x"]
    assert values[3] == "a���b"
    assert (len(values[4]), values[4][-1]) == (32_767, "…")
    assert values[5:] == [str(2**60), "True", None, -7, ' <&">\r\n]]>', "\t"]
    assert [row[0].data_type for row in rows[:3]] == ["s"] * 3


def test_a_workbook_is_sent_while_its_rows_are_read():
    read = []
    rows = ((read.append(number) or number, "", f"row {number}") for number in range(5000))
    few = [("x",)]
    pieces = workbook([("Few", ("a",), few), ("Many", ("a", "b", "c"), rows)], at=AT)
    body = next(pieces) + next(pieces)
    assert 0 < len(read) < 3000
    found = sheets(body + b"".join(pieces))
    assert [cell.value for cell in found["Few"][1]] == ["x"]
    assert [[cell.value for cell in row] for row in found["Many"][1:]] == [[n, None, f"row {n}"] for n in range(5000)]


@pytest.mark.parametrize(
    "text",
    [
        "_x003D_1+1", "_x000A_", "_x003D_x003D_", "__x003d__", "a_x005F_b", "_x005F_x003D_", "_x_", "_x00_", "_x003D",
        "x003D_", "_X003D_", "_x00GG_", "snake_xbeef_case",
    ],
)  # fmt: skip
def test_text_that_looks_like_an_escaped_character_is_shown_as_it_is(text):
    (header, row) = sheets(b"".join(workbook([("Odd", (text,), [(text,)])], at=AT)))["Odd"]
    assert [shown(header[0]), shown(row[0])] == [text, text]


def test_a_long_text_is_cut_off_by_what_is_shown_of_it():
    (_, row) = sheets(b"".join(workbook([("Odd", ("a",), [("_x003D_" * 5000,)])], at=AT)))["Odd"]
    assert shown(row[0]) == ("_x003D_" * 5000)[:32_766] + "…"


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 6, 7])
def test_rows_that_a_sheet_cannot_hold_go_on_in_another_one(monkeypatch, rows):
    monkeypatch.setattr(made, "_MOST_ROWS", 3)
    given = [("First", ("n", "text"), [(n, f"row {n}") for n in range(rows)]), ("Last", ("x",), [("y",)])]
    found = sheets(b"".join(workbook(given, at=AT)))
    parts = max(1, -(-rows // 3))
    assert list(found) == [*("First", "First (2)", "First (3)")[:parts], "Last"]
    told = [[[cell.value for cell in row] for row in sheet] for sheet in found.values()]
    assert [sheet[0] for sheet in told] == [["n", "text"]] * parts + [["x"]]
    assert [row for sheet in told[:-1] for row in sheet[1:]] == [[n, f"row {n}"] for n in range(rows)]
    assert told[-1][1:] == [["y"]]
    assert all(len(sheet) <= 4 for sheet in told)


def test_the_name_of_another_sheet_is_short_enough_too(monkeypatch):
    monkeypatch.setattr(made, "_MOST_ROWS", 1)
    assert list(sheets(b"".join(workbook([("x" * 31, ("n",), [(1,), (2,)])], at=AT)))) == ["x" * 31, "x" * 27 + " (2)"]


def test_a_sheet_holds_as_many_rows_as_the_format_allows():
    assert made._MOST_ROWS + 1 == 2**20
