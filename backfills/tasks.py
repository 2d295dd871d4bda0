"""Entry points from the queue."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from backfills.services import inspections, letters, pacing, runs, standing
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

    Once it had its turn it gives way to other tenants' long jobs after the step it is at, and where the tenant's rows
    per second are limited it steps back after each batch until the limit lets the next one be read.
    """
    _advance(tenant_id, run_id, job_id)


@task(scope=Scope.TENANT, timeout=timedelta(hours=6), long=True, max_attempts=OUTAGES)
def keep_up_run(*, tenant_id: UUID, run_id: str, job_id: UUID) -> None:
    """Bring a run of a standing catch-up to its end, like any other; nobody watches for it."""
    _advance(tenant_id, run_id, job_id)


def _advance(tenant_id: UUID, run_id: str, job_id: UUID) -> None:
    began = timezone.now()
    while True:
        if held := pacing.held_until(tenant_id=tenant_id, at=timezone.now()):
            raise queue.GiveWay(held)  # the worker is free for others meanwhile
        if not runs.advance(run_id=UUID(run_id), by=BACKFILLS, at=timezone.now(), job_id=job_id):
            return
        if timezone.now() - began >= TURN and queue.others_wait(tenant_id=tenant_id):
            raise queue.GiveWay


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def keep_up(*, at: datetime) -> None:
    """Have every tenant caught up whose standing catch-up is due."""
    standing.request_due(by=BACKFILLS, at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=5))
def end_given_up(*, at: datetime) -> None:
    """End standing catch-ups that no job works on any more."""
    standing.end_given_up(by=BACKFILLS, at=at)


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def expire_letters(*, at: datetime) -> None:
    """Delete copies of rejected rows that nobody tried again for long."""
    letters.expire(by=BACKFILLS, at=at)


@task(scope=Scope.TENANT)
def catch_up(*, tenant_id: UUID, at: datetime) -> None:
    """Start a tenant's standing catch-up."""
    standing.catch_up(tenant_id=tenant_id, by=BACKFILLS, at=at)


@task(scope=Scope.TENANT, timeout=timedelta(hours=6), long=True)
def inspect(*, inspection_id: str, job_id: UUID) -> None:
    """Judge every row of a tenant without moving one."""
    inspections.carry_out(inspection_id=UUID(inspection_id), by=BACKFILLS, now=timezone.now, job_id=job_id)


@task(scope=Scope.TENANT, timeout=timedelta(hours=6), long=True, max_attempts=OUTAGES)
def help_run(*, run_id: str, job_id: UUID) -> None:
    """Move batches of a run beside the job that advances it, while no other tenant waits for the worker."""
    while runs.help_along(run_id=UUID(run_id), at=timezone.now(), job_id=job_id):
        pass
