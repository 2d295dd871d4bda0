"""Parity on screen: the history of comparisons, one report, and the button that asks for another."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.charts import Goal
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from parity_reports.models import Report
from parity_reports.queries import reports as queries
from parity_reports.queries import screens, verification
from parity_reports.queries.screens import drift as drift_screens
from parity_reports.queries.screens import shadow as shadow_screens
from parity_reports.services import reports

HISTORY, REPORT = "parity_reports/history.html", "parity_reports/report.html"
GOAL = Goal(99.9, "target 99.9%")
_PER_PAGE = 20


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def history(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show every comparison, newest first, and how parity developed."""
    page = Paginator(queries.history(tenant_id=tenant.pk), _PER_PAGE).get_page(request.GET.get("page"))
    trend = screens.trend(tenant_id=tenant.pk, zone=ZoneInfo(tenant.time_zone))
    drift = drift_screens.summary(tenant_id=tenant.pk, at=timezone.now())
    shadow = shadow_screens.summary(tenant_id=tenant.pk, at=timezone.now())
    context = {"tenant": tenant, "page": page, "trend": trend, "goal": GOAL, "drift": drift, "shadow": shadow}
    context |= _may(request, tenant)
    return render(request, HISTORY, context)


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def report(request: ActingRequest, tenant: Tenant, report_id: UUID) -> HttpResponse:
    """Show one comparison; to htmx only what changes while it runs."""
    found = queries.find(tenant_id=tenant.pk, report_id=report_id)
    if found is None:
        raise Http404
    part = request.headers.get("HX-Request") == "true"
    verifiable = verification.of(
        found, slug=tenant.slug, with_code=request.actor.can(Permission.VERIFY_PARITY, tenant_id=tenant.pk)
    )
    context = {"tenant": tenant, "report": screens.of(found), "verifiable": verifiable, **_may(request, tenant)}
    context |= trend_of(tenant, found)
    response = render(request, f"{REPORT}#live" if part else REPORT, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.RUN_PARITY)
def request_report(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Ask for a comparison and lead to it."""
    problem, to = None, reverse("parity_reports:history", args=[tenant.slug])
    try:
        asked = reports.request(
            tenant_id=tenant.pk, by=request.actor, at=timezone.now(), method=request.POST.get("method", "full")
        )
        to = reverse("parity_reports:report", args=[tenant.slug, asked.pk])
    except reports.UnableToCompare as refusal:
        problem = refusal
    return answer(request, f"{HISTORY}#ask", {"tenant": tenant, "may_compare": True}, to=to, problem=problem)


def trend_of(tenant: Tenant, report: Report) -> dict[str, Any]:
    """Return what a finished report's page and paper draw of how it went before; nothing while it runs."""
    if report.state != Report.State.FINISHED:
        return {}
    return {"trend": screens.trend(tenant_id=tenant.pk, zone=ZoneInfo(tenant.time_zone), upto=report), "goal": GOAL}


def _may(request: ActingRequest, tenant: Tenant) -> dict[str, bool]:
    return {"may_compare": request.actor.can(Permission.RUN_PARITY, tenant_id=tenant.pk)}
