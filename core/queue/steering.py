"""What people do with jobs: cancel one, or try a dead one again."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from core.actor import Actor
from core.domain.jobs import JobState
from core.errors import NotFound, UseCaseError
from core.models import Job
from core.permissions import Permission
from core.queue import bell


class UnableToCancel(UseCaseError):
    """The job is over already."""


class UnableToRetry(UseCaseError):
    """Only a job that was given up is tried again."""


def cancel(job_id: UUID, *, by: Actor) -> None:
    """Cancel a waiting job, or ask a running one to stop at its next step; safe to repeat.

    The use case that calls has authorised: who may cancel depends on what the job does. Raises `UnableToCancel` when
    it is over.
    """
    asked = {"cancel_asked_at": Now(), "cancel_asked_by": by.id}
    jobs = Job.objects.filter(pk=job_id)
    if jobs.filter(state=JobState.QUEUED.value).update(
        state=JobState.CANCELLED.value,
        finished_at=Now(),
        problem="Cancelled before it began.",
        **asked,
    ):
        return
    if jobs.filter(state=JobState.RUNNING.value, cancel_asked_at=None).update(**asked):
        return
    if jobs.filter(state__in=[JobState.RUNNING.value, JobState.CANCELLED.value]).exists():
        return
    raise UnableToCancel("It is over already, so there is nothing left to cancel.")


def retry(job_id: UUID, *, by: Actor) -> None:
    """Put a dead job back with a fresh count of attempts; raises `UnableToRetry` when it is not dead."""
    found = Job.objects.filter(pk=job_id).first()
    if found is None:
        raise NotFound
    by.require(Permission.MANAGE_RUNS, tenant_id=found.tenant_id)
    try:
        with transaction.atomic():
            dead = Job.objects.select_for_update().filter(pk=job_id, state=JobState.DEAD.value).first()
            if dead is None:
                raise UnableToRetry("Only a job that was given up can be tried again.")
            Job.objects.filter(pk=job_id).update(
                state=JobState.QUEUED.value,
                attempts=0,
                not_before=Now(),
                rung_at=Now(),
                finished_at=None,
                cancel_asked_at=None,
                cancel_asked_by=None,
                requested_by=by.id,
            )
            transaction.on_commit(
                partial(bell.ring, job_id=dead.pk, tenant_id=dead.tenant_id, task=dead.task),
                robust=True,
            )
    except IntegrityError as error:
        raise UnableToRetry("The same work is waiting already.") from error
