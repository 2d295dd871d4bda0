"""Entry points from the queue."""

from datetime import datetime, timedelta
from uuid import UUID

from core.actor import Actor
from core.queue import Scope, task
from entitlements.services import snapshots

RECONCILIATION = Actor.system("reconciliation")


@task(scope=Scope.TENANT, timeout=timedelta(minutes=5))
def refresh(*, tenant_id: UUID, at: datetime) -> None:
    """Look at a tenant's contract on both platforms."""
    snapshots.take(tenant_id=tenant_id, by=RECONCILIATION, at=at)


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def reconcile(*, at: datetime) -> None:
    """Reconcile billing and entitlements of every tenant, each in a job of its own."""
    snapshots.request_all(by=RECONCILIATION)
