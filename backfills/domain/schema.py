"""The shape of a mapping spec as JSON Schema."""

from typing import Any

from backfills.domain.merging import OnDrift
from core.domain import declared
from core.domain.declared import NAME as _NAME
from core.domain.declared import TEXT as _TEXT
from core.domain.declared import Lines
from core.domain.declared import closed as _object

_TABLE = {
    "type": "string",
    "pattern": "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)?$",
    "description": "a table's or type's name in small letters, digits and _, perhaps after its schema and a point",
}
_LEGACY = {"type": "string", "pattern": r"^[^\x00-\x1f]{1,63}$", "description": "the name of a column in legacy"}
_LEGACY_TABLE = {
    "type": "string",
    "pattern": r"^[^\".\x00-\x1f]{1,63}(\.[^\".\x00-\x1f]{1,63})?$",
    "description": "a table's name as legacy has it, without quotation marks, perhaps after its schema and a point",
}
_NO_FILE = r"\"/\\*?\[\]{}\x00-\x1f"
_FILE = {
    "type": "string",
    "pattern": rf"^[^.{_NO_FILE}][^{_NO_FILE}]{{0,200}}\.([cC][sS][vV]|[pP][aA][rR][qQ][uU][eE][tT])$",
    "description": "the name of a .csv or .parquet file in legacy's folder, without a path",
}
_KEY_TYPE = {"enum": ["bigint", "text", "uuid", "date"]}
_TYPE_NAMES = "one of smallint, integer, bigint, numeric(precision,scale), boolean, date, timestamptz, text, enum"
_TYPE = "^(smallint|integer|bigint|boolean|date|timestamptz|text|enum|numeric\\([0-9]{1,2},[0-9]{1,2}\\))$"
_CLASS = {"enum": ["public", "internal"]}
_CLOCK = {"enum": ["timestamptz", "timestamp"], "description": "timestamptz, or timestamp, which is taken as UTC"}
_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_DROPPED = _object(["because"], because=_TEXT, since=_DAY)
_INVARIANT = _object(
    ["name", "says"],
    name=_NAME,
    says={"type": "string", "minLength": 1, "maxLength": 160},
    count=_TEXT,
    sum=_TEXT,
    within={"type": "number", "minimum": 0},
    every=_NAME,
    has={"oneOf": [_NAME, _object(["entity", "column"], entity=_NAME, column=_NAME)]},
    holds=_TEXT,
)
_CASE = {
    "oneOf": [_NAME, _object(["none"], none=_TEXT)],
    "description": "a rule's name or {none: why there are none}, where a text with a comma is put in quotation marks",
}


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
            ["system", "tenant", "key", "columns"],
            system=_NAME,
            table=_LEGACY_TABLE,
            file=_FILE,
            tenant=_LEGACY,
            key=_object(["column"], column=_NAME, type=_KEY_TYPE, of={**_named(_KEY_TYPE), "minProperties": 2}),
            changed=_object(["column", "type"], column=_LEGACY, type=_CLOCK),
            exported=_object(
                [],
                at={"type": "string", "description": "a moment with its offset: 2026-10-01T06:00:00Z"},
                column=_LEGACY,
                type=_CLOCK,
                within_minutes={"type": "integer", "minimum": 1, "maximum": 1440},
            ),
            frozen=_object(["since", "because"], since=_DAY, because=_TEXT),
            columns=_named(_object(["class"], **{"class": _CLASS}, named=_LEGACY, note=_TEXT, dropped=_DROPPED)),
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
                    "description": _TYPE_NAMES,
                },
                enum=_object(["type", "values"], type=_TABLE, values={"type": "array", "items": _TEXT, "minItems": 1}),
                max={"type": "integer", "minimum": 1},
                required={"type": "boolean"},
                references=_NAME,
                on_drift={"enum": [rule.value for rule in OnDrift]},
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
        cases=_object(
            [], **dict.fromkeys(("deleted", "archived", "orphaned", "duplicate", "conflicting", "held"), _CASE)
        ),
        vanished=_object(["name", "then", "because"], name=_NAME, then={"enum": ["delete", "keep"]}, because=_TEXT),
        invariants={"type": "array", "items": _INVARIANT},
    ),
}


def read(text: str) -> tuple[dict[str, Any], Lines]:
    """Read and check one spec file; raises SpecError with the line of the first problem in the file."""
    return declared.read(text, schema=SCHEMA)
