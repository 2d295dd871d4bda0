"""The overview: where the move stands, and what it needs from this person."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.queries.tenants import Tenant
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from portal.dashboard.queries import overviews

PAGE = "portal/overview.html"


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def overview(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the whole move on one page; to htmx only what moves."""
    template = f"{PAGE}#moving" if request.headers.get("HX-Request") else PAGE
    found = overviews.read(tenant=tenant, by=request.actor, at=timezone.now())
    response = render(request, template, {"tenant": tenant, "overview": found})
    patch_vary_headers(response, ["HX-Request"])
    return response
