"""Rows of legacy as PostgreSQL's COPY writes them."""

from collections.abc import Mapping, Sequence

from backfills.domain import keys
from backfills.domain.spec import Spec
from core.moving import SourceRows

type Row = Mapping[str, str | None]
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def encode(spec: Spec, rows: Sequence[Row]) -> SourceRows:
    """Write rows in COPY text format."""
    lines = [
        "\t".join("\\N" if row[name] is None else str(row[name]).translate(ESCAPES) for name in spec.source_columns)
        for row in rows
    ]
    if not lines:
        return SourceRows()
    keys = [str(row[spec.key_column]) for row in rows]
    return SourceRows("".join(f"{line}\n" for line in lines).encode(), len(lines), keys[0], keys[-1])


def decode(spec: Spec, rows: SourceRows) -> list[dict[str, str | None]]:
    """Read rows in COPY text format."""
    back = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}

    def value(text: str) -> str | None:
        if text == "\\N":
            return None
        parts, index = [], 0
        while index < len(text):
            pair = text[index : index + 2]
            parts.append(back.get(pair, text[index]))
            index += 2 if pair in back else 1
        return "".join(parts)

    lines = rows.data.decode().split("\n")[:-1]
    return [dict(zip(spec.source_columns, map(value, line.split("\t")), strict=True)) for line in lines]


def rows_in_order(spec: Spec, table: Sequence[Row], tenant_ref: str) -> list[dict[str, str | None]]:
    """Return a tenant's rows of a table as the spec names their columns, in key order."""
    found = []
    for row in table:
        if row[spec.source_tenant] == tenant_ref:
            read = {name: row.get(spec.source_names.get(name, name)) for name in spec.source_columns}
            found.append({**read, spec.key_column: keys.written(spec, read)})
    return sorted(found, key=lambda row: keys.rank(spec, str(row[spec.key_column])))
