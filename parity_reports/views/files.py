"""A finished report as files: JSON, byte for byte what its digest is taken of; PDF for people; CSV and XLSX."""

import hashlib
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from accounts.queries.tenants import Tenant
from core import pdf
from core.permissions import Permission
from core.sheets import csv_response, xlsx_response
from core.web import ActingRequest, tenant_view
from parity_reports.models import Report
from parity_reports.queries import files, reports, screens, verification
from parity_reports.views.reports import trend_of

_LINES_ON_PAPER = 60
"""Lines of one table that a PDF shows: a hundred take it a second. The other files have them all."""


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_json(request: ActingRequest, tenant: Tenant, report_id: UUID) -> HttpResponse:
    """Send the canonical JSON: its SHA-256 is the digest on the page."""
    report = _finished(tenant, report_id)
    name = files.name(tenant.slug, report, "json")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(files.sealed(report), content_type="application/json", headers=headers)


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_csv(request: ActingRequest, tenant: Tenant, report_id: UUID) -> HttpResponseBase:
    """Send one flat table; each line names the run and its digest."""
    return table(tenant, _finished(tenant, report_id))


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_xlsx(request: ActingRequest, tenant: Tenant, report_id: UUID) -> HttpResponseBase:
    """Send a workbook; its first sheet names the run and its digest."""
    return workbook(tenant, _finished(tenant, report_id))


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def as_pdf(request: ActingRequest, tenant: Tenant, report_id: UUID) -> HttpResponse:
    """Send the report for paper and for people without a sign-in."""
    return document(tenant, _finished(tenant, report_id))


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def verifier_file(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Send the verifier of parity reports: one file that needs nothing of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{verification.FILE}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(verification.script(), content_type="text/x-python; charset=utf-8", headers=headers)


def table(tenant: Tenant, report: Report) -> HttpResponseBase:
    """Answer with a finished report as CSV (formulas defused)."""
    rows = list(files.lines(report))  # read now: what no longer matches its digest is refused, not sent in part
    return csv_response(name=files.name(tenant.slug, report, "csv"), header=files.HEADER, rows=rows)


def workbook(tenant: Tenant, report: Report) -> HttpResponseBase:
    """Answer with a finished report as XLSX, in which no text is a formula."""
    assert report.finished_at is not None  # only a finished report is a file
    return xlsx_response(
        name=files.name(tenant.slug, report, "xlsx"), sheets=files.sheets(report), at=report.finished_at
    )


def document(tenant: Tenant, report: Report) -> HttpResponse:
    """Answer with a finished report as PDF. Raises `UnableToPrint` where the machine lacks the libraries."""
    files.sealed(report)
    context = {"tenant": tenant, "report": screens.of(report), "cut": f":{_LINES_ON_PAPER}"}
    context |= trend_of(tenant, report)
    html = render_to_string("parity_reports/paper.html", context)
    body = pdf.render(html, digest=hashlib.sha256(html.encode()).hexdigest())
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{files.name(tenant.slug, report, "pdf")}"'
    return response


def _finished(tenant: Tenant, report_id: UUID) -> Report:
    report = reports.find(tenant_id=tenant.pk, report_id=report_id)
    if report is None or report.state != Report.State.FINISHED:
        raise Http404
    return report
