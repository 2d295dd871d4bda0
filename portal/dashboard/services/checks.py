"""Stopping an evaluation that does not move."""

from uuid import UUID

from core import queue
from core.actor import Actor
from core.errors import NotFound
from core.permissions import Permission
from core.readiness.requesting import TASK


def stop(*, tenant_id: UUID, job_id: UUID, by: Actor) -> None:
    """Stop an evaluation of the tenant; what it has found so far stays. Safe to repeat.

    Raises `NotFound` for a job that is none, `queue.UnableToCancel` when it is over.
    """
    by.require(Permission.RUN_CHECKS, tenant_id=tenant_id)
    job = queue.job(job_id)
    if job is None or job.tenant_id != tenant_id or job.task != TASK:
        raise NotFound("There is no such run.")
    queue.cancel(job_id, by=by)
