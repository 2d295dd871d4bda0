"""What was preserved of an account under a legal hold, for whoever has to produce it."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.queries import tenants
from accounts.queries.tenants import Tenant
from compliance.queries import preservation as queries
from compliance.services import preservation
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, staff_view


class ReasonForm(forms.Form):
    """Why the copies are handed out."""

    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Name the matter, not the person: it is kept in the activity log.",
    )


@require_safe
@staff_view(Permission.VIEW_OBLIGATIONS, reason="what a legal hold preserved")
def page(request: ActingRequest, tenant_id: UUID) -> HttpResponse:
    """Tell how much is preserved, and ask whoever may take it for the reason."""
    return _page(request, _find(tenant_id), ReasonForm(), status=200)


@require_POST
@staff_view(Permission.MANAGE_OBLIGATIONS, reason="take what a legal hold preserved")
def take(request: ActingRequest, tenant_id: UUID) -> HttpResponseBase:
    """Send the copies to whoever says why."""
    tenant, form = _find(tenant_id), ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, tenant, form, status=422)
    try:
        lines = preservation.export(
            tenant_id=tenant.pk, reason=form.cleaned_data["reason"], by=request.actor, at=timezone.now()
        )
    except UseCaseError as refusal:
        return _page(request, tenant, form, refusal, status=refusal.status)
    response = StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{tenant.slug}-preserved.jsonl"'
    response["Cache-Control"] = "no-store"
    return response


def _find(tenant_id: UUID) -> Tenant:
    try:
        return tenants.get(tenant_id=tenant_id)
    except Tenant.DoesNotExist as error:
        raise Http404 from error


def _page(
    request: ActingRequest, tenant: Tenant, form: forms.Form, problem: UseCaseError | None = None, *, status: int
) -> HttpResponse:
    found = queries.preserved(tenant_id=tenant.pk, at=timezone.now())
    may_take = request.actor.can(Permission.MANAGE_OBLIGATIONS)
    context = {"account": tenant, "found": found, "form": form, "problem": problem, "may_take": may_take}
    return render(request, "compliance/preserved.html", context, status=status)
