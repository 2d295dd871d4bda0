"""Names and literals in SQL, quoted; the same in PostgreSQL (standard_conforming_strings) and DuckDB."""


def quote(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a text literal."""
    return "'" + value.replace("'", "''") + "'"
