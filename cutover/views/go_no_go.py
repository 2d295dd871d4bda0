"""The customer's side of the go/no-go: check the evidence, ask, sign, veto, keep the pack."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.domain.approvals import RequestState
from core.errors import UseCaseError
from core.models import ApprovalRequest
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from cutover.domain.phases import Phase
from cutover.queries import cutovers, pages
from cutover.services import go_no_go
from cutover.views import signing
from cutover.views.forms import VetoForm


@require_safe
@tenant_view(Permission.VIEW_EVIDENCE)
def current(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Show what would be frozen, or go to the request that waits or that decided."""
    newest = pages.newest(tenant_id=tenant.pk)
    if newest is not None:
        decided = newest.state == RequestState.APPROVED and cutovers.phase_of(tenant.pk) is not Phase.PREFLIGHT
        if decided or newest.state == RequestState.OPEN:
            return redirect("cutover:request", tenant.slug, newest.pk)
    return _draft(request, tenant)


@require_POST
@tenant_view(Permission.REQUEST_APPROVAL)
def ask(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Freeze the evidence and ask for both signatures."""
    try:
        made = go_no_go.ask(tenant_id=tenant.pk, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        return _draft(request, tenant, refusal)
    messages.success(request, "The evidence is frozen. Both sides can sign it now.")
    return redirect("cutover:request", tenant.slug, made.pk)


@require_safe
@tenant_view(Permission.VIEW_EVIDENCE)
def show(request: ActingRequest, tenant: Any, request_id: UUID) -> HttpResponse:
    """Show one request: the frozen evidence, who signed, and what you can do."""
    return _page(request, tenant, _find(request_id))


@require_POST
@tenant_view(Permission.VIEW_EVIDENCE)
def begin(request: ActingRequest, tenant: Any, request_id: UUID) -> HttpResponse:
    """Issue the statement for the passkey."""
    return signing.begin(request, request_id)


@require_POST
@tenant_view(Permission.VIEW_EVIDENCE)
def sign(request: ActingRequest, tenant: Any, request_id: UUID) -> HttpResponse:
    """Take the customer's signature."""
    here = reverse("cutover:request", args=[tenant.slug, request_id])

    def refuse(refusal: UseCaseError) -> HttpResponse:
        return _page(request, tenant, _find(request_id), refusal)

    return signing.sign(request, request_id, here=here, refuse=refuse)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.VIEW_EVIDENCE)
def veto(request: ActingRequest, tenant: Any, request_id: UUID) -> HttpResponse:
    """Say no, with a reason."""
    found, status = go_no_go.require_veto(request_id=request_id, by=request.actor), 200
    problem: UseCaseError | None = None
    form = VetoForm(request.POST or None)
    if request.method == "POST":
        status = 422
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                go_no_go.veto(request_id=request_id, reason=reason, by=request.actor, at=timezone.now())
            except UseCaseError as refusal:
                problem, status = refusal, refusal.status
            else:
                messages.success(request, "The go/no-go is vetoed. Nothing moves.")
                return redirect("cutover:request", tenant.slug, request_id)
    context = {"tenant": tenant, "form": form, "found": found, "problem": problem}
    return render(request, "cutover/veto.html", context, status=status)


@require_safe
@tenant_view(Permission.VIEW_EVIDENCE)
def pack(request: ActingRequest, tenant: Any, request_id: UUID) -> HttpResponse:
    """Download the pack with its statements and signatures."""
    name, body = go_no_go.export(request_id=request_id, by=request.actor, at=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{tenant.slug}-{name}"'}
    return HttpResponse(body, content_type="application/zip", headers=headers)


def _find(request_id: UUID) -> ApprovalRequest:
    found = pages.find(request_id=request_id)
    if found is None:
        raise Http404
    return found


def _draft(request: ActingRequest, tenant: Any, problem: UseCaseError | None = None) -> HttpResponse:
    context = {
        "tenant": tenant,
        "draft": pages.draft(tenant_id=tenant.pk, at=timezone.now()),
        "phase": cutovers.phase_of(tenant.pk),
        "may_ask": request.actor.can(Permission.REQUEST_APPROVAL, tenant_id=tenant.pk),
        "may_set_window": request.actor.can(Permission.MANAGE_WINDOW, tenant_id=tenant.pk),
        "may_name_approver": request.actor.can(Permission.APPROVE_CUTOVER, tenant_id=tenant.pk),
        "problem": problem,
        "earlier": pages.ended(tenant_id=tenant.pk),
    }
    return render(request, "cutover/check_answers.html", context, status=problem.status if problem else 200)


def _page(
    request: ActingRequest, tenant: Any, found: ApprovalRequest, problem: UseCaseError | None = None
) -> HttpResponse:
    names = ("sign", "begin", "veto", "pack")
    addresses = {name: reverse(f"cutover:{name}", args=[tenant.slug, found.pk]) for name in names}
    context = signing.page_context(request, found, addresses, problem) | {"tenant": tenant}
    return render(request, "cutover/request.html", context, status=problem.status if problem else 200)
