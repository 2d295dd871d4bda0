"""Putting jobs in: written in the caller's transaction, rung for once it is committed."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models.functions import Least, Now

from core.actor import Actor
from core.domain.jobs import JobState
from core.models import Job
from core.queue import bell
from core.queue.registry import TASKS, Scope


def enqueue(
    task: str,
    *,
    tenant_id: UUID | None = None,
    key: str | None = None,
    lane: str | None = None,
    not_before: datetime | None = None,
    by: Actor | None = None,
    **payload: Any,
) -> UUID:
    """Write a job in the caller's transaction and ring for it after the commit; return its id.

    With a `key`, a job of the same tenant, task and key that still waits is the one: its id comes back, it starts as
    early as the earliest wish, and it will see what this transaction writes. So the key must say everything the
    payload says. One that runs already may have read too early and is followed by another, never overtaken.

    `lane` (by default the task with its key) keeps jobs of a tenant from running side by side: they run in the order
    of their enqueuing, and one that waits for another attempt holds up those behind it.

    A tenant task needs a `tenant_id` and a system task must have none (ValueError); an unknown task is a KeyError.
    `payload` must be JSON; ids and times become text. The job's row is the tenant's: put no secret into it.
    """
    registered = TASKS[task]
    if (registered.scope is Scope.TENANT) is (tenant_id is None):
        raise ValueError(
            f"{task} is a {registered.scope} task: enqueue it {'with' if tenant_id is None else 'without'} a tenant."
        )
    plain = json.loads(json.dumps(payload, cls=DjangoJSONEncoder))
    job = Job(
        id=uuid4(),
        tenant_id=tenant_id,
        task=task,
        key=key or "",
        lane=lane or (f"{task}:{key}" if key else ""),
        payload=plain,
        requested_by=by.id if by else None,
        max_attempts=registered.max_attempts,
    )
    if not_before is not None:
        job.not_before = not_before
    else:
        job.rung_at = Now()
    with transaction.atomic():
        job_id = _insert_or_join(job, not_before=not_before) if job.key else _insert(job)
        if not_before is None:
            transaction.on_commit(
                partial(bell.ring, job_id=job_id, tenant_id=tenant_id, task=task),
                robust=True,
            )
    return job_id


def _insert(job: Job) -> UUID:
    job.save(force_insert=True)
    return job.id


def _insert_or_join(job: Job, *, not_before: datetime | None) -> UUID:
    """Insert the job, or join the one that waits under its key.

    The waiting row is locked until the caller commits: a worker cannot claim it before it could see what the caller
    wrote. One claimed in the moment between insert and lock no longer waits, and so we insert again.
    """
    waiting = Job.objects.of(job.tenant_id).filter(task=job.task, key=job.key, state=JobState.QUEUED.value)
    while True:
        Job.objects.bulk_create([job], ignore_conflicts=True)
        found = waiting.select_for_update().values_list("id", flat=True).first()
        if found is None:
            continue
        if found != job.id:
            wish = Now() if not_before is None else not_before
            Job.objects.filter(pk=found).update(not_before=Least("not_before", wish))
        return found
