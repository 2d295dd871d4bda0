"""The shape of a mapping spec as JSON Schema, and errors that name the line of the YAML file."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from backfills.domain.language import SpecError

_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"}
_TABLE = {"type": "string", "pattern": "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)?$"}
_TEXT = {"type": "string", "minLength": 1}
_TYPE = "^(smallint|integer|bigint|boolean|date|timestamptz|text|enum|numeric\\([0-9]{1,2},[0-9]{1,2}\\))$"
_CLASS = {"enum": ["public", "internal"]}


def _object(required: Sequence[str], /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def _named(value: Any) -> dict[str, Any]:
    return {"type": "object", "propertyNames": _NAME, "additionalProperties": value}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Crossing mapping spec, one entity",
    **_object(
        ["format", "entity", "version", "title", "source", "target", "columns"],
        format={"const": "crossing-mapping/1"},
        entity=_NAME,
        version={"type": "integer", "minimum": 1},
        title=_TEXT,
        after={"type": "array", "items": _NAME, "uniqueItems": True},
        batch={"type": "integer", "minimum": 100, "maximum": 200000},
        stop_above_percent={"type": "number", "minimum": 0, "maximum": 100},
        source=_object(
            ["system", "table", "tenant", "key", "columns"],
            system=_NAME,
            table=_TABLE,
            tenant=_NAME,
            key=_object(["column", "type"], column=_NAME, type={"enum": ["bigint", "text"]}),
            columns=_named(_object(["class"], **{"class": _CLASS}, note=_TEXT)),
        ),
        target=_object(["table", "tenant", "key"], table=_TABLE, tenant=_NAME, key=_NAME),
        time_zones={"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True},
        tables=_named({"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}),
        sets=_named({"type": "array", "minItems": 1, "items": {"type": "string"}, "uniqueItems": True}),
        lookups=_named(_object(["entity", "fields"], entity=_NAME, fields={"type": "array", "items": _NAME})),
        let=_named(_TEXT),
        columns=_named(
            _object(
                ["is", "type", "class"],
                **{"is": _TEXT, "class": _CLASS, "from": _NAME},
                type={
                    "type": "string",
                    "pattern": _TYPE,
                },
                enum=_object(["type", "values"], type=_TABLE, values={"type": "array", "items": _TEXT, "minItems": 1}),
                max={"type": "integer", "minimum": 1},
                required={"type": "boolean"},
                references=_NAME,
                note=_TEXT,
            )
        ),
        rules={
            "type": "array",
            "items": _object(
                ["name", "when", "then", "because"],
                name=_NAME,
                when=_TEXT,
                then={"enum": ["keep", "drop", "quarantine"]},
                column=_NAME,
                because=_TEXT,
                fix=_TEXT,
            ),
        },
        duplicates=_object(
            ["name", "then", "because"], name=_NAME, then={"enum": ["merge", "quarantine"]}, because=_TEXT, fix=_TEXT
        ),
        supplements=_object(
            ["name", "because", "rows"],
            name=_NAME,
            because=_TEXT,
            rows={"type": "array", "minItems": 1, "items": _named({"type": ["string", "number", "boolean", "null"]})},
        ),
        vanished=_object(["name", "then", "because"], name=_NAME, then={"enum": ["delete", "keep"]}, because=_TEXT),
    ),
}


class Lines:
    """Where each value of a YAML document stands."""

    def __init__(self, node: yaml.Node | None) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {}
        if node is not None:
            for path, line in _walk(node, ()):
                self._lines.setdefault(path, line)

    def of(self, *path: str | int) -> int:
        """Return the line (from 1) of a value, or of the nearest thing that holds it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def _walk(node: yaml.Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise SpecError(f"{key.value!r} stands twice", line=key.start_mark.line + 1)
            seen.add(key.value)
            yield (*path, key.value), key.start_mark.line + 1
            yield from _walk(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*path, index))


def read(text: str) -> tuple[dict[str, Any], Lines]:
    """Read and check one spec file; raises SpecError with the line of the first problem in the file."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise SpecError(f"not YAML: {error.problem}", line=mark.line + 1 if mark else None) from error
    lines = Lines(node)
    problems = sorted(_problem(error, lines) for error in Draft202012Validator(SCHEMA).iter_errors(document))
    if problems:
        _, line, path, message = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise SpecError(f"{path + ': ' if path else ''}{message}{more}", line=line)
    return document, lines


def _problem(error: ValidationError, lines: Lines) -> tuple[bool, int, str, str]:
    """Return what sorts and says an error; a missing name comes last, for it is often a misspelt one."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        path += [name for name in error.instance if name not in known][:1]
    return error.validator == "required", lines.of(*path), ".".join(map(str, path)), error.message
