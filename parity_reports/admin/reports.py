"""Parity reports in the staff's admin, in the tenants' list and among the programme's numbers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from core.admin import (
    PROGRAMME_NUMBERS,
    TENANT_COLUMNS,
    TENANT_PANELS,
    Number,
    StaffAdmin,
    TenantColumn,
    TenantPanel,
    operation,
)
from core.permissions import Permission
from parity_reports.domain import verdict
from parity_reports.domain.verdict import Tally
from parity_reports.models import Reliance, Report
from parity_reports.queries import drift as drift_queries
from parity_reports.queries import reliances, reports
from parity_reports.queries.catalogue import UnableToReadCatalogue
from parity_reports.services import reports as services


@admin.register(Report)
class ReportAdmin(StaffAdmin):
    """Every comparison: what was compared, what came out, and the digest that seals it."""

    list_display = ("tenant", "requested_at", "method", "state", "verdict", "compared", "errors", "invariants")
    list_filter = ("verdict", "method", "state")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    ordering = ("-requested_at",)

    @admin.display(description="do not agree")
    def errors(self, report: Report) -> int:
        """Return the records that do not agree."""
        return report.tally.errors

    @admin.display(description="invariants that hold")
    def invariants(self, report: Report) -> str:
        """Return how many invariants hold."""
        return f"{report.invariants_passed} of {report.invariants_total}"

    @operation("Run a new comparison", permission=Permission.RUN_PARITY)
    def compare(self, request: HttpRequest, report: Report, answers: Mapping[str, Any]) -> str:
        """Ask for a comparison of the same tenant as it is now."""
        asked = services.request(tenant_id=report.tenant_id, by=self.actor(request), at=timezone.now())
        return f"The comparison of {report.tenant} is under way: run {asked.run}."


def _drifting(tenant_ids: list[UUID]) -> dict[UUID, str]:
    return {tenant_id: f"{number:,}" for tenant_id, number in drift_queries.differing_of_many(tenant_ids).items()}


def _verdicts(tenant_ids: list[UUID]) -> dict[UUID, str]:
    return {row.tenant_id: row.verdict for row in reports.latest_of_many(tenant_ids=tenant_ids)}


def _numbers(at: datetime) -> list[Number]:
    rows = reports.latest_of_many()
    tally = sum((row.tally for row in rows), Tally())
    passed, total = sum(row.invariants_passed for row in rows), sum(row.invariants_total for row in rows)
    rate = verdict.pass_rate(passed=passed, total=total)
    listed = reverse("admin:parity_reports_report_changelist")
    return [
        Number(
            "Records that differ",
            verdict.share(tally.error_rate, digits=3) if tally.compared else "–",
            f"≤ 0.1 %, over the last comparisons of {len(rows):,} tenants",
            tally.error_rate <= verdict.PARITY_ERROR_TARGET if tally.compared else None,
            listed,
        ),
        Number(
            "Invariants that hold",
            verdict.share(rate, digits=1) if total else "–",
            "≥ 99.9 %",
            rate >= verdict.INVARIANT_TARGET if total else None,
            listed,
        ),
    ]


@admin.register(Reliance)
class RelianceAdmin(StaffAdmin):
    """What customers rely on, and what they decided about it."""

    list_display = ("workflow", "tenant", "relied_at", "tried_at", "accepted_at", "reason")
    list_filter = ("workflow", ("tried_at", admin.EmptyFieldListFilter), ("accepted_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("workflow", "tenant__name", "reason")
    ordering = ("-relied_at",)


def _ux_parity(tenant_ids: list[UUID]) -> dict[UUID, str]:
    try:
        found = reliances.ux_parity(tenant_ids=tenant_ids, at=timezone.now())
    except UnableToReadCatalogue:  # the list has more to show than this column
        return {}
    return {tenant_id: ux.words for tenant_id, ux in found.items()}


def _workflows(tenant_id: UUID) -> Mapping[str, Any]:
    try:
        ux = reliances.ux_parity(tenant_ids=[tenant_id], at=timezone.now())[tenant_id]
    except UnableToReadCatalogue as refusal:
        return {"problem": refusal}
    return {"ux": ux, "matrix": f"{reverse('staff_parity_reports:workflows')}?segment={ux.segment}"}


TENANT_COLUMNS.add("parity", TenantColumn("parity", _verdicts, empty="not compared"))
PROGRAMME_NUMBERS.add("parity_reports", _numbers)
TENANT_COLUMNS.add("drift", TenantColumn("drift", _drifting))
TENANT_COLUMNS.add("ux_parity", TenantColumn("UX parity", _ux_parity))
TENANT_PANELS.add("workflows", TenantPanel("Workflows", "admin/panels/workflows.html", _workflows, order=40))
