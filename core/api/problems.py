"""Problem details (RFC 9457): the one form in which the API says that something went wrong, and what to do."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions

from core.errors import UseCaseError
from core.ports import Unavailable

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_OUTAGE = "30"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, what it is called, and what usually helps."""

    status: int
    title: str
    fix: str


KINDS = {
    "malformed-request": Kind(
        400, "The request cannot be read", "Compare the request with the API's description and send it again."
    ),
    "missing-idempotency-key": Kind(
        400,
        "A write needs an Idempotency-Key",
        "Send a new random value of at most 255 characters, such as a UUID, in the header Idempotency-Key.",
    ),
    "unauthenticated": Kind(
        401,
        "A valid token is needed",
        "Send “Authorization: Bearer crossing_…” with a token that is in force; the page “API tokens” lists yours.",
    ),
    "forbidden": Kind(
        403, "The token may not do this", "Use a token with the scope named here; an owner or admin issues one."
    ),
    "not-found": Kind(404, "There is no such thing", "Check the address and the id; ids come from the lists."),
    "method-not-allowed": Kind(405, "The address does not take this method", "Use a method that Allow names."),
    "not-acceptable": Kind(406, "The answer has no such form", "Accept application/json."),
    "conflict": Kind(409, "Another request is in the way", "Look at what stands now, then decide again."),
    "request-in-flight": Kind(
        409, "The first request with this key has not ended", "Wait a few seconds and send the same request again."
    ),
    "length-required": Kind(411, "The body has no length", "Send Content-Length; no body is taken in chunks."),
    "too-large": Kind(413, "The request is too large", "Send less; “detail” says how much is taken."),
    "unsupported-media-type": Kind(415, "The body has the wrong form", "Send application/json."),
    "invalid": Kind(422, "The request says something that cannot be", "Mend what “errors” points at."),
    "idempotency-key-reused": Kind(
        422, "The key was used for another request", "Use a new Idempotency-Key for each new request."
    ),
    "refused": Kind(422, "This cannot be done now", "Change what “detail” names, or try again once it has changed."),
    "too-many-requests": Kind(429, "Too many requests", "Wait as many seconds as Retry-After says."),
    "fault": Kind(500, "Something went wrong on our side", "Try again; if it stays, tell your contact what you sent."),
    "unavailable": Kind(503, "A system we have to ask does not answer", "Try again in a few minutes."),
}
"""Every kind by its name, which ends the problem's `type`."""

_BY_STATUS = {kind.status: name for name, kind in reversed(KINDS.items())} | {
    409: "conflict",
    422: "refused",
    400: "malformed-request",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a request: where (a JSON pointer into the body, or a parameter) and what."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def plain(self) -> dict[str, str]:
        """Return it as JSON."""
        where = {"pointer": self.pointer, "parameter": self.parameter}
        return {"detail": self.detail, **{name: value for name, value in where.items() if value is not None}}


@dataclass
class Problem(Exception):
    """Raise it in an endpoint to answer with a problem of this kind."""

    kind: str
    detail: str
    fix: str = ""
    errors: Sequence[Flaw] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def respond(problem: Problem, *, request: HttpRequest) -> HttpResponse:
    """Answer with a problem."""
    kind = KINDS[problem.kind]
    body: dict[str, Any] = {
        "type": f"{settings.PUBLIC_URL.rstrip('/')}/api/#{problem.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": request.path,
        "fix": problem.fix or kind.fix,
    }
    if problem.errors:
        body["errors"] = [flaw.plain() for flaw in problem.errors]
    response = HttpResponse(json.dumps(body), content_type=MEDIA_TYPE, status=kind.status)
    for name, value in problem.headers.items():
        response.headers[name] = value
    if kind.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="crossing"'
    return response


def of_status(status: int) -> Problem:
    """Return the problem that a bare status stands for."""
    name = _BY_STATUS.get(status, "fault" if status >= 500 else "malformed-request")
    return Problem(name, f"{KINDS[name].title}.")


def of_error(error: Exception) -> Problem | None:
    """Return the problem that an exception stands for, or None for a fault of ours."""
    match error:
        case Problem():
            return error
        case UseCaseError():
            return Problem(_of_refusal(error), error.message, error.fix)
        case Unavailable():
            return Problem("unavailable", str(error), headers={"Retry-After": _RETRY_AFTER_OUTAGE})
        case Http404() | exceptions.NotFound():
            return Problem("not-found", "Nothing of yours is found under this address.")
        case PermissionDenied() | exceptions.PermissionDenied():
            return of_status(403)
        case exceptions.ValidationError():
            flaws = list(_flaws(error.detail, ""))
            return Problem("invalid", _summary(flaws), errors=flaws)
        case exceptions.ParseError():
            return Problem("malformed-request", "The body is no JSON.")
        case exceptions.UnsupportedMediaType():
            return Problem("unsupported-media-type", "A body is read as application/json only.")
        case exceptions.NotAcceptable():
            return Problem("not-acceptable", "The answer cannot be given in a form that the request accepts.")
    return None


def _of_refusal(error: UseCaseError) -> str:
    return _BY_STATUS.get(error.status, "refused")


def _summary(flaws: Sequence[Flaw]) -> str:
    if len(flaws) == 1:
        return flaws[0].detail
    return f"{len(flaws)} things in the request cannot be."


def _flaws(detail: Any, pointer: str) -> Iterable[Flaw]:
    """Yield what a serializer found, each with its JSON pointer (RFC 6901) as a fragment (`#/name`)."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = name == "non_field_errors"
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield from _flaws(inner, pointer if own else f"{pointer}/{escaped}")
    elif isinstance(detail, list | tuple):
        for number, inner in enumerate(detail):
            yield from _flaws(inner, f"{pointer}/{number}" if isinstance(inner, Mapping) else pointer)
    else:
        yield Flaw(str(detail), pointer=f"#{pointer}")
