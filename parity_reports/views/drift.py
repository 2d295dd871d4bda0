"""Drift on screen: what came to differ since the comparison, and the button that looks again."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from parity_reports.queries.screens import drift as drift_screens
from parity_reports.services import drift

PAGE = "parity_reports/drift.html"


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def page(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show what came to differ; to htmx only what changes while somebody looks."""
    part = request.headers.get("HX-Request") == "true"
    response = render(request, f"{PAGE}#found" if part else PAGE, _context(request, tenant))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.RUN_PARITY)
def look(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Have everything looked at now."""
    problem = None
    try:
        drift.request(tenant_id=tenant.pk, by=request.actor, at=timezone.now())
    except drift.UnableToLook as refusal:
        problem = refusal
    to = reverse("parity_reports:drift", args=[tenant.slug])
    return answer(request, f"{PAGE}#found", _context(request, tenant), to=to, problem=problem)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    found = drift_screens.of(tenant_id=tenant.pk, at=timezone.now())
    may_look = request.actor.can(Permission.RUN_PARITY, tenant_id=tenant.pk)
    return {"tenant": tenant, "found": found, "may_look": may_look}
