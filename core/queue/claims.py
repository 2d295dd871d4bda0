"""Claims: a worker holds a job by a lease, never by a lock, and whoever lost the lease writes nothing more."""

from __future__ import annotations

import random
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from core.domain.jobs import UNFINISHED, GiveUp, JobState, after_failure
from core.models import Job
from core.queue import bell


class LeaseLost(Exception):
    """Another worker may have the job: this attempt must write nothing more."""


class Cancelled(Exception):
    """Somebody asked to cancel the job: stop here, what is committed stays."""


class GiveWay(Exception):
    """The job steps back until others had their turn, or `until` a moment: what is committed stays, and it goes on."""

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__(until)
        self.until = until


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a job's row, as long as its token stands there."""

    job_id: UUID
    tenant_id: UUID | None
    task: str
    lane: str
    token: UUID
    attempt: int
    max_attempts: int
    requested_by: UUID | None
    payload: dict[str, Any]

    @classmethod
    def of(cls, job: Job, token: UUID) -> Lease:
        """Return the lease that the token gives on a job."""
        return cls(
            job_id=job.pk,
            tenant_id=job.tenant_id,
            task=job.task,
            lane=job.lane,
            token=token,
            attempt=job.attempts,
            max_attempts=job.max_attempts,
            requested_by=job.requested_by,
            payload=job.payload,
        )

    def row(self) -> QuerySet[Job]:
        """Return the row if the lease still holds it."""
        return Job.objects.filter(pk=self.job_id, claim=self.token, state=JobState.RUNNING.value)


CURRENT: ContextVar[Lease | None] = ContextVar("crossing_lease", default=None)
"""The lease under which this thread works."""


def moment(at: datetime | None) -> Any:
    """Return the moment as the database sees it, so that workers' clocks need not agree; a test may name one."""
    return Now() if at is None else Value(at)


def lease_length() -> timedelta:
    """Return how long a claim holds without a heartbeat."""
    return timedelta(seconds=settings.QUEUE_LEASE_SECONDS)


def claim(*, job_id: UUID, worker: str, at: datetime | None = None) -> Lease | None:
    """Claim a waiting job that is due, or return None: somebody was first, or its lane is taken.

    Runs in the job's scope, so that a bell with another tenant's id finds nothing.
    """
    now = moment(at)
    try:
        with transaction.atomic():
            job = (
                Job.objects.select_for_update(skip_locked=True)
                .filter(pk=job_id, state=JobState.QUEUED.value, not_before__lte=now)
                .first()
            )
            if job is None or _lane_is_taken(job):
                return None
            token = uuid4()
            Job.objects.filter(pk=job.pk).update(
                state=JobState.RUNNING.value,
                claim=token,
                claimed_until=now + lease_length(),
                worker=worker,
                attempts=job.attempts + 1,
                started_at=now,
                done=0,
                first_done=0,
                total=None,
                measured_at=None,
            )
    except IntegrityError:  # one runs per lane: an earlier one, committed late, is running
        return None
    job.attempts += 1
    return Lease.of(job, token)


def _lane_is_taken(job: Job) -> bool:
    if not job.lane:
        return False
    before = Job.objects.of(job.tenant_id).filter(lane=job.lane, sequence__lt=job.sequence)
    return before.filter(state__in=[state.value for state in UNFINISHED]).exists()


def renew(lease: Lease, *, at: datetime | None = None) -> bool:
    """Prolong the lease; say whether it still held."""
    return bool(lease.row().update(claimed_until=moment(at) + lease_length()))


def progress(
    job_id: UUID | None,
    done: int,
    total: int | None = None,
    message: str = "",
    *,
    at: datetime | None = None,
) -> None:
    """Tell how far the job is, and prove that it is still ours; no job, nothing to do.

    Called inside the transaction of a batch, it makes the batch and the proof one: a worker that was given up for
    dead and wakes up cannot commit. `message` is shown to the tenant. Raises `LeaseLost`, or `Cancelled` when
    somebody asked for that.
    """
    lease = CURRENT.get()
    if job_id is None or lease is None or lease.job_id != job_id:
        return
    now = moment(at)
    told = (
        lease.row()
        .filter(cancel_asked_at=None)
        .update(
            done=done,
            total=total,
            message=message[:500],
            measured_at=Coalesce("measured_at", now),
            first_done=Case(
                When(measured_at=None, then=Value(done)), default=F("first_done"), output_field=BigIntegerField()
            ),
            claimed_until=now + lease_length(),
        )
    )
    if told:
        return
    if lease.row().exists():
        raise Cancelled
    raise LeaseLost


