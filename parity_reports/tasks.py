"""Entry points of the jobs of parity reports."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from core.actor import Actor
from core.queue import Scope, task
from parity_reports.services import drift, repairs, reports
from parity_reports.services import shadow as shadowing

ATTEMPTS = 5
OUTAGES = 50
"""A reconciliation has begun to change objects, and goes on where it stands: it outlives more than a short job."""
DRIFT, SHADOW = Actor.system("drift"), Actor.system("shadow reads")


# An entity that a cluster compares is one attempt.
@task(scope=Scope.TENANT, max_attempts=ATTEMPTS, long=True, timeout=timedelta(hours=12))
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


@task(scope=Scope.TENANT, max_attempts=OUTAGES, long=True)
def reconcile(*, reconciliation_id: str, job_id: UUID) -> None:
    """Carry out a reconciliation (or undo it), one committed batch after the other."""
    while repairs.advance(reconciliation_id=UUID(reconciliation_id), by=DRIFT, at=timezone.now(), job_id=job_id):
        pass


@task(scope=Scope.SYSTEM, every=timedelta(minutes=5))
def take_up_reconciliations(*, at: datetime) -> None:
    """Go on with, or end, reconciliations that no job works on any more."""
    repairs.take_up(by=DRIFT, at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=5))
def take_up_reports(*, at: datetime) -> None:
    """Go on with, or end, comparisons that no job works on any more."""
    reports.take_up(by=Actor.system("queue"), at=at)


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def forget_former_states(*, at: datetime) -> None:
    """Delete what objects were before they were put right, once that can no longer be undone."""
    repairs.forget(by=DRIFT, at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def watch_shadow_reads(*, at: datetime) -> None:
    """Have reads made of both platforms for every tenant that is due."""
    shadowing.request_due(by=SHADOW, at=at)


@task(scope=Scope.TENANT, max_attempts=1)
def shadow(*, tenant_id: UUID) -> None:
    """Make one round of a tenant's shadow reads; the next minute brings the next one, whatever comes of it."""
    shadowing.advance(tenant_id=tenant_id, by=SHADOW, now=timezone.now)


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def forget_shadow_reads(*, at: datetime) -> None:
    """Delete what shadow reads have left behind and nobody looks at any more."""
    shadowing.forget(at=at)
