"""The snapshot of one account as PDF and CSV: for the customer, and the very same for whoever works with them."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.queries import tenants
from accounts.queries.tenants import Tenant
from core import pdf
from core.permissions import Permission
from core.sheets import csv_response
from core.web import ActingRequest, staff_view, tenant_view
from portal.dashboard.queries import snapshot


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_pdf(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Send the account's snapshot for paper and for people without a sign-in."""
    return _document(tenant)


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_csv(request: ActingRequest, tenant: Tenant) -> HttpResponseBase:
    """Send the same for a spreadsheet."""
    found = snapshot.read(tenant=tenant, at=timezone.now())
    first = (tenant.name, f"{found.at:%Y-%m-%d %H:%M}")
    return csv_response(
        name=f"{_name(found)}.csv",
        header=snapshot.HEADER,
        rows=((*first, *line) for line in snapshot.lines(found)),
    )


@require_safe
@staff_view(Permission.VIEW_PROGRAMME, reason="export an account's snapshot")
def for_staff(request: ActingRequest, tenant_id: UUID) -> HttpResponse:
    """Send the snapshot that the account's own people would get: it is safe to hand to them."""
    tenant = tenants.every().filter(pk=tenant_id).first()
    if tenant is None:
        raise Http404
    return _document(tenant)


def _document(tenant: Tenant) -> HttpResponse:
    found = snapshot.read(tenant=tenant, at=timezone.now())
    html = render_to_string("portal/snapshot.html", {"snapshot": found, "tenant": tenant})
    response = HttpResponse(pdf.render(html, digest=found.digest), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{_name(found)}.pdf"'
    return response


def _name(found: snapshot.Snapshot) -> str:
    return f"crossing-{found.tenant.slug}-{found.at:%Y-%m-%d}"
