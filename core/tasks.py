"""Entry points of the floor: what answers Celery's bell, and the floor's own jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import shared_task

from core import holds, ledger, outbox, queue, readiness, toggles
from core.actor import Actor
from core.api import idempotency
from core.queue import Scope, task
from core.queue.bell import BELL

READINESS = Actor.system("readiness")
CLOCK = Actor.system("clock")


@shared_task(name=BELL)
def answer_bell(*, job_id: str, tenant_id: str | None = None, **_: Any) -> None:
    """Run the job the bell rang for, if it still waits."""
    queue.run(job_id=UUID(job_id), tenant_id=UUID(tenant_id) if tenant_id else None)


@shared_task(name="core.sweep")
def sweep(**_: Any) -> None:
    """Ring again, free, enqueue what is periodic; beat calls this every few seconds."""
    queue.sweep()


@task(scope=Scope.TENANT)
def deliver(*, tenant_id: UUID, event_id: str, subscriber: str) -> None:
    """Hand one event to one subscriber."""
    outbox.deliver(tenant_id=tenant_id, event_id=UUID(event_id), subscriber=subscriber)


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def prune(*, at: datetime) -> None:
    """Delete jobs, events, findings and kept answers of long ago."""
    queue.prune(at=at)
    outbox.prune(at=at)
    readiness.prune(at=at)
    idempotency.prune(at=at)


@task(scope=Scope.TENANT, timeout=timedelta(minutes=20))
def evaluate_readiness(
    *,
    tenant_id: UUID,
    job_id: UUID,
    at: datetime,
    requested_by: UUID | None = None,
    check_id: str | None = None,
    expiring: bool = False,
) -> None:
    """Ask one check of a tenant, those about to expire, or all."""
    checks = [check_id] if check_id else None
    if expiring:
        checks = readiness.expiring(tenant_id=tenant_id, at=at)
    readiness.evaluate(
        tenant_id=tenant_id, by=READINESS, at=at, checks=checks, job_id=job_id, requested_by=requested_by
    )


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def evaluate_expiring(*, at: datetime) -> None:
    """Have answers that are about to expire asked again."""
    readiness.request_expiring(by=READINESS, at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def end_expired(*, at: datetime) -> None:
    """End toggles and holds whose time is over, and leave it in the ledger."""
    toggles.end_expired(by=CLOCK, at=at)
    holds.end_expired(by=CLOCK, at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=5))
def sign_checkpoints(*, at: datetime) -> None:
    """Sign every chain of the ledger that grew."""
    ledger.checkpoint_all(at=at)