def settle() -> None:
    """Mark the running job done in the caller's transaction: its data and its end are committed as one.

    For work that must not happen twice and cannot see by itself that it has happened. Raises `LeaseLost`; outside
    of a job there is nothing to do.
    """
    lease = CURRENT.get()
    if lease is not None and not finish(lease):
        raise LeaseLost


def finish(lease: Lease, *, at: datetime | None = None) -> bool:
    """Mark the job done; say whether the lease still held."""
    return _end(lease, JobState.DONE, at=at, problem="", error="")


def cancelled(lease: Lease, *, at: datetime | None = None) -> bool:
    """Mark the running job cancelled, as somebody asked; say whether the lease still held."""
    return _end(lease, JobState.CANCELLED, at=at, problem="Cancelled before it was complete.")


def fail(
    lease: Lease,
    *,
    problem: str,
    error: str = "",
    permanent: bool = False,
    at: datetime | None = None,
) -> JobState | None:
    """Put the job back for another attempt, or give it up; return its state, or None when the lease was lost.

    `problem` is shown to the tenant, `error` (a class name) to staff. A job that somebody asked to cancel is not
    tried again.
    """
    if lease.row().filter(cancel_asked_at__isnull=False).exists():
        return JobState.CANCELLED if cancelled(lease, at=at) else None
    told = {"problem": problem[:500], "error": error[:200]}
    decision = after_failure(
        attempts=lease.attempt,
        max_attempts=lease.max_attempts,
        chance=random.random(),  # noqa: S311 - spreads retries, guards nothing
        permanent=permanent,
    )
    if isinstance(decision, GiveUp):
        return JobState.DEAD if _end(lease, JobState.DEAD, at=at, **told) else None
    return _requeue(lease, at=at, not_before=moment(at) + decision.after, rung_at=None, **told)


def give_way(lease: Lease, *, until: datetime | None = None, at: datetime | None = None) -> JobState | None:
    """Put the job behind those that wait for a worker now; return its state, or None when the lease was lost.

    With `until` it does not run before that; the sweeper rings for it then. It keeps its place in its lane, and the
    attempt does not count. A job that somebody asked to cancel ends.
    """
    if lease.row().filter(cancel_asked_at__isnull=False).exists():
        return JobState.CANCELLED if cancelled(lease, at=at) else None
    again, rung_at = (moment(at), moment(at)) if until is None else (until, None)
    state = _requeue(lease, at=at, not_before=again, rung_at=rung_at, attempts=lease.attempt - 1)
    if state is JobState.QUEUED and until is None:
        bell.ring(job_id=lease.job_id, tenant_id=lease.tenant_id, task=lease.task)
    return state


def _requeue(lease: Lease, *, at: datetime | None, **values: Any) -> JobState | None:
    try:
        with transaction.atomic():
            requeued = lease.row().update(state=JobState.QUEUED.value, claim=None, claimed_until=None, **values)
    except IntegrityError:  # one waits per key: a newer one waits already and does the same
        told = {"problem": "A newer request of the same kind took its place.", "error": values.get("error", "")}
        return JobState.CANCELLED if _end(lease, JobState.CANCELLED, at=at, **told) else None
    return JobState.QUEUED if requeued else None


def free(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Leave out jobs before which another of their lane is to end."""
    earlier = Job.objects.filter(
        tenant_id=OuterRef("tenant_id"),
        lane=OuterRef("lane"),
        sequence__lt=OuterRef("sequence"),
        state__in=[state.value for state in UNFINISHED],
    )
    return jobs.filter(Q(lane="") | ~Exists(earlier))


def _end(lease: Lease, state: JobState, *, at: datetime | None, **told: str) -> bool:
    with transaction.atomic():
        ended = lease.row().update(
            state=state.value,
            finished_at=moment(at),
            claim=None,
            claimed_until=None,
            **told,
        )
        if ended and lease.lane:
            transaction.on_commit(partial(_ring_next, lease), robust=True)
    return bool(ended)


def _ring_next(lease: Lease) -> None:
    """Ring for the next job of the lane; if this is lost, the sweeper does it."""
    waiting = Job.objects.of(lease.tenant_id).filter(lane=lease.lane, state=JobState.QUEUED.value)
    following = waiting.filter(not_before__lte=Now()).order_by("sequence").first()
    if following is not None:
        bell.ring(job_id=following.pk, tenant_id=following.tenant_id, task=following.task)
