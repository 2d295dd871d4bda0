"""The vendor's side of the go/no-go: what waits, and the runbook owner's signature."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from core.errors import UseCaseError
from core.models import ApprovalRequest
from core.permissions import Permission
from core.web import ActingRequest, staff_view
from cutover.queries import pages
from cutover.services import go_no_go
from cutover.views import signing


@require_safe
@staff_view(Permission.VIEW_EVIDENCE, reason="go/no-go requests")
def waiting(request: ActingRequest) -> HttpResponse:
    """List what waits for signatures."""
    return render(request, "cutover/staff_waiting.html", {"requests": pages.waiting()})


@require_safe
@staff_view(Permission.VIEW_EVIDENCE, reason="read a go/no-go request")
def show(request: ActingRequest, request_id: UUID) -> HttpResponse:
    """Show one request with its frozen evidence."""
    return _page(request, _find(request_id))


@require_POST
@staff_view(Permission.SIGN_AS_RUNBOOK_OWNER, reason="sign a go/no-go request")
def begin(request: ActingRequest, request_id: UUID) -> HttpResponse:
    """Issue the statement for the passkey."""
    return signing.begin(request, request_id)


@require_POST
@staff_view(Permission.SIGN_AS_RUNBOOK_OWNER, reason="sign a go/no-go request")
def sign(request: ActingRequest, request_id: UUID) -> HttpResponse:
    """Take the runbook owner's signature."""
    here = reverse("staff_cutover:request", args=[request_id])

    def refuse(refusal: UseCaseError) -> HttpResponse:
        return _page(request, _find(request_id), refusal)

    return signing.sign(request, request_id, here=here, refuse=refuse)


@require_safe
@staff_view(Permission.VIEW_EVIDENCE, reason="export a go/no-go pack")
def pack(request: ActingRequest, request_id: UUID) -> HttpResponse:
    """Download the pack with its statements and signatures."""
    name, body = go_no_go.export(request_id=request_id, by=request.actor, at=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="application/zip", headers=headers)


def _find(request_id: UUID) -> ApprovalRequest:
    found = pages.find(request_id=request_id)
    if found is None:
        raise Http404
    return found


def _page(request: ActingRequest, found: ApprovalRequest, problem: UseCaseError | None = None) -> HttpResponse:
    addresses = {name: reverse(f"staff_cutover:{name}", args=[found.pk]) for name in ("sign", "begin", "pack")}
    context = signing.page_context(request, found, addresses, problem)
    return render(request, "cutover/request.html", context, status=problem.status if problem else 200)
