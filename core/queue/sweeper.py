"""The sweeper: rings again for what was not heard, frees what a dead worker held, enqueues what is periodic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import (
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    Q,
    Value,
)
from django.db.models.functions import Greatest
from django.utils import timezone

from core.domain.jobs import RING_AGAIN_AFTER, JobState
from core.models import Job
from core.queue import bell, claims
from core.queue.claims import Lease, moment
from core.queue.enqueueing import enqueue
from core.queue.registry import TASKS
from core.queue.worker import scope

_AT_ONCE = 500
_PERIODIC = "periodic"
_STOPPED = "It stopped before it was complete."
_KEPT = timedelta(days=30)
_KEPT_DEAD = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    freed: int
    rung: int
    periodic: int


def sweep(*, at: datetime | None = None) -> Swept:
    """Free expired leases, enqueue the periodic tasks that are due, ring for what waits unheard.

    Safe to run at any time and several at once.
    """
    with scope(None):
        return Swept(
            freed=_free(at=at),
            periodic=_enqueue_periodic(at=at),
            rung=_ring_again(at=at),
        )


def _free(*, at: datetime | None) -> int:
    """Count an expired lease as a failed attempt: a job that kills its workers must end somewhere.

    The row is locked while it is judged, so a heartbeat that comes late either renewed before or finds it gone.
    """
    freed = 0
    with transaction.atomic():
        lapsed = Job.objects.filter(state=JobState.RUNNING.value, claimed_until__lt=moment(at))
        for job in lapsed.order_by("claimed_until").select_for_update(skip_locked=True)[:_AT_ONCE]:
            if job.claim is not None:
                state = claims.fail(
                    Lease.of(job, job.claim),
                    problem=_STOPPED,
                    error="LeaseExpired",
                    at=at,
                )
                freed += state is not None
    return freed


def _ring_again(*, at: datetime | None) -> int:
    now = moment(at)
    # The longer a job waits the more seldom it is rung for, or a long queue would fill itself with bells.
    half_its_age = ExpressionWrapper((now - F("created_at")) / 2, output_field=DurationField())
    patience = Greatest(Value(RING_AGAIN_AFTER), half_its_age)
    unheard = Job.objects.filter(Q(rung_at=None) | Q(rung_at__lt=now - patience))
    due = claims.free(unheard).filter(state=JobState.QUEUED.value, not_before__lte=now)
    with transaction.atomic():
        jobs = list(due.order_by("not_before").select_for_update(skip_locked=True)[:_AT_ONCE])
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(rung_at=now)
    for number, job in enumerate(jobs):
        if not bell.send(job_id=job.pk, tenant_id=job.tenant_id, task=job.task):
            bell.unheard([left.pk for left in jobs[number:]])  # the broker is away: the next sweep tries again
            return number
    return len(jobs)


def _enqueue_periodic(*, at: datetime | None) -> int:
    """Enqueue each periodic task whose last job is older than its interval; two sweeps at once join one job."""
    now = at or timezone.now()
    periodic = [registered for registered in TASKS.values() if registered.every]
    rows = Job.objects.of(None).filter(
        key=_PERIODIC,
        task__in=[registered.name for registered in periodic],
    )
    last = dict(rows.values_list("task").annotate(last=Max("created_at")).order_by())
    due = [
        registered
        for registered in periodic
        if registered.every and (registered.name not in last or last[registered.name] + registered.every <= now)
    ]
    for registered in due:
        enqueue(registered.name, key=_PERIODIC)
    return len(due)


def prune(*, at: datetime) -> int:
    """Delete jobs that ended long ago; the newest of a periodic task stays young by itself."""
    with scope(None):
        over = Job.objects.filter(
            Q(
                state__in=[JobState.DONE.value, JobState.CANCELLED.value],
                finished_at__lt=at - _KEPT,
            )
            | Q(state=JobState.DEAD.value, finished_at__lt=at - _KEPT_DEAD)
        )
        return over.delete()[0]


def waiting(*, at: datetime | None = None) -> list[tuple[UUID, UUID | None]]:
    """Return (job, tenant) of what is due now, in order, as far as lanes allow."""
    with scope(None):
        due = Job.objects.filter(state=JobState.QUEUED.value, not_before__lte=moment(at)).order_by("sequence")
        return list(due.values_list("id", "tenant_id"))
