"""What the legacy platform's server is asked for an entity's rows, in PostgreSQL's SQL.

Every name and value is quoted here. Conditions and order stand on the native columns, so that an index serves them;
text is compared by its bytes, whatever the server's language.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from backfills.domain import keys
from backfills.domain.naming import Named, condition
from backfills.domain.quoting import quote, text
from backfills.domain.spec import Spec
from backfills.domain.sql import Dialect


def of_tenant(spec: Spec, ref: str) -> str:
    """Return FROM and WHERE of a tenant's rows; the table is `s` in whatever is added."""
    table = ".".join(map(quote, spec.source_table.split(".")))
    return f"FROM {table} AS s WHERE s.{quote(spec.source_tenant)} = {text(ref)}"


def selected(spec: Spec) -> str:
    """Return the columns of the spec in its order, each as text; a key that is made of several is one of them."""
    read = {name: f"{_column(spec, name)}::text" for name in spec.source_columns if name != spec.key_column}
    return ", ".join(
        f"{key(spec) if name == spec.key_column else read[name]} AS {quote(name)}" for name in spec.source_columns
    )


def key(spec: Spec) -> str:
    """Return the key's text."""
    return keys.made(spec, {column: f"{_column(spec, column)}::text" for column, _ in spec.key_parts})


def keyless(spec: Spec) -> str:
    """Return the condition that a row lacks a key, or a part of it."""
    return " OR ".join(f"{_column(spec, column)} IS NULL" for column, _ in spec.key_parts)


def order(spec: Spec) -> str:
    """Return the ORDER BY of the order in which rows are read."""
    return ", ".join(native(spec))


def native(spec: Spec) -> list[str]:
    """Return the key's columns as the server compares them: text by its bytes."""
    return [_column(spec, column) + (' COLLATE "C"' if kind == "text" else "") for column, kind in spec.key_parts]


def bounded(spec: Spec, sign: str, border: str) -> str:
    """Return the condition that a row's key stands so (`>` or `<=`) to another; FALSE where that cannot be a key."""
    values = _values(spec, border)
    return f"({', '.join(native(spec))}) {sign} ({', '.join(values)})" if values else "FALSE"


def changed(spec: Spec, since: datetime) -> str:
    """Return the condition that a row changed since a moment; one that does not tell is taken for changed."""
    if spec.changed is None:
        raise ValueError(f"{spec.entity} does not declare when a row changed")
    column, moment = f"s.{quote(spec.changed.column)}", since.astimezone(UTC)
    if spec.changed.type == "timestamp":
        moment = moment.replace(tzinfo=None)
    return f"({column} >= {text(moment.isoformat())}::{spec.changed.type} OR {column} IS NULL)"


def among(spec: Spec, wanted: Sequence[str]) -> str:
    """Return the condition that a row's key is one of these; what cannot be a key is none."""
    rows = [values for values in (_values(spec, one) for one in wanted) if values]
    if not rows:
        return "FALSE"
    columns = ", ".join(_column(spec, column) for column, _ in spec.key_parts)
    if not spec.key_is_made:
        return f"{columns} IN ({', '.join(value for (value,) in rows)})"
    return f"({columns}) IN (VALUES {', '.join(f'({", ".join(values)})' for values in rows)})"


def naming(spec: Spec, named: Named) -> str:
    """Return the condition that a row names one of these keys of other entities, by what the spec looks up."""
    columns = {name: f"{_column(spec, name)}::text" for name in spec.source_columns if name != spec.key_column}
    return condition(spec, named, dialect=Dialect.POSTGRES, columns={**columns, spec.key_column: key(spec)})


def _column(spec: Spec, name: str) -> str:
    return f"s.{quote(spec.source_names.get(name, name))}"


def _values(spec: Spec, wanted: str) -> list[str]:
    parts = keys.parts(spec, wanted) or ()
    kinds = [kind for _, kind in spec.key_parts][: len(parts)]
    return [
        str(int(part)) if kind == "bigint" else text(part) if kind == "text" else f"{text(part)}::{kind}"
        for part, kind in zip(parts, kinds, strict=True)
    ]
