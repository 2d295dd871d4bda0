"""Support: the customer's cases about the move, and help with any check."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comms.domain.cases import OPEN, CaseState
from comms.models import Case
from comms.queries import cases as listed
from comms.services import cases
from comms.views.forms import CaseForm, EntryForm
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

PER_PAGE = 25


@require_safe
@tenant_view(Permission.OPEN_CASE)
def listing(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Show the cases this person may see: all of the account, or their own."""
    found = listed.of_tenant(tenant_id=tenant.pk, only_of=_only_of(request, tenant))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "comms/support.html", {"tenant": tenant, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.OPEN_CASE)
def new(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Open a case, about a check where one is named."""
    at, problem, status = timezone.now(), None, 200
    check_id = (request.POST.get("check") or request.GET.get("check") or "")[:100]
    about = listed.about(tenant_id=tenant.pk, check_id=check_id, at=at) if check_id else None
    if request.method == "POST":
        form, status = CaseForm(request.POST), 422
        if form.is_valid():
            try:
                case = cases.open_case(
                    tenant_id=tenant.pk,
                    check_id=about.check_id if about else "",
                    **form.cleaned_data,
                    by=request.actor,
                    at=at,
                )
            except UseCaseError as refusal:
                problem, status = refusal, refusal.status
            else:
                messages.success(request, "Your case is open. We tell you by mail when there is an answer.")
                return redirect("comms:case", tenant.slug, case.pk)
    else:
        form = CaseForm(initial={"subject": f"Help with: {about.title}" if about else ""})
    context = {"tenant": tenant, "form": form, "about": about, "problem": problem}
    return render(request, "comms/new_case.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.OPEN_CASE)
def case(request: ActingRequest, tenant: Any, case_id: UUID) -> HttpResponse:
    """Show a case with all that was said, and add to it."""
    found, problem, status = _find(request, tenant, case_id), None, 200
    form = EntryForm(request.POST or None)
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                cases.write(case=found, text=form.cleaned_data["text"], by=request.actor, at=timezone.now())
            except UseCaseError as refusal:
                problem, status = refusal, refusal.status
            else:
                messages.success(request, "It is added to the case.")
                return redirect("comms:case", tenant.slug, found.pk)
    return _page(request, tenant, found, form=form, problem=problem, status=status)


@require_POST
@tenant_view(Permission.OPEN_CASE)
def confirm(request: ActingRequest, tenant: Any, case_id: UUID) -> HttpResponse:
    """Confirm that the answer settles the case."""
    found = _find(request, tenant, case_id)
    try:
        cases.move(case=found, target=CaseState.RESOLVED, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        return _page(request, tenant, found, form=EntryForm(), problem=refusal, status=refusal.status)
    messages.success(request, "Thank you. The case is resolved.")
    return redirect("comms:case", tenant.slug, found.pk)


def _page(
    request: ActingRequest, tenant: Any, found: Case, *, form: EntryForm, problem: UseCaseError | None, status: int
) -> HttpResponse:
    state = CaseState(found.state)
    context = {
        "tenant": tenant,
        "case": found,
        "entries": listed.entries(case=found),
        "form": form if state is not CaseState.CLOSED else None,
        "may_confirm": state in OPEN and found.responded_at is not None,
        "problem": problem,
    }
    return render(request, "comms/case.html", context, status=status)


def _find(request: ActingRequest, tenant: Any, case_id: UUID) -> Case:
    found = listed.find(tenant_id=tenant.pk, case_id=case_id, only_of=_only_of(request, tenant))
    if found is None:
        raise Http404
    return found


def _only_of(request: ActingRequest, tenant: Any) -> UUID | None:
    return None if request.actor.can(Permission.VIEW_CASES, tenant_id=tenant.pk) else request.actor.known_id
