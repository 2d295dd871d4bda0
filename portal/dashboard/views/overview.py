"""The overview: where the move stands, and what it needs from this person."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Tenant
from core.permissions import Permission
from core.web import tenant_view
from portal.dashboard.queries import overviews


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def overview(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Show the whole move on one page."""
    view = overviews.read(tenant=tenant, at=timezone.now())
    return render(request, "portal/overview.html", {"tenant": tenant, "overview": view})
