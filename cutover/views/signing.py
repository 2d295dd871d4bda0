"""What customer and staff share when they sign a go/no-go."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from core.approvals import browser, seals
from core.errors import UseCaseError
from core.models import ApprovalRequest
from core.web import ActingRequest
from cutover.queries import pages
from cutover.services import go_no_go


def begin(request: ActingRequest, request_id: UUID) -> JsonResponse:
    """Answer the page's script with the statement to sign, or with the refusal."""
    return browser.begin(request, partial(go_no_go.begin, request_id=request_id, by=request.actor))


def sign(
    request: ActingRequest, request_id: UUID, *, here: str, refuse: Callable[[UseCaseError], HttpResponse]
) -> HttpResponse:
    """Take a signature; nothing is asked of who has no seat."""
    go_no_go.require_seat(request_id=request_id, by=request.actor)
    take = partial(go_no_go.sign, request_id=request_id, by=request.actor)
    return browser.sign(request, take, here=here, refuse=refuse)


def page_context(
    request: ActingRequest, found: ApprovalRequest, addresses: dict[str, str], problem: UseCaseError | None
) -> dict[str, Any]:
    """Return what the page of a request shows to this person."""
    at = timezone.now()
    return {
        "page": pages.page(request=found, by=request.actor, at=at),
        "addresses": addresses,
        "problem": problem,
        **browser.context(request, at=at),
        "server_key": seals.public_key().hex(),
    }
