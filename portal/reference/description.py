"""The OpenAPI description, made once per process, and what the page for people shows of it."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from core.tokens import SCOPES

NOTE = "# Written by `manage.py openapi` from the endpoints themselves: change those, not this file.\n"


@cache
def document() -> dict[str, Any]:
    """Return the description as JSON values."""
    found: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    return found


def text() -> str:
    """Return the description as `docs/openapi.yaml` holds it."""
    return NOTE + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body or an answer."""

    name: str
    kind: str
    words: str
    required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    words: str
    scope: str
    parameters: list[Field]
    body: str
    body_fields: list[Field]
    answers: list[tuple[str, str, str]]
    """Status, words, name of the schema."""
    curl: str


@dataclass(frozen=True, slots=True)
class Schema:
    """What an answer holds."""

    name: str
    words: str
    fields: list[Field]
    example: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything the page shows."""

    groups: list[tuple[str, list[Operation]]]
    schemas: list[Schema]
    scopes: list[tuple[str, str]]


@cache
def reference() -> Reference:
    """Return the description as the page shows it."""
    described = document()
    groups: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            groups.setdefault(told["tags"][0], []).append(_operation(path, method, told, described))
    schemas = [
        Schema(
            name,
            schema.get("description", ""),
            _fields(schema),
            "\n".join(json.dumps(each, indent=2, ensure_ascii=False) for each in schema.get("examples", ())),
        )
        for name, schema in described["components"]["schemas"].items()
        if not name.endswith("Request")
    ]
    return Reference(sorted(groups.items()), schemas, [(scope.name, scope.title) for scope in SCOPES.values()])


def _operation(path: str, method: str, told: dict[str, Any], described: dict[str, Any]) -> Operation:
    body = _named(told.get("requestBody", {}))
    fields = _fields(described["components"]["schemas"][body]) if body else []
    answers = []
    for status, answer in told["responses"].items():
        refused = described["components"]["responses"].get(status) if "$ref" in answer else None
        answers.append((status, (refused or answer)["description"].replace("`", ""), _named(refused or answer)))
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        words=told["description"].partition("\n\n")[0].replace("`", ""),
        scope=told["security"][0]["token"][0],
        parameters=[
            Field(
                each["name"],
                _kind(each["schema"]),
                each.get("description", "").replace("`", ""),
                each.get("required", False),
            )
            for each in told.get("parameters", ())
        ],
        body=body,
        body_fields=fields,
        answers=answers,
        curl=_curl(path, method, fields, described["components"]["schemas"].get(body, {}).get("examples", [{}])[0]),
    )


def _curl(path: str, method: str, fields: list[Field], example: Any) -> str:
    lines = [f"curl --request {method.upper()} {settings.PUBLIC_URL.rstrip('/')}{path}"]
    lines.append('--header "Authorization: Bearer $CROSSING_TOKEN"')
    if method != "get":
        lines.append('--header "Idempotency-Key: $(uuidgen)"')
    if fields:
        body = json.dumps(example)
        lines += ["--header 'Content-Type: application/json'", f"--data '{body}'"]
    return " \\\n  ".join(lines)


def _named(told: dict[str, Any]) -> str:
    """Return the name of the schema that a body or an answer has, or its media type, or nothing."""
    for media_type, content in told.get("content", {}).items():
        name: str = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        return name or str(media_type)
    return ""


def _fields(schema: dict[str, Any]) -> list[Field]:
    required = schema.get("required", ())
    return [
        Field(name, _kind(told), told.get("description", "").replace("`", ""), name in required)
        for name, told in schema.get("properties", {}).items()
    ]


def _kind(told: dict[str, Any]) -> str:
    """Say what a value is, in words."""
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if parts := told.get("oneOf") or told.get("anyOf") or told.get("allOf"):
        return " or ".join(_kind(part) for part in parts)
    if "enum" in told:
        return " · ".join("null" if value is None else str(value) for value in told["enum"])
    kinds = told.get("type", "anything")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if words == "array":
        return f"list of {_kind(told['items'])}"
    return f"{words} ({told['format']})" if "format" in told else words
