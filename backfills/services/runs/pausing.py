"""Pausing a run at the border of a batch, letting it go on where it stands, and ending it there for good."""

from datetime import datetime

from django.db import transaction
from django.db.models import Case, Value, When

from backfills.domain.runs import RunState, before
from backfills.models import Run
from backfills.services import steps
from core import outbox
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission


class UnableToPause(UseCaseError):
    """The run cannot be paused, resumed or cancelled now."""


def pause(*, run: Run, by: Actor, at: datetime) -> Run:
    """Let the run stop after the batch it is at; a paused run stays paused."""
    by.require(Permission.MANAGE_RUNS, tenant_id=run.tenant_id)
    with transaction.atomic():
        paused = Run.objects.filter(pk=run.pk, state__in=before(RunState.PAUSED)).update(state=RunState.PAUSED)
        if paused:
            steps.record("paused", run, by=by, at=at)
    run.refresh_from_db()
    if run.state != RunState.PAUSED:
        raise UnableToPause("The run has ended meanwhile.")
    return run


def resume(*, run: Run, by: Actor, at: datetime) -> Run:
    """Let a paused run go on where it stands; one that is under way is rung for again, should it be stuck."""
    by.require(Permission.MANAGE_RUNS, tenant_id=run.tenant_id)
    with transaction.atomic():
        # As the row says now: one that began since it was read would begin again, with a later watermark.
        state = Case(When(started_at=None, then=Value(RunState.QUEUED)), default=Value(RunState.RUNNING))
        if Run.objects.filter(pk=run.pk, state=RunState.PAUSED).update(state=state):
            steps.record("resumed", run, by=by, at=at)
        run.refresh_from_db()
        if RunState(run.state).is_over:
            raise UnableToPause("The run has ended meanwhile.")
        steps.ring(run, by)
        if run.state == RunState.RUNNING:
            steps.call_for_help(run, by)
    return run


def cancel(*, run: Run, by: Actor, at: datetime) -> Run:
    """End the run after the batch it is at, for good; what has moved stays, and a cancelled run stays cancelled."""
    by.require(Permission.MANAGE_RUNS, tenant_id=run.tenant_id)
    with transaction.atomic():
        cancelled = Run.objects.filter(pk=run.pk, state__in=before(RunState.CANCELLED)).update(
            state=RunState.CANCELLED, finished_at=at, problem="The run was ended early."
        )
        if cancelled:
            steps.record("cancelled", run, by=by, at=at)
            outbox.publish("backfills.run.finished", tenant_id=run.tenant_id, run_id=run.pk)
    run.refresh_from_db()
    if run.state != RunState.CANCELLED:
        raise UnableToPause("The run has ended meanwhile.")
    return run
