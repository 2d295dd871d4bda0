"""The API's description (OpenAPI 3.1), read off the endpoints: what each takes, answers and refuses."""

from collections.abc import Callable
from typing import Any, override

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from core.api import problems
from core.api.serializers import Answer, Body, Described, Text
from core.tokens import SCOPES

_WORDS = {
    400: "The request cannot be read, a parameter is wrong, or a write lacks its Idempotency-Key.",
    401: "No token that is in force was sent.",
    403: "The token lacks the scope, or its issuer the permission.",
    404: "Nothing of yours has this id.",
    406: "The answer cannot be given in a form that the request accepts.",
    409: "The first request with this Idempotency-Key still runs, or something else is in the way.",
    411: "The body comes without its length.",
    413: "The body is too large.",
    415: "The body is no application/json.",
    422: "What the request says cannot be, or cannot be done now; `errors` points at what is wrong.",
    429: "The quota of this minute is used up; Retry-After says for how long.",
    500: "Something went wrong on our side.",
    503: "Something that is needed for the answer is not there at the moment.",
}
_REFUSES = "x-refuses"
_EVERYWHERE = (401, 403, 406, 429, 500)
_OF_WRITES = (400, 409, 411, 413, 415, 422)

_PAGE_PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
        description="How many items a page holds.",
    ),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="`next_cursor` of the page before; none for the first."),
]
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="A new random value for each new request, such as a UUID. The same request sent again with the same "
    "key within 24 hours is done once and answered as before (header `Idempotency-Replayed: true`).",
)

_FIELD = {"type": "string"}
HEADERS = {
    "RateLimit-Policy": {
        "description": "How many requests a token has in how many seconds.",
        "schema": _FIELD,
        "example": '"default";q=100;w=60',
    },
    "RateLimit": {
        "description": "How many of them are left, and for how many seconds that counts.",
        "schema": _FIELD,
        "example": '"default";r=99;t=42',
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "example": 42},
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "fix"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "The kind of problem; its page explains it."},
        "title": {"type": "string", "description": "The kind in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened this time."},
        "instance": {"type": "string", "description": "The address that was asked."},
        "fix": {"type": "string", "description": "What to do."},
        "errors": {
            "type": "array",
            "description": "Each thing that is wrong with the request.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the body, such as `#/name`."},
                    "parameter": {"type": "string", "description": "Name of the parameter."},
                },
            },
        },
    },
}


def operation[F: Callable[..., Any]](
    name: str,
    *,
    summary: str,
    tag: str,
    answer: type[serializers.Serializer[Any]] | OpenApiTypes | None,
    status: int = 200,
    body: type[serializers.Serializer[Any]] | None = None,
    paged: bool = False,
    parameters: tuple[OpenApiParameter, ...] = (),
    described: str = "",
    media_type: str = "application/json",
    refuses: tuple[int, ...] = (),
) -> Callable[[F], F]:
    """Describe an endpoint's method: its operationId, what it takes and what it answers when all is well.

    `refuses` are statuses that only this one can answer with.
    Everything that goes for all endpoints (scopes, refusals, headers, Idempotency-Key, pages) is added by itself.
    """
    found: Any = _page(answer) if paged else answer
    told = OpenApiResponse(found, description=described or summary)
    decorate: Callable[[F], F] = extend_schema(
        operation_id=name,
        summary=summary,
        description=described or summary,
        tags=[tag],
        request=body,
        responses={status: told} if media_type == "application/json" else {(status, media_type): told},
        parameters=[*parameters, *(_PAGE_PARAMETERS if paged else [])],
        extensions={_REFUSES: list(refuses)} if refuses else None,
    )
    return decorate


def item_id(name: str, description: str) -> OpenApiParameter:
    """Describe an id in the address."""
    return OpenApiParameter(name, OpenApiTypes.UUID, OpenApiParameter.PATH, description=description)


def _page(answer: Any) -> type[Answer]:
    """Return what a page of such answers looks like."""
    cursor = serializers.CharField(allow_null=True, help_text="Where the next page begins; null on the last.")
    example = {"items": [answer.example], "next_cursor": None}
    parts = {"__doc__": "", "items": answer(many=True), "next_cursor": cursor, "example": example}
    return type(f"{answer.__name__}Page", (Answer,), parts)


