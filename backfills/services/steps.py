"""What the use cases of a run share: ringing for it, and writing its steps into the ledger."""

from datetime import datetime

from backfills.models import Run
from backfills.queries.runs import ADVANCE, HELP, KEEP_UP
from core import ledger, queue
from core.actor import Actor

LANE = "backfills"
"""Runs of one tenant move one after the other: an entity after those it refers to."""
WORKERS = 2
"""Workers that move one run at most, so that one giant does not take them all."""


def ring(run: Run, by: Actor) -> None:
    """Enqueue the job that brings the run forward; one that waits already is left alone."""
    task = KEEP_UP if run.standing else ADVANCE
    queue.enqueue(task, tenant_id=run.tenant_id, key=str(run.pk), lane=LANE, by=by, run_id=run.pk)


def call_for_help(run: Run, by: Actor) -> None:
    """Enqueue the jobs that move batches beside it."""
    for number in range(1, WORKERS):
        queue.enqueue(HELP, tenant_id=run.tenant_id, key=f"{run.pk}:{number}", by=by, run_id=run.pk)


def record(what: str, run: Run, *, by: Actor, at: datetime, **data: object) -> None:
    """Write a step of a run into the ledger; inside the transaction that makes it."""
    ledger.record(
        f"backfills.run.{what}",
        by=by,
        at=at,
        tenant_id=run.tenant_id,
        subject=run,
        data={"entity": run.entity, "spec": run.spec, **data},
    )
