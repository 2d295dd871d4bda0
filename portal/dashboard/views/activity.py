"""Activity: what was done, by whom, as the ledger keeps it."""

from pathlib import Path

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core import chain, ledger
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from portal.dashboard.queries import activity
from portal.dashboard.services import ledger as taking_out


@require_safe
@tenant_view(Permission.VIEW_LEDGER)
def entries(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the ledger's entries, newest first; `?before=` pages to older ones."""
    before = request.GET.get("before", "")
    page = activity.read(tenant_id=tenant.pk, before=int(before) if before.isdecimal() and len(before) < 19 else None)
    context = {"tenant": tenant, "page": page, "is_first": not before, "public_key": ledger.public_key()}
    return render(request, "portal/activity.html", context)


@require_POST
@tenant_view(Permission.VIEW_LEDGER)
def export(request: ActingRequest, tenant: Tenant) -> StreamingHttpResponse:
    """Send the ledger as a file that can be verified without us."""
    now = timezone.now()
    lines = taking_out.export(tenant_id=tenant.pk, by=request.actor, at=now)
    name = f"{tenant.slug}-ledger-{now:%Y%m%dT%H%M%SZ}.jsonl"
    return StreamingHttpResponse(
        lines,
        content_type="application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@require_safe
@tenant_view(Permission.VIEW_LEDGER)
def verifier(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Send the program that verifies the file: one module, which needs nothing of ours."""
    return HttpResponse(
        Path(chain.__file__).read_bytes(),
        content_type="text/x-python; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="verify_ledger.py"'},
    )
