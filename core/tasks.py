"""Entry points of the floor: what answers Celery's bell, and the floor's own jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import shared_task

from core import outbox, queue
from core.queue import Scope, task
from core.queue.bell import BELL


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
    """Delete jobs and events that ended long ago."""
    queue.prune(at=at)
    outbox.prune(at=at)
