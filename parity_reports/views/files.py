"""A finished report as files: JSON, byte for byte what its digest is taken of, and CSV for a spreadsheet."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from accounts.queries.tenants import Tenant
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from parity_reports.models import Report
from parity_reports.queries import files, reports, verification


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_json(request: ActingRequest, tenant: Tenant, report_id: UUID) -> HttpResponse:
    """Send the canonical JSON: its SHA-256 is the digest on the page."""
    report = _finished(tenant, report_id)
    return _attachment(files.sealed(report), "application/json", tenant, report, "json")


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_csv(request: ActingRequest, tenant: Tenant, report_id: UUID) -> HttpResponse:
    """Send one flat table; each line names the run and its digest."""
    report = _finished(tenant, report_id)
    return _attachment(files.table(report), "text/csv; charset=utf-8", tenant, report, "csv")


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def verifier_file(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Send the verifier of parity reports: one file that needs nothing of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{verification.FILE}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(verification.script(), content_type="text/x-python; charset=utf-8", headers=headers)


def _finished(tenant: Tenant, report_id: UUID) -> Report:
    report = reports.find(tenant_id=tenant.pk, report_id=report_id)
    if report is None or report.state != Report.State.FINISHED:
        raise Http404
    return report


def _attachment(body: bytes, kind: str, tenant: Tenant, report: Report, ending: str) -> HttpResponse:
    name = files.name(tenant.slug, report, ending)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type=kind, headers=headers)