class Operations(AutoSchema):
    """Adds to each operation what goes for all of them."""

    @property
    def _scope(self) -> str:
        view: Any = self.view
        scope: str = view.scopes[self.method]
        return scope

    @override
    def get_auth(self) -> list[dict[str, Any]]:
        """Name the scope that the method needs."""
        return [{"token": [self._scope]}]

    @override
    def get_override_parameters(self) -> list[Any]:
        """Ask every write for its key."""
        return [_KEY] if self.method != "GET" else []

    @override
    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Add scope, refusals and headers."""
        found: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if found is None:
            return None
        scope = SCOPES[self._scope]
        found["description"] += f"\n\nScope: `{scope.name}` ({scope.title.lower()})."
        for response in found["responses"].values():
            response["headers"] = {**response.get("headers", {}), **_refer("RateLimit-Policy", "RateLimit")}
        for status in self._refusals(found):
            found["responses"][str(status)] = {"$ref": f"#/components/responses/{status}"}
        found["responses"] = dict(sorted(found["responses"].items()))
        return found

    @override
    def _map_serializer(self, serializer: Any, *args: Any, **kwargs: Any) -> Any:
        """Close the bodies; promise every field of the answers."""
        found = super()._map_serializer(serializer, *args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types
        if isinstance(serializer, Described) and serializer.example is not None:
            found["examples"] = [dict(serializer.example)]
        if isinstance(serializer, Body):
            found["additionalProperties"] = False
        elif isinstance(serializer, Answer):
            found["required"] = list(found["properties"])
            for property_ in found["properties"].values():
                property_.pop("readOnly", None)
        return found

    @override
    def _map_serializer_field(self, field: Any, *args: Any, **kwargs: Any) -> Any:
        """Say of a text what the serializer checks of every text: it holds no zero character."""
        found = super()._map_serializer_field(field, *args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types
        return {**found, "pattern": "^[^\\u0000]*$"} if isinstance(field, Text) else found

    def _refusals(self, found: dict[str, Any]) -> set[int]:
        refusals = set(_EVERYWHERE)
        if self.method != "GET":
            refusals |= set(_OF_WRITES)
        places = {parameter["in"] for parameter in found.get("parameters", ())}
        if "path" in places:
            refusals.add(404)
        refusals |= {400, *found.pop(_REFUSES, ())}
        return refusals


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the parts that operations refer to (drf-spectacular's postprocessing hook)."""
    parts = result.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["schemas"] = dict(sorted(parts["schemas"].items()))
    parts["headers"] = HEADERS
    parts["responses"] = {str(status): _refusal(status) for status in _WORDS}
    parts["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of your account, issued on the page “API tokens”. Each operation names the scope "
            "it needs: " + "; ".join(f"`{scope.name}` ({scope.title.lower()})" for scope in SCOPES.values()) + ".",
        }
    }
    _tidy(result)
    return result


def _tidy(node: Any) -> None:
    """Take out what the generator leaves for itself."""
    if isinstance(node, dict):
        node.pop("x-spec-enum-id", None)
        match node.get("oneOf"):
            case [{"type": "string", **text}, {"type": "string", "maxLength": 0}] if "format" not in text:
                # A text that may be empty: its pattern lets that pass as well, so exactly one would never hold.
                node.update(node.pop("oneOf")[0])
        for inner in node.values():
            _tidy(inner)
    elif isinstance(node, list):
        for inner in node:
            _tidy(inner)


def _refusal(status: int) -> dict[str, Any]:
    kind = next(name for name, kind in problems.KINDS.items() if kind.status == status)
    told = problems.KINDS[kind]
    example = {
        "type": f"https://crossing.example/api/#{kind}",
        "title": told.title,
        "status": status,
        "detail": _WORDS[status],
        "instance": "/api/v1/domains",
        "fix": told.fix,
    }
    headers = ("RateLimit-Policy", "RateLimit", *(("Retry-After",) if status == 429 else ()))
    return {
        "description": _WORDS[status],
        "headers": _refer(*headers),
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def _refer(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
