"""Entry points from the queue."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from backfills.services import inspections, runs
from core import queue
from core.actor import Actor
from core.queue import Scope, task

BACKFILLS = Actor.system("backfills")
TURN = timedelta(minutes=1)
"""How long a run may keep others waiting for its worker."""
OUTAGES = 50
"""A run takes hours and goes on where it stands, so it outlives more outages than a short job."""


@task(scope=Scope.TENANT, timeout=timedelta(hours=6), long=True, max_attempts=OUTAGES)
def advance_run(*, tenant_id: UUID, run_id: str, job_id: UUID) -> None:
    """Bring a run to its end (or its pause), one committed step after the other.

    Once it had its turn it gives way to other tenants' long jobs after the step it is at.
    """
    began = timezone.now()
    while runs.advance(run_id=UUID(run_id), by=BACKFILLS, at=timezone.now(), job_id=job_id):
        if timezone.now() - began >= TURN and queue.others_wait(tenant_id=tenant_id):
            raise queue.GiveWay


@task(scope=Scope.TENANT, timeout=timedelta(hours=6), long=True)
def inspect(*, inspection_id: str, job_id: UUID) -> None:
    """Judge every row of a tenant without moving one."""
    inspections.carry_out(inspection_id=UUID(inspection_id), by=BACKFILLS, now=timezone.now, job_id=job_id)


@task(scope=Scope.TENANT, timeout=timedelta(hours=6), long=True, max_attempts=OUTAGES)
def help_run(*, run_id: str, job_id: UUID) -> None:
    """Move batches of a run beside the job that advances it, while no other tenant waits for the worker."""
    while runs.help_along(run_id=UUID(run_id), at=timezone.now(), job_id=job_id):
        pass
