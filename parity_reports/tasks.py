"""Entry points of the jobs of parity reports."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from core.actor import Actor
from core.queue import Scope, task
from parity_reports.services import drift, repairs, reports

ATTEMPTS = 5
DRIFT = Actor.system("drift")


@task(scope=Scope.TENANT, max_attempts=ATTEMPTS, long=True)
def advance_report(*, tenant_id: UUID, report_id: str, job_id: UUID, attempt: int, at: datetime) -> None:
    """Compare the next segment of a report."""
    reports.advance(
        tenant_id=tenant_id,
        report_id=UUID(report_id),
        by=Actor.system("queue"),
        at=at,
        is_last_attempt=attempt >= ATTEMPTS,
        job_id=job_id,
    )


@task(scope=Scope.SYSTEM, every=timedelta(minutes=5))
def watch_drift(*, at: datetime) -> None:
    """Have every tenant looked at again that is due."""
    drift.request_due(by=DRIFT, at=at)


@task(scope=Scope.TENANT, max_attempts=ATTEMPTS, long=True)
def recheck(*, tenant_id: UUID, job_id: UUID, attempt: int) -> None:
    """Read a tenant's entities again, and tell what came to differ since their comparison."""
    drift.recheck(tenant_id=tenant_id, by=DRIFT, now=timezone.now, is_last_attempt=attempt >= ATTEMPTS, job_id=job_id)


@task(scope=Scope.TENANT, max_attempts=ATTEMPTS, long=True)
def reconcile(*, reconciliation_id: str, job_id: UUID) -> None:
    """Carry out a reconciliation (or undo it), one committed batch after the other."""
    while repairs.advance(reconciliation_id=UUID(reconciliation_id), by=DRIFT, at=timezone.now(), job_id=job_id):
        pass


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def forget_former_states(*, at: datetime) -> None:
    """Delete what objects were before they were put right, once that can no longer be undone."""
    repairs.forget(by=DRIFT, at=at)
