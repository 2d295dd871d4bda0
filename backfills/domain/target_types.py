"""The types of columns of the new platform, and which kinds of expressions fill them."""

import re
from collections.abc import Mapping

from backfills.domain.language import Type

TARGET_TYPES: Mapping[str, frozenset[Type]] = {
    "smallint": frozenset({Type.INT}),
    "integer": frozenset({Type.INT}),
    "bigint": frozenset({Type.INT}),
    "numeric": frozenset({Type.INT, Type.DECIMAL}),
    "boolean": frozenset({Type.BOOL}),
    "date": frozenset({Type.DATE}),
    "timestamptz": frozenset({Type.INSTANT}),
    "text": frozenset({Type.TEXT}),
    "enum": frozenset({Type.TEXT}),
}


def numeric_of(kind: str) -> tuple[int, int] | None:
    """Return precision and scale of `numeric(p,s)`."""
    found = re.fullmatch(r"numeric\((\d+),(\d+)\)", kind)
    return (int(found[1]), int(found[2])) if found else None
