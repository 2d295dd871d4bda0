"""An endpoint: it declares its scopes, opens the token's tenant, and answers every refusal as a problem."""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from http import HTTPMethod
from typing import Any, ClassVar, override
from uuid import UUID

from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from core import tenancy, tokens
from core.actor import Actor
from core.api import idempotency, limits, paging, problems
from core.api.problems import Flaw, Problem
from core.limits import Usage
from core.tokens import SCOPES, Bearer
from core.web import ACCESS, settle

LARGEST_BODY = 64 * 1024
"""Bytes that a body has at most, where an endpoint says nothing else (`largest_body`)."""

WRITES = frozenset({HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH, HTTPMethod.DELETE})


log = logging.getLogger(__name__)


class StrictJson(JSONParser):
    """JSON whose nesting a thread's stack can hold."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Read a body; one that nests too deep is as unreadable as one that is no JSON."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise Problem("malformed-request", "The body nests too deep.") from error


class AsFile(BaseRenderer):
    """Lets an endpoint that answers with a file be asked for it."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        """Return the bytes as they are."""
        return bytes(data)


def file_of(media_type: str) -> tuple[type[BaseRenderer]]:
    """Return the `renderer_classes` of an endpoint that answers with a file of this kind."""
    return (type("AsFile", (AsFile,), {"media_type": media_type, "format": media_type.rpartition("/")[2]}),)


class Answered(Exception):
    """The request was answered before: the same answer again."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


