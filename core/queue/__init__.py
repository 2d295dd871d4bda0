"""The queue: PostgreSQL holds the jobs, Celery only rings the bell (docs/adr: the queue)."""

from __future__ import annotations

from datetime import datetime

from core.domain.jobs import JobState
from core.queue.claims import Cancelled, GiveWay, LeaseLost, progress, settle
from core.queue.enqueueing import enqueue
from core.queue.reading import Depth, JobView, depth, job, jobs, others_wait
from core.queue.registry import TASKS, Scope, Task, call, task
from core.queue.steering import UnableToCancel, UnableToRetry, cancel, retry
from core.queue.sweeper import Swept, prune, sweep, waiting
from core.queue.worker import TimedOut, run


def run_pending(*, at: datetime | None = None, limit: int = 1000) -> int:
    """Run what is due here and now, and what that enqueues; return how many attempts were made.

    For tests and commands: the same path as a worker's, without broker and heartbeat, so it works inside a test's
    transaction. It leaves a job that failed waiting for its pause; `at` after that pause runs it.
    """
    ran = 0
    while ran < limit:
        states = [
            run(job_id=job_id, tenant_id=tenant_id, at=at, heartbeat=False) for job_id, tenant_id in waiting(at=at)
        ]
        attempts = sum(state is not None for state in states)
        if not attempts:
            break
        ran += attempts
    return ran


__all__ = [
    "TASKS",
    "Cancelled",
    "Depth",
    "GiveWay",
    "JobState",
    "JobView",
    "LeaseLost",
    "Scope",
    "Swept",
    "Task",
    "TimedOut",
    "UnableToCancel",
    "UnableToRetry",
    "call",
    "cancel",
    "depth",
    "enqueue",
    "job",
    "jobs",
    "others_wait",
    "progress",
    "prune",
    "retry",
    "run",
    "run_pending",
    "settle",
    "sweep",
    "task",
    "waiting",
]
