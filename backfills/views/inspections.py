"""What would become of every row: asked for before anything moves, watched while it is found out, and told by fix."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from backfills.queries import inspections as queries
from backfills.services import inspections
from core import holds
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view

PAGE = "backfills/inspection.html"
PART = f"{PAGE}#found"


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def latest(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the latest inspection; to htmx only the part that asks again while it runs."""
    response = render(request, PART if request.headers.get("HX-Request") else PAGE, _context(request, tenant))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.MANAGE_RUNS)
def request(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Ask for an inspection."""
    problem = None
    try:
        inspections.request(tenant_id=tenant.pk, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        problem = refusal
    to = reverse("backfills:inspection", args=[tenant.slug])
    return answer(request, PART, _context(request, tenant), to=to, problem=problem)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    return {
        "tenant": tenant,
        "found": queries.latest(tenant_id=tenant.pk),
        "is_held": holds.is_legally_held(tenant_id=tenant.pk, at=timezone.now()),
        "may_manage": request.actor.can(Permission.MANAGE_RUNS, tenant_id=tenant.pk),
    }
