"""Jobs in tests: register a task, look at a job, work under a lease."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core import queue
from core.actor import Actor
from core.queue import TASKS, Scope, claims

CANARY = "canary-51be"
BY = Actor.system("tests")
LATER = timedelta(minutes=30)
"""Longer than any pause between attempts."""


def tenant_task(function: Callable[..., object], **options: Any) -> str:
    """Register a tenant task and return its name."""
    queue.task(scope=Scope.TENANT, **options)(function)
    return next(reversed(list(TASKS)))


def state_of(job_id: UUID) -> queue.JobView:
    """Look at a job."""
    job = queue.job(job_id)
    assert job is not None
    return job


def now() -> datetime:
    """The clock, for tests that look ahead of it."""
    return datetime.now(UTC)


@contextmanager
def leased(lease: claims.Lease) -> Iterator[None]:
    """Work under a lease, as the worker would."""
    token = claims.CURRENT.set(lease)
    try:
        yield
    finally:
        claims.CURRENT.reset(token)
