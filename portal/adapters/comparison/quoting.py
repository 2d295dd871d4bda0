"""Names and texts as SQL; the only way in which either gets into a statement of the comparison."""

from core.ports import Rejected


def text(value: str) -> str:
    """Quote a text literal; the same in DuckDB, PostgreSQL and SQLite."""
    if "\0" in value:
        raise Rejected("A text with a zero byte cannot be compared.")
    return "'" + value.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """Quote an identifier; a dotted one part by part."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in identifier.split("."))
