"""The key of a source row: one column, or several that are written as one text.

A key of several columns is its parts with `/` between them (`ruthba01/1920/1`); in a part, `%` and `/` are written
`%25` and `%2F`. So no two keys have one text, and people can read and type one. Rows are read in the order of the
columns themselves, numbers as numbers and text by its bytes, which an index of legacy's can serve.
"""

import re
from collections.abc import Mapping
from datetime import date

from backfills.domain.quoting import text
from backfills.domain.spec import Spec
from backfills.domain.sql import Dialect

SEPARATOR = "/"
_ESCAPED = (("%", "%25"), (SEPARATOR, "%2F"))
_SHAPES = {
    "bigint": r"-?[0-9]{1,19}",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
_LARGEST = 2**63 - 1


def written(spec: Spec, row: Mapping[str, str | None]) -> str | None:
    """Return the key of a row given as text; None where a part of it is empty."""
    parts = [row[column] for column, _ in spec.key_parts]
    if any(part is None for part in parts):
        return None
    return SEPARATOR.join(map(_escaped, map(str, parts))) if spec.key_is_made else parts[0]


def parts(spec: Spec, key: str) -> tuple[str, ...] | None:
    """Return the values of the key's columns; None for a text that cannot be a key of the entity."""
    found = [_plain(part) for part in key.split(SEPARATOR)] if spec.key_is_made else [key]
    if len(found) != len(spec.key_parts):
        return None
    fit = all(_fits(part, kind) for part, (_, kind) in zip(found, spec.key_parts, strict=True))
    return tuple(found) if fit else None


def rank(spec: Spec, key: str) -> tuple[int | bytes, ...]:
    """Return what puts keys into the order in which rows are read, in Python."""
    found = parts(spec, key) or ()
    kinds = [kind for _, kind in spec.key_parts]
    return tuple(int(part) if kind == "bigint" else part.encode() for part, kind in zip(found, kinds, strict=True))


def order(spec: Spec, key: str, dialect: Dialect) -> str:
    """Return the ORDER BY of that order, given SQL for a key's text."""
    terms = [key]
    if spec.key_is_made:
        terms = [f"split_part({key}, {text(SEPARATOR)}, {number})" for number, _ in enumerate(spec.key_parts, start=1)]
        for plain, escaped in reversed(_ESCAPED):
            terms = [f"replace({term}, {text(escaped)}, {text(plain)})" for term in terms]
    postgres = dialect is Dialect.POSTGRES
    bytewise = ' COLLATE "C"' if postgres else ""
    kinds = [kind for _, kind in spec.key_parts]
    return ", ".join(
        (f"{term}::bigint" if postgres else f"TRY_CAST({term} AS HUGEINT)") if kind == "bigint" else f"{term}{bytewise}"
        for term, kind in zip(terms, kinds, strict=True)
    )


def made(spec: Spec, parts: Mapping[str, str]) -> str:
    """Return SQL for the key's text, given SQL for the text of each of its columns; NULL where one is."""
    if not spec.key_is_made:
        return parts[spec.key_column]
    terms = []
    for column, kind in spec.key_parts:
        term = parts[column]
        for plain, escaped in _ESCAPED if kind == "text" else ():
            term = f"replace({term}, {text(plain)}, {text(escaped)})"
        terms.append(term)
    return f" || {text(SEPARATOR)} || ".join(terms)


def digest(key: str) -> str:
    """Return PostgreSQL's SQL for the digest of a key's text as `core.moving.SourceKeys` counts it."""
    return f"('x' || left(md5(convert_to({key}, 'UTF8')), 15))::bit(60)::bigint"


def misshapen(spec: Spec, parts: Mapping[str, str]) -> str:
    """Return DuckDB's SQL of whether a key is no key of the entity (`parts`), given SQL for its columns' texts."""
    tests = []
    for column, kind in spec.key_parts:
        value = parts[column]
        if kind == "text":
            continue
        fits = f"regexp_full_match({value}, {text(_SHAPES[kind])})"
        if kind == "bigint":
            fits += f" AND TRY_CAST({value} AS HUGEINT) BETWEEN -{_LARGEST} AND {_LARGEST}"
        if kind == "date":
            fits += f" AND TRY_CAST({value} AS DATE) >= DATE '0001-01-01'"
        tests.append(f"NOT ({fits})")
    return " OR ".join(tests) or "FALSE"


def missing(spec: Spec, rows: int) -> str:
    """Say why nothing moves of an entity in which so many rows have no key, and what to do."""
    return (
        f"{rows:,} rows of {spec.source_table} in legacy have no {_named(spec, 'or')}: a row without its key cannot"
        " be accounted for. Give them one, or leave them out in a view that the mapping reads."
    )


def unreadable(spec: Spec, rows: int) -> str:
    """Say why nothing moves of an entity in which so many rows have a key that is none of its type."""
    kinds = " and ".join(kind for _, kind in spec.key_parts)
    return (
        f"In {rows:,} rows of {spec.source_table} in legacy {_named(spec, 'or')} is no {kinds}, as the mapping says: a"
        " whole number in figures, a uuid in small letters, a date as 2024-01-31. Correct them, or declare text."
    )


def not_unique(spec: Spec) -> str:
    """Say why nothing moves of an entity in which two rows have one key, and what to do."""
    return (
        f"Several rows of {spec.source_table} in legacy have one {_named(spec, 'and')}: rows without a key of their own"
        " cannot be told apart, so nothing of them moves. The mapping must name a key that stands once (`of:` takes"
        " several columns), or read a view that has one."
    )


def _named(spec: Spec, joined: str) -> str:
    return f" {joined} ".join(spec.source_names.get(column, column) for column, _ in spec.key_parts)


def _escaped(part: str) -> str:
    for plain, escaped in _ESCAPED:
        part = part.replace(plain, escaped)
    return part


def _plain(part: str) -> str:
    for plain, escaped in reversed(_ESCAPED):
        part = part.replace(escaped, plain)
    return part


def _fits(part: str, kind: str) -> bool:
    if kind == "text":
        return True
    if not re.fullmatch(_SHAPES[kind], part):
        return False
    if kind == "bigint":
        return abs(int(part)) <= _LARGEST
    return kind != "date" or _is_day(part)


def _is_day(part: str) -> bool:
    try:
        return bool(date.fromisoformat(part))
    except ValueError:
        return False
