"""What follows once a comparison is finished."""

from uuid import UUID

from core import readiness
from core.actor import Actor
from core.outbox import subscribe


@subscribe("parity_reports.report.finished")
def ask_checks_again(*, tenant_id: UUID) -> None:
    """Have the tenant's checks answer anew: what they said of parity is older than the report."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("parity"))


@subscribe("parity_reports.drift.changed")
def ask_about_drift(*, tenant_id: UUID) -> None:
    """Have the check of drift answer anew once a re-check found something else than before."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("parity"), check_id="parity_reports.drift")


@subscribe("parity_reports.workflow.decided")
def ask_workflows_again(*, tenant_id: UUID) -> None:
    """Have the check answer anew once somebody decided about a workflow."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("parity"), check_id="parity_reports.workflows_tried")


@subscribe("parity_reports.shadow.changed")
def ask_about_shadow_reads(*, tenant_id: UUID) -> None:
    """Have the check of shadow reads answer anew once a round found something else than before."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("parity"), check_id="parity_reports.shadow_reads")