class ApiView(APIView):
    """The base of every endpoint. Calls its handlers inside the tenant's scope, with who acts in `actor`.

    `scopes` says which scope each method needs; a method that it does not name is refused. `parameters` names what a
    query may hold.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    parameters: ClassVar[frozenset[str]] = frozenset()
    largest_body: ClassVar[int] = LARGEST_BODY
    told_once: ClassVar[str] = ""
    """The field of what it makes (201) that is a secret: in the first answer alone, null in what is kept of it."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    renderer_classes: tuple[type[BaseRenderer], ...] = (JSONRenderer,)
    parser_classes = (StrictJson,)
    content_negotiation_class = DefaultContentNegotiation
    metadata_class = None
    format_kwarg = None

    actor: Actor
    tenant_id: UUID
    at: datetime
    bearer: Bearer | None = None
    usage: Usage | None = None
    claim: idempotency.Claim | None = None

    @override
    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, which says in `crossing_access` what it asks for: `api:domains:read,domains:write`."""
        view = super().as_view(**initkwargs)
        setattr(view, ACCESS, "api:" + ",".join(sorted(set(cls.scopes.values()))))
        return view

    @override
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer inside the tenant's scope, which `initial` opens."""
        self.at = timezone.now()
        with ExitStack() as self._scope:
            response = settle(super().dispatch(request, *args, **kwargs))
            self.answered(response)
            return response

    def answered(self, response: HttpResponseBase) -> None:
        """Keep the answer to a write, for its repetition."""
        if self.claim is not None:
            idempotency.keep(self.claim, _without(response, self.told_once), at=timezone.now())

    @classmethod
    def quota(cls) -> int:
        """Return how many requests a token may make in a minute."""
        allowed: int = settings.API_QUOTA
        return allowed

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the request in, or say why not: method, token, quota, scope, form, size, repetition."""
        self._recognise(request)
        if request.method not in self._served():
            raise Problem("method-not-allowed", f"This address does not take {request.method}.")
        self._admit(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.check_parameters(request)
        if request.method in WRITES:
            body = self._body(request)
            _ = request.data  # a body that cannot be read takes no key
            self.claim_key(request, body)

    def check_parameters(self, request: Request) -> None:
        """Refuse a parameter that is not declared."""
        if unknown := sorted(set(request.query_params) - self.parameters):
            flaws = [Flaw("There is no such parameter.", parameter=name) for name in unknown]
            raise Problem("malformed-request", "The address has a parameter that this list does not take.", "", flaws)

    def claim_key(self, request: Request, body: bytes) -> None:
        """Take the request's Idempotency-Key, or answer as before."""
        assert self.bearer is not None
        found = idempotency.claim(
            bearer=self.bearer,
            key=request.headers.get("Idempotency-Key"),
            print_of=idempotency.fingerprint(method=str(request.method), path=request.get_full_path(), body=body),
            at=self.at,
        )
        if isinstance(found, HttpResponse):
            raise Answered(found)
        self.claim = found

    @override
    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # DRF says Response
        """Answer with the problem that an exception stands for; log a fault of ours, and tell who listens for them."""
        if isinstance(exc, Answered):
            return exc.response
        problem = problems.of_error(exc)
        if problem is None:
            log.error("api.fault %s %s", self.request.method, self.request.path, exc_info=exc)
            got_request_exception.send(sender=type(self), request=self.request._request)
            problem = problems.of_status(500)
        response = self.respond(problem)
        if response.status_code == 405:
            response.headers["Allow"] = ", ".join(self._served())
        return response

    def respond(self, problem: Problem) -> HttpResponse:
        """Answer with a problem."""
        return problems.respond(problem, request=self.request)

    @override
    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tell on every answer what is left of the quota, and keep answers out of shared caches."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in limits.headers(self.usage, quota=self.quota()).items():
            response.headers[name] = value
        response.headers["Cache-Control"] = "no-store"
        response.headers.pop("Allow", None) if response.status_code != 405 else None
        return response

    def read[B: BaseSerializer[Any]](self, body: type[B]) -> dict[str, Any]:
        """Return the request's body as `body` declares it; raises what becomes a 422 with pointers."""
        serializer = body(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def page[T](
        self,
        name: str,
        serializer: type[BaseSerializer[Any]],
        *,
        fetch: paging.Fetch[T],
        key: Callable[[T], list[Any]],
    ) -> Response:
        """Answer with the page that the request asks for (`core.api.paging`)."""
        found = paging.page_of(self.request, name=name, fetch=fetch, key=key, scope=self.tenant_id)
        items = serializer(found.items, many=True).data
        return Response({"items": items, "next_cursor": found.next_cursor})

    def _served(self) -> list[str]:
        also = ["HEAD"] if "GET" in self.scopes else []
        return [*self.scopes, *also]

    def _recognise(self, request: Request) -> None:
        """Find out whose token it is, if it is any, and count the request."""
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        self.bearer = tokens.authenticate(secret.strip(), at=self.at) if kind.lower() == "bearer" else None
        who = str(self.bearer.token_id) if self.bearer else f"address:{request.META.get('REMOTE_ADDR', '')}"
        self.usage = limits.count(who, quota=self.quota(), at=self.at)
        if self.usage is not None and self.usage.exceeded:
            raise Problem(
                "too-many-requests",
                "The quota of this minute is used up.",
                headers={"Retry-After": str(self.usage.seconds)},
            )

    def _admit(self, request: Request) -> None:
        """Let in a token that is in force and holds the scope; open its tenant."""
        if self.bearer is None:
            raise Problem("unauthenticated", "No token that is in force was sent.")
        self.tenant_id, self.actor = self.bearer.tenant_id, self.bearer.actor
        self._scope.enter_context(tenancy.scope(tenant_id=self.tenant_id))
        tokens.note_use(self.bearer, at=self.at)
        self._require(self.bearer, self.scopes["GET" if request.method == "HEAD" else str(request.method)])

    def _require(self, bearer: Bearer, scope: str) -> None:
        if scope not in bearer.scopes:
            raise Problem("forbidden", f"The token lacks the scope {scope}.")
        if not self.actor.can(SCOPES[scope].permission, tenant_id=self.tenant_id):
            raise Problem(
                "forbidden",
                f"Whoever issued this token may no longer do what {scope} stands for.",
                "An owner or admin of your account rotates the token; the new one stands in their name.",
            )

    def _body(self, request: Request) -> bytes:
        """Return the body, unless it is too large or does not say how large it is."""
        if "HTTP_TRANSFER_ENCODING" in request.META:  # WSGI would show it as no body at all
            raise Problem("length-required", "The body comes in chunks, without its length.")
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > self.largest_body:
            raise Problem("too-large", f"A body has at most {self.largest_body} bytes.")
        return request.body


def _without(response: HttpResponseBase, secret: str) -> HttpResponseBase:
    """Return the answer as it may be kept."""
    if not secret or response.status_code != 201 or not isinstance(response, HttpResponse):
        return response
    told = {**json.loads(response.content), secret: None}
    return HttpResponse(json.dumps(told), headers=response.headers, status=201)


class NoSuchAddress(ApiView):
    """What answers under every address of the API that is none."""

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say that there is nothing, to anybody."""
        self.usage = limits.count(f"address:{request.META.get('REMOTE_ADDR', '')}", quota=self.quota(), at=self.at)
        raise Problem("not-found", "The API has no such address.", "The API's description lists every address.")
