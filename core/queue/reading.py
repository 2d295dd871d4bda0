"""What the queue tells: the jobs of a tenant, their progress, and the time they will honestly take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from core import tenancy
from core.actor import Actor
from core.domain.jobs import UNFINISHED, JobState, Progress
from core.models import Job
from core.queue import claims
from core.queue.registry import TASKS

QUEUE = Actor.system("queue")


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as screens show it."""

    id: UUID
    tenant_id: UUID | None
    task: str
    key: str
    state: JobState
    progress: Progress
    message: str
    problem: str
    error: str
    attempts: int
    max_attempts: int
    requested_by: UUID | None
    created_at: datetime
    not_before: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_asked_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Say whether a page may stop asking."""
        return self.state not in UNFINISHED


def job(job_id: UUID) -> JobView | None:
    """Return a job that the present scope may see."""
    row = Job.objects.filter(pk=job_id).first()
    return _view(row) if row else None


def jobs(
    tenant_id: UUID | None,
    *,
    task: str | None = None,
    key: str | None = None,
    tasks: Collection[str] | None = None,
    unfinished: bool = False,
    before: UUID | None = None,
    limit: int = 50,
) -> list[JobView]:
    """Return a tenant's newest jobs (of one task, or of some), or the house's own (None), newest first.

    Only those older than the job `before`, if given (pages).
    """
    rows = Job.objects.of(tenant_id)
    if tasks is not None:
        rows = rows.filter(task__in=tasks)
    if task is not None:
        rows = rows.filter(task=task)
    if key is not None:
        rows = rows.filter(key=key)
    if unfinished:
        rows = rows.filter(state__in=[state.value for state in UNFINISHED])
    if before is not None:
        rows = rows.filter(sequence__lt=Job.objects.filter(pk=before).values("sequence"))
    return [_view(row) for row in rows.order_by("-sequence")[:limit]]


@dataclass(frozen=True, slots=True)
class Depth:
    """How much there is to do, and what nobody will do by itself."""

    waiting: int
    oldest_since: datetime | None
    """Since when the longest-waiting due job could have run."""
    running: int
    dead: int


def depth(*, at: datetime) -> Depth:
    """Return the depth of the whole queue; needs a staff scope, or it is that of one tenant."""
    unfinished = Job.objects.filter(state__in=[state.value for state in UNFINISHED])
    due = Q(state=JobState.QUEUED.value, not_before__lte=at)
    counted = unfinished.aggregate(
        waiting=Count("pk", filter=due),
        oldest=Min("not_before", filter=due),
        running=Count("pk", filter=Q(state=JobState.RUNNING.value)),
    )
    dead = Job.objects.filter(state=JobState.DEAD.value).count()
    return Depth(counted["waiting"], counted["oldest"], counted["running"], dead)


def _view(row: Job) -> JobView:
    return JobView(
        id=row.pk,
        tenant_id=row.tenant_id,
        task=row.task,
        key=row.key,
        state=JobState(row.state),
        progress=Progress(row.done, row.total, row.measured_at, row.first_done),
        message=row.message,
        problem=row.problem,
        error=row.error,
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        requested_by=row.requested_by,
        created_at=row.created_at,
        not_before=row.not_before,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_asked_at=row.cancel_asked_at,
    )


def others_wait(*, tenant_id: UUID) -> bool:
    """Say whether a long job of another tenant waits for nothing but a worker: who helps or had a turn stands back."""
    long = [registered.name for registered in TASKS.values() if registered.long]
    with tenancy.staff_scope(by=QUEUE, reason="queue: whether others wait for a worker"):
        waiting = Job.objects.filter(state=JobState.QUEUED.value, not_before__lte=Now(), task__in=long)
        return claims.free(waiting).exclude(tenant_id=tenant_id).exists()
