"""What every SCIM 2.0 endpoint stands on (RFC 7644): the API's one way in, in SCIM's media type and with its errors."""

import json
import re
from collections.abc import Iterator, Sequence
from http import HTTPMethod
from typing import Any, ClassVar, override

from django.conf import settings
from django.http import HttpResponse
from pydantic import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from scim2_models import Error, SCIMException

from core.api import problems
from core.api.problems import Problem
from core.api.views import ApiView
from core.errors import UseCaseError

PREFIX = "/scim/v2/"
MEDIA_TYPE = "application/scim+json"
LARGEST_BODY = 1024 * 1024
"""Bytes; groups may be sent larger."""
DEEPEST = 32
"""Objects and lists inside each other; a resource has four."""
_MOST_TOLD = 5
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
"""What JSON can say and no database can keep: NUL, and halves of characters."""


class ScimRenderer(JSONRenderer):
    """JSON under SCIM's own name."""

    media_type = MEDIA_TYPE
    format = "scim"


class ScimParser(BaseParser):
    """JSON that can be kept, and means one thing: in UTF-8, each name once, no text that no database takes."""

    media_type = MEDIA_TYPE

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Read a body; raises `Problem` for one that cannot be read."""
        try:
            body = json.loads(stream.read().decode(), parse_constant=_no_number, object_pairs_hook=_once)
            if any(_UNWRITABLE.search(text) for text in _texts(body)):
                raise Problem("malformed-request", "The body holds a NUL or half a character (a lone surrogate).")
        except (ValueError, RecursionError) as error:
            raise Problem("malformed-request", "The body is no JSON in UTF-8, or nests too deep.") from error
        return body


class PlainParser(ScimParser):
    """The same, sent under JSON's general name."""

    media_type = "application/json"


class ScimView(ApiView):
    """The base of SCIM endpoints: no Idempotency-Key, which clients of SCIM do not know; parameters are its own."""

    schema = None  # SCIM describes itself; docs/openapi.yaml says where
    largest_body: ClassVar[int] = LARGEST_BODY
    renderer_classes: tuple[type[BaseRenderer], ...] = (ScimRenderer, JSONRenderer)
    parser_classes = (ScimParser, PlainParser)  # type: ignore[assignment]  # a union in the base would say no more

    @override
    @classmethod
    def quota(cls) -> int:
        """Return how many requests a token may make in a minute."""
        allowed: int = settings.SCIM_QUOTA
        return allowed

    @override
    def check_parameters(self, request: Request) -> None:
        """Take any parameter: a service ignores what it does not know (RFC 7644 3.4.2)."""

    @override
    def claim_key(self, request: Request, body: bytes) -> None:
        """Take no key."""

    @override
    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # DRF says Response
        """Answer a refusal of SCIM's own kind; everything else as the API does."""
        told = of_error(exc)
        return answer(*told) if told else super().handle_exception(exc)

    @override
    def respond(self, problem: Problem) -> HttpResponse:
        """Answer with a problem as a SCIM error."""
        return respond(problem)


class NoSuchAddress(ScimView):
    """What answers under every address of SCIM that is none, to whoever may ask."""

    scopes: ClassVar[dict[str, str]] = dict.fromkeys(
        (HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH, HTTPMethod.DELETE), "scim"
    )

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in who has a token, then say that there is nothing."""
        self._recognise(request)
        if request.method in self.scopes:
            self._admit(request)
        if kwargs.get("is_optional"):
            raise Unsupported
        raise Problem("not-found", "There is no such address.")


class Unsupported(Exception):
    """An optional part of the standard that is not served: `/Me`, `/Bulk`."""


def respond(problem: Problem) -> HttpResponse:
    """Answer with a problem as a SCIM error (RFC 7644 3.12)."""
    kind = problems.KINDS[problem.kind]
    fix = problem.fix or ("" if kind.status == 404 else kind.fix)
    scim_type = "invalidSyntax" if problem.kind == "malformed-request" else ""
    response = answer(kind.status, scim_type, f"{problem.detail} {fix}".strip())
    for name, value in problem.headers.items():
        response.headers[name] = value
    if kind.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="crossing"'
    return response


def answer(status: int, scim_type: str, detail: str) -> HttpResponse:
    """Answer with a SCIM error."""
    error = Error(status=status, scim_type=scim_type or None, detail=detail)
    return HttpResponse(json.dumps(error.model_dump()), content_type=MEDIA_TYPE, status=status)


def of_error(error: Exception) -> tuple[int, str, str] | None:
    """Return status, `scimType` and detail of a refusal of SCIM's own kind; None for any other exception."""
    match error:
        case Unsupported():
            return 501, "", "This part of SCIM is not served; ServiceProviderConfig says what is."
        case ValidationError():
            return _of_errors(error)
        case SCIMException():
            if isinstance(error.__cause__, ValidationError):
                _, _, detail = _of_errors(error.__cause__)
                return error.status, error.scim_type, detail
            return error.status, error.scim_type, error.detail
        case UseCaseError():
            status = 400 if error.status == 422 else error.status
            return status, getattr(error, "scim_type", ""), f"{error.message} {error.fix}".strip()
    return None


def _of_errors(errors: ValidationError) -> tuple[int, str, str]:
    found: Sequence[Error] = Error.from_validation_errors(errors)
    told = list(dict.fromkeys(each.detail or "" for each in found))
    more = f" (and {len(told) - _MOST_TOLD} more)" if len(told) > _MOST_TOLD else ""
    return found[0].status or 400, found[0].scim_type or "invalidValue", "; ".join(told[:_MOST_TOLD]) + more


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's values by name; two of one name, whose case does not count, would mean whichever one reads."""
    found = dict(pairs)
    if len({name.lower() for name in found}) < len(pairs):
        raise Problem("malformed-request", "An object of the body says the same name twice.")
    return found


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth + 1)
