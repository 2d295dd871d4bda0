"""Live jobs: what runs for this tenant, how far it is, and what it left."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.queries.tenants import Tenant
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from portal.dashboard.queries import jobs

PAGE = "portal/jobs.html"


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def live(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the jobs; to htmx only their list, which asks again while one runs."""
    template = f"{PAGE}#jobs" if request.headers.get("HX-Request") else PAGE
    found = jobs.read(tenant_id=tenant.pk, at=timezone.now())
    response = render(request, template, {"tenant": tenant, "jobs": found})
    patch_vary_headers(response, ["HX-Request"])
    return response
