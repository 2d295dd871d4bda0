"""What the workers of `bench/queue_throughput.py` run: the same single row, through the queue and by bare Celery."""

from uuid import UUID, uuid4

from celery import shared_task

from core import tenancy
from core.models import Event
from core.queue import Scope, task


def write(tenant_id: UUID) -> None:
    """Commit one row."""
    Event.objects.create(id=uuid4(), tenant_id=tenant_id, name="bench")


@task(scope=Scope.TENANT)
def through_the_queue(*, tenant_id: UUID) -> None:
    """Write in a job."""
    write(tenant_id)


@shared_task(name="bench.bare")
def bare(*, tenant_id: str) -> None:
    """Write in a Celery task that knows of no job, in the same scope."""
    with tenancy.scope(tenant_id=UUID(tenant_id)):
        write(UUID(tenant_id))
