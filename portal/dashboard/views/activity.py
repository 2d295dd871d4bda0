"""Activity: what was done, by whom, as the ledger keeps it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.queries.tenants import Tenant
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from portal.dashboard.queries import activity


@require_safe
@tenant_view(Permission.VIEW_LEDGER)
def entries(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the ledger's entries, newest first; `?before=` pages to older ones."""
    before = request.GET.get("before", "")
    page = activity.read(tenant_id=tenant.pk, before=int(before) if before.isdecimal() and len(before) < 19 else None)
    return render(request, "portal/activity.html", {"tenant": tenant, "page": page, "is_first": not before})
