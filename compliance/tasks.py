"""Entry points from the queue."""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from compliance.domain.datasets import Dataset
from compliance.services import deletions
from core import holds, queue, tenancy
from core.actor import Actor
from core.queue import Scope, task

COMPLIANCE = Actor.system("compliance")


@task(scope=Scope.SYSTEM, every=timedelta(days=1))
def find_due_erasures(*, at: datetime) -> None:
    """Have what was kept of the move erased of every account whose move was over a quarter ago."""
    for dataset in reversed(Dataset):  # stage data last: to count those the new platform is asked, and it may be away
        for tenant_id in deletions.due_erasures(at=at, dataset=dataset):
            queue.enqueue(
                "compliance.tasks.erase", tenant_id=tenant_id, key=f"{tenant_id}:{dataset}", dataset=dataset.value
            )


@task(scope=Scope.TENANT, max_attempts=1)
def erase(*, tenant_id: UUID, dataset: str, at: datetime) -> None:
    """Order the erasure for one account; what refuses it today is asked again tomorrow."""
    with suppress(deletions.UnableToDelete, holds.LegallyHeld):
        deletions.order(tenant_id=tenant_id, dataset=Dataset(dataset), by=COMPLIANCE, at=at)


@task(scope=Scope.TENANT, timeout=timedelta(minutes=30))
def carry_out(*, deletion_id: str) -> None:
    """Carry out a deletion that was ordered."""
    tenant_id = tenancy.current().tenant_id
    assert tenant_id is not None
    deletions.carry_out(tenant_id=tenant_id, deletion_id=UUID(deletion_id), by=COMPLIANCE, at=timezone.now())
