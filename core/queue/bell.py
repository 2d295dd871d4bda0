"""The doorbell: tells a worker, through Celery, that a job waits. It may be lost; the sweeper rings again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import ceil
from time import monotonic
from uuid import UUID

from celery import current_app
from django.conf import settings

from core.domain.jobs import RING_AGAIN_AFTER, JobState
from core.models import Job
from core.queue.registry import TASKS

log = logging.getLogger(__name__)

BELL = "core.answer_bell"
"""Name of the Celery task that answers; by name, because the queue must not import the entry points."""

SHORT, LONG = "short", "long"
"""The two queues of bells. A worker hears both, the short one first; at least one hears the short one alone."""

_GRACE_SECONDS = 30
"""Between asking an attempt that takes too long to stop and killing it."""

_SILENT_SECONDS = 5.0


@dataclass(slots=True)
class _Silence:
    """Until when (monotonic) this process does not try the broker again."""

    until: float = 0.0


_silence = _Silence()


def ring(*, job_id: UUID, tenant_id: UUID | None, task: str) -> None:
    """Ring for a job.

    A broker that is away raises nothing: the row is committed and now says that it was not rung for, so the next
    sweep rings.
    """
    if not send(job_id=job_id, tenant_id=tenant_id, task=task):
        unheard([job_id])


def unheard(job_ids: list[UUID]) -> None:
    """Write down that nobody was rung for these jobs."""
    Job.objects.filter(pk__in=job_ids, state=JobState.QUEUED.value).update(rung_at=None)


def send(*, job_id: UUID, tenant_id: UUID | None, task: str) -> bool:
    """Send the message and say whether the broker took it.

    After a failure the bell stays silent for some seconds, so that a request that enqueues a hundred jobs does not
    wait for a hundred time-outs.
    """
    if not settings.QUEUE_RINGS or monotonic() < _silence.until:
        return False
    timeout, queue = None, SHORT
    if task in TASKS:
        timeout, queue = ceil(TASKS[task].timeout.total_seconds()), LONG if TASKS[task].long else SHORT
    try:
        current_app.send_task(
            BELL,
            kwargs={
                "job_id": str(job_id),
                "tenant_id": str(tenant_id) if tenant_id else None,
            },
            queue=queue,
            # A bell nobody answered for long has been rung again meanwhile; without this they pile up.
            expires=10 * RING_AGAIN_AFTER.total_seconds(),
            soft_time_limit=timeout,
            time_limit=timeout + _GRACE_SECONDS if timeout else None,
            ignore_result=True,
            retry=False,
        )
    except Exception as error:  # noqa: BLE001 - whatever the transport raises, the job is safe in its row
        _silence.until = monotonic() + _SILENT_SECONDS
        log.warning("queue.bell_failed error=%s", type(error).__name__)
        return False
    return True
