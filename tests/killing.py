"""Tasks to kill, for a real worker: `celery --app=portal.celery worker --include=tests.killing`.

They write events as their data. Where they stop to be killed they say so on a socket and wait for a word that never
comes.
"""

import os
import socket
from uuid import UUID

from django.db import transaction

from core import queue
from core.models import Event
from core.queue import Scope, task

BARRIER = "CROSSING_TEST_BARRIER"
"""Names the port that hears of the barrier; unset, nothing stops."""

BATCHES, BATCH = 4, 10


@task(scope=Scope.TENANT, long=True)
def move(*, tenant_id: UUID, job_id: UUID) -> None:
    """Write forty rows in batches of ten, each committed with the proof that the job is still ours."""
    done = Event.objects.filter(name="moved").count()
    while done < BATCHES * BATCH:
        with transaction.atomic():
            Event.objects.bulk_create(
                Event(tenant_id=tenant_id, name="moved", payload={"row": row}) for row in range(done, done + BATCH)
            )
            done += BATCH
            queue.progress(job_id, done, BATCHES * BATCH)
            if done == 3 * BATCH:
                stop_here()
        if done == 2 * BATCH:
            stop_here()


@task(scope=Scope.TENANT, max_attempts=100)
def once(*, tenant_id: UUID, number: int) -> None:
    """Write one row and the job's end in one transaction."""
    with transaction.atomic():
        Event.objects.create(tenant_id=tenant_id, name="once", payload={"row": number})
        queue.settle()


def stop_here() -> None:
    """Tell the test and wait to be killed, or go on if it says so."""
    if port := os.environ.get(BARRIER):
        with socket.create_connection(("127.0.0.1", int(port))) as connection:
            connection.sendall(b"here")
            connection.recv(1)
