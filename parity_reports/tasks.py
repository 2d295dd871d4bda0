"""Entry points of the jobs of parity reports."""

from datetime import datetime
from uuid import UUID

from core.actor import Actor
from core.queue import Scope, task
from parity_reports.services import reports

ATTEMPTS = 5


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
