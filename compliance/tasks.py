"""Entry points from the queue."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from compliance.services import deletions
from core import tenancy
from core.actor import Actor
from core.queue import Scope, task

COMPLIANCE = Actor.system("compliance")


@task(scope=Scope.TENANT, timeout=timedelta(minutes=30))
def carry_out(*, deletion_id: str) -> None:
    """Carry out a deletion that was ordered."""
    tenant_id = tenancy.current().tenant_id
    assert tenant_id is not None
    deletions.carry_out(tenant_id=tenant_id, deletion_id=UUID(deletion_id), by=COMPLIANCE, at=timezone.now())
