"""Entry points from the queue."""

from datetime import datetime, timedelta
from uuid import UUID

from core import queue
from core.actor import Actor
from core.queue import Scope, task
from integrations.queries import messages as listed
from integrations.services import erasure, harness, messages, rotations

INTEGRATIONS = Actor.system("integrations")


@task(scope=Scope.TENANT, timeout=timedelta(minutes=2))
def deliver(*, message_id: str, job_id: UUID, at: datetime) -> None:
    """Attempt one message."""
    messages.deliver(message_id=UUID(message_id), by=INTEGRATIONS, at=at, job_id=job_id)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def deliver_due(*, at: datetime) -> None:
    """Ring again for every message whose time has come: its own job may be lost."""
    for tenant_id, message_id in listed.due(at=at):
        queue.enqueue(messages.TASK, tenant_id=tenant_id, key=str(message_id), message_id=message_id)


@task(scope=Scope.TENANT, timeout=timedelta(minutes=5))
def run_harness(*, run_id: str, job_id: UUID, at: datetime) -> None:
    """Run the harness against one endpoint."""
    harness.run(run_id=UUID(run_id), by=INTEGRATIONS, at=at, job_id=job_id)


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def forget_messages(*, at: datetime) -> None:
    """Delete test messages and harness runs of long ago."""
    erasure.forget(at=at)


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def forget_old_secrets(*, at: datetime) -> None:
    """Forget the signing secrets whose overlap is over; they sign nothing since."""
    rotations.end_due(by=INTEGRATIONS, at=at)
