"""The reads that are shadowed: one record of each entity by its key, and the lists that an installation declares.

A list is declared by a column alone, so that nothing of it is SQL: it holds what the sampled record holds there. The
mapping must take that column over as it is; else the same list could not be asked of legacy.
"""

from collections.abc import Mapping
from typing import Any

from backfills.domain.language import Ref
from backfills.domain.spec import Spec, Then
from core.domain import declared
from core.domain.declared import NAME, TEXT, Lines, SpecError
from core.domain.declared import closed as _object
from core.shadowing import Read

ONE = "one"
"""The name of the read that every entity has."""

LONGEST_LIST = 1_000
"""Records of a list that are compared at most; a longer one is left alone."""

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Crossing shadow reads, one entity",
    **_object(
        ["format", "entity", "reads"],
        format={"const": "crossing-reads/1"},
        entity=NAME,
        reads={
            "type": "array",
            "minItems": 1,
            "items": _object(
                ["name", "title", "by"],
                name=NAME,
                title={**TEXT, "maxLength": 80},
                by=NAME,
                at_most={"type": "integer", "minimum": 1, "maximum": LONGEST_LIST},
            ),
        },
    ),
}


def load_set(files: Mapping[str, str], *, specs: Mapping[str, Spec]) -> Mapping[str, tuple[Read, ...]]:
    """Return the reads of each entity whose records can be read singly, file name → text; SpecError names the line."""
    reads: dict[str, tuple[Read, ...]] = {
        entity: (Read(ONE, f"{spec.title}: one by its key"),)
        for entity, spec in specs.items()
        if spec.duplicates.then is not Then.MERGE
    }
    for file, text in sorted(files.items()):
        try:
            document, lines = declared.read(text, schema=SCHEMA)
            entity = document["entity"]
            _check(entity, lines.of("entity"), specs=specs, reads=reads)
            reads[entity] += tuple(_lists(document["reads"], lines, specs[entity]))
        except SpecError as error:
            raise SpecError(error.message, line=error.line, file=file, others=error.others) from error
    return reads


def _check(entity: str, line: int, *, specs: Mapping[str, Spec], reads: Mapping[str, tuple[Read, ...]]) -> None:
    if entity not in specs:
        raise SpecError(f"no mapping of {entity!r}", line=line)
    if entity not in reads:
        why = "its records may be made of several rows of legacy (`duplicates: merge`)"
        raise SpecError(f"{entity} has no shadow reads: {why}", line=line)
    if len(reads[entity]) > 1:
        raise SpecError(f"the reads of {entity} stand in another file too", line=line)


def _lists(items: list[dict[str, Any]], lines: Lines, spec: Spec) -> list[Read]:
    found: dict[str, Read] = {}
    columns = {column.name: column for column in spec.columns}
    for number, item in enumerate(items):
        if item["name"] in {ONE, *found}:
            raise SpecError(f"two reads have the name {item['name']!r}", line=lines.of("reads", number, "name"))
        line = lines.of("reads", number, "by")
        column = columns.get(item["by"])
        if column is None:
            raise SpecError(f"{spec.entity} has no column {item['by']!r} on the new platform", line=line)
        if not isinstance(column.expression, Ref) or column.expression.name not in spec.source_columns:
            raise SpecError(
                f"{column.name} is made of {column.text}; a list goes by a column that is taken over as it is",
                line=line,
            )
        found[item["name"]] = Read(item["name"], item["title"], item["by"], item.get("at_most", 200))
    return list(found.values())
