"""Running jobs: claim, open the scope, keep the lease alive, call the task, write down how it ended."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from time import monotonic
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, connections
from django.utils import timezone

from core import ports, tenancy
from core.actor import Actor
from core.domain.jobs import JobState
from core.errors import UseCaseError
from core.queue import claims
from core.queue.claims import Cancelled, GiveWay, Lease, LeaseLost
from core.queue.registry import TASKS, Scope, call

log = logging.getLogger(__name__)

TimedOut = SoftTimeLimitExceeded
"""Raised inside a task that took longer than it may."""

QUEUE = Actor.system("queue")

_UNEXPECTED = "Something went wrong on our side. It is being looked at; nothing for you to do."
_TOO_LONG = "It took longer than it may and was stopped."


def scope(tenant_id: UUID | None) -> AbstractContextManager[None]:
    """Return the scope a job runs in: its tenant's, or for the house's own jobs that of all tenants."""
    if tenant_id is None:
        return tenancy.staff_scope(by=QUEUE, reason="queue: a job of the house")
    return tenancy.scope(tenant_id=tenant_id)


def run(
    *,
    job_id: UUID,
    tenant_id: UUID | None,
    at: datetime | None = None,
    heartbeat: bool = True,
) -> JobState | None:
    """Run a job if it is there, due and free; return the state it ended in.

    None means that nothing was done or that the lease was lost on the way. Never raises what the task raised: how it
    ended stands in the row.
    """
    with scope(tenant_id):
        lease = claims.claim(job_id=job_id, worker=_worker(), at=at)
        if lease is None:
            return None
        token = claims.CURRENT.set(lease)
        try:
            with _kept_alive(lease) if heartbeat else _nothing():
                return _attempt(lease, at=at)
        finally:
            claims.CURRENT.reset(token)


def _attempt(lease: Lease, *, at: datetime | None) -> JobState | None:
    log.info("queue.began task=%s job=%s attempt=%d", lease.task, lease.job_id, lease.attempt)
    try:
        _call(lease, at=at)
    except LeaseLost:
        log.warning("queue.lease_lost task=%s job=%s", lease.task, lease.job_id)
        return None
    except GiveWay as turn:
        return claims.give_way(lease, until=turn.until, at=at)
    except Cancelled:
        return JobState.CANCELLED if claims.cancelled(lease, at=at) else None
    except UseCaseError as refusal:
        return claims.fail(
            lease,
            problem=refusal.message,
            error=type(refusal).__name__,
            permanent=True,
            at=at,
        )
    except ports.Rejected as refusal:
        return claims.fail(lease, problem=str(refusal), error="Rejected", permanent=True, at=at)
    except ports.Unavailable as outage:
        return claims.fail(lease, problem=str(outage), error="Unavailable", at=at)
    except TimedOut:
        return claims.fail(lease, problem=_TOO_LONG, error="TimedOut", at=at)
    except Exception as error:  # a task's own fault must end in its row, not in the worker
        log.exception(
            "queue.failed task=%s job=%s attempt=%d",
            lease.task,
            lease.job_id,
            lease.attempt,
        )
        return claims.fail(lease, problem=_UNEXPECTED, error=type(error).__name__, at=at)
    if claims.finish(lease, at=at) or not lease.row().exists():
        return JobState.DONE
    return None


def _call(lease: Lease, *, at: datetime | None) -> None:
    registered = TASKS[lease.task]
    if (registered.scope is Scope.TENANT) is (lease.tenant_id is None):
        raise UseCaseError("This job was written for another kind of task.")
    call(
        registered.function,
        {
            **lease.payload,
            "tenant_id": lease.tenant_id,
            "job_id": lease.job_id,
            "attempt": lease.attempt,
            "requested_by": lease.requested_by,
            "at": at or timezone.now(),
        },
    )


@contextmanager
def _kept_alive(lease: Lease) -> Iterator[None]:
    """Renew the lease every third of its length while the task runs, at most as long as the task may take.

    After that it lapses, so that a task which hangs does not hold its job for ever.
    """
    over = threading.Event()
    pause = claims.lease_length().total_seconds() / 3
    ends = monotonic() + (TASKS[lease.task].timeout.total_seconds() if lease.task in TASKS else 0)

    def beat() -> None:
        try:
            while not over.wait(pause) and monotonic() < ends:
                try:
                    with scope(lease.tenant_id):
                        if not claims.renew(lease):
                            return
                except DatabaseError:  # the database is away: the next beat asks again
                    log.warning("queue.heartbeat_failed job=%s", lease.job_id)
        finally:
            connections.close_all()

    thread = threading.Thread(target=beat, name=f"lease-{lease.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
