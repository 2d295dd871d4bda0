"""Invariants of a mapping spec: what must hold of an entity's records on both platforms, declared beside their mapping.

Elsewhere in a spec an expression speaks of the source's columns, as text; in an invariant of the target's, typed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from backfills.domain.language import Node, Type, names_in, parse
from core.domain.declared import Lines, SpecError

if TYPE_CHECKING:
    from backfills.domain.spec import Column, Spec


class Must(StrEnum):
    """What an invariant asks."""

    COUNT = "count"
    """As many records that meet a condition on both platforms."""
    SUM = "sum"
    """The same sum of a number over all records, within a tolerance."""
    EVERY = "every"
    """Every value of a column is one of another entity's."""
    HOLDS = "holds"
    """A condition is true of every record; a record of which it cannot be told breaks it."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """One declared invariant. `says` is its name for customers; `line` is where the file declares it.

    `test` is the condition or the number; of `every`, `column` holds what must be in `entity`'s column `other` ('' is
    its key).
    """

    name: str
    says: str
    must: Must
    test: Node | None = None
    within: Decimal = Decimal(0)
    column: str = ""
    entity: str = ""
    other: str = ""
    line: int = 0

    @property
    def reads(self) -> frozenset[str]:
        """Return the target columns that it reads."""
        return names_in(self.test) if self.test is not None else frozenset({self.column})


TYPES: Mapping[str, Type] = {
    "smallint": Type.INT,
    "integer": Type.INT,
    "bigint": Type.INT,
    "numeric": Type.DECIMAL,
    "boolean": Type.BOOL,
    "date": Type.DATE,
    "timestamptz": Type.INSTANT,
    "text": Type.TEXT,
    "enum": Type.TEXT,
}
"""What a target column is in an invariant's expression."""

REFERRING = frozenset({Type.TEXT, Type.INT})
"""What a column that refers to another entity can be."""


def type_of(declared: str) -> Type:
    """Return what a column of a declared target type is in an expression."""
    return TYPES[declared.split("(", maxsplit=1)[0]]


def read(
    document: Mapping[str, Any], lines: Lines, *, columns: "Iterable[Column]", literals: Mapping[str, frozenset[str]]
) -> tuple[Invariant, ...]:
    """Return the invariants that a spec file declares over its target's columns; raises SpecError.

    Expressions may use the spec's tables and sets; of other entities' records they see nothing.
    """
    reader = _Reader(lines, _types(columns), {kind: literals[kind] for kind in ("table", "set")})
    found: dict[str, Invariant] = {}
    for index, item in enumerate(document.get("invariants", ())):
        one = reader.invariant(item, index)
        if one.name in found:
            raise SpecError(f"invariant {one.name}: another one has this name", line=one.line)
        found[one.name] = one
    return tuple(found.values())


def check_references(specs: "Mapping[str, Spec]") -> None:
    """Raise SpecError where an invariant refers to what no entity has; `specs` are all of a mapping by file."""
    types = {spec.entity: _types(spec.columns) for spec in specs.values()}
    keys = {spec.entity: spec.target_key for spec in specs.values()}
    for file, spec in specs.items():
        for one in spec.invariants:
            if one.must is not Must.EVERY:
                continue
            if one.entity not in types:
                raise SpecError(f"invariant {one.name}: no spec declares {one.entity!r}", line=one.line, file=file)
            other = one.other or keys[one.entity]
            if types[one.entity].get(other) is not types[spec.entity][one.column]:
                problem = f"{one.entity} has no {other!r} of the type of {one.column}"
                raise SpecError(f"invariant {one.name}: {problem}", line=one.line, file=file)


def _types(columns: "Iterable[Column]") -> dict[str, Type]:
    return {column.name: type_of(column.type) for column in columns}


@dataclass(frozen=True, slots=True)
class _Reader:
    lines: Lines
    types: Mapping[str, Type]
    literals: Mapping[str, frozenset[str]]

    def invariant(self, item: Mapping[str, Any], index: int) -> Invariant:
        name = item["name"]
        asked = [must for must in Must if must.value in item]
        if len(asked) != 1:
            raise self._error(name, "say one of count, sum, every, holds", index)
        (must,) = asked
        for part, owner in (("within", Must.SUM), ("has", Must.EVERY)):
            if part in item and must is not owner:
                raise self._error(name, f"`{part}` belongs to `{owner}`", index, part)
        line = self.lines.of("invariants", index)
        if must is Must.EVERY:
            column, entity, other = self._reference(item, index)
            return Invariant(name, item["says"], must, column=column, entity=entity, other=other, line=line)
        node = self._parse(item[must.value], name, index, must.value)
        wanted = {Type.INT, Type.DECIMAL} if must is Must.SUM else {Type.BOOL}
        if node.type not in wanted:
            words = "a number" if must is Must.SUM else "a condition"
            raise self._error(name, f"`{must}` is {node.type}, not {words}", index, must.value)
        return Invariant(name, item["says"], must, node, Decimal(str(item.get("within", 0))), line=line)

    def _parse(self, text: str, name: str, *path: str | int) -> Node:
        try:
            return parse(text, names=self.types, literals=self.literals)
        except SpecError as error:
            raise self._error(name, error.message, *path) from error

    def _reference(self, item: Mapping[str, Any], index: int) -> tuple[str, str, str]:
        name, column = item["name"], item["every"]
        if column not in self.types:
            raise self._error(name, f"no target column {column!r}", index, "every")
        if self.types[column] not in REFERRING:
            raise self._error(name, f"only texts and whole numbers refer, {column} is neither", index, "every")
        if "has" not in item:
            raise self._error(name, "`every` needs `has`, the entity to be found in", index)
        has = item["has"] if isinstance(item["has"], dict) else {"entity": item["has"]}
        return column, has["entity"], has.get("column", "")

    def _error(self, name: str, problem: str, *path: str | int) -> SpecError:
        return SpecError(f"invariant {name}: {problem}", line=self.lines.of("invariants", *path))
