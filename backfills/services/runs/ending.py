"""How a run ends: accounted for and closed over legacy's keys, or failed and saying why."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import batched

from django.db import transaction

from backfills.domain.catching import overlapped
from backfills.domain.runs import OVER, RunState, before, ending, why_stopped
from backfills.models import Run
from backfills.services import asking, holding, progress, retries, silence, steps
from core import outbox, ports
from core.actor import Actor
from core.moving import LoadOrder, RunPosition


def demand_same(run: Run, version: str) -> None:
    """Raise Rejected unless rows come from the file that the run began with: never half of each."""
    if version != run.source_version:
        raise ports.Rejected(
            "The file of legacy was replaced while its rows moved, and a run moves those of one file: start the run"
            " again; what has moved stays."
        )


def end(run: Run, order: LoadOrder, by: Actor) -> bool:
    """Close a run whose last row is read, over the keys that legacy holds now; nothing is left to do then.

    Those keys may be many millions, so it is asked again after they are read whether a legal hold stands. Raises
    Unavailable where one was placed since (`holding`): the run goes on, and removes nothing then.
    """
    source, held = ports.legacy().keys(spec=order.spec, tenant_ref=order.tenant_ref), None
    demand_same(run, source.version)
    if order.since:
        if run.watermark is None:
            raise ports.Rejected("Rows that these look up were put right meanwhile: run it in full.")
        next_since = overlapped(run.watermark)
        held = partial(_held, run, order, next_since)
    order = replace(order, preserves=order.preserves or holding.is_held_by_now(order))
    committing = partial(holding.committing, order)
    position = ports.mover().finish(order=order, source=source, held=held, committing=committing)
    _close(run, order, _succeeded(run, order) or position, by=by)
    return False


def _succeeded(run: Run, order: LoadOrder) -> RunPosition | None:
    """Bring the values of rows to which merged objects were left because the rows that they were made of are gone."""
    position = None
    for keys in batched(ports.mover().unread(order=order), order.spec.batch):
        rows = ports.legacy().read_keys(spec=order.spec, tenant_ref=order.tenant_ref, keys=keys)
        demand_same(run, rows.version)
        committing = partial(holding.committing, order)
        position = ports.mover().retry(order=order, keys=keys, rows=rows, committing=committing)
        progress.mirror(run, position)
    return position


def _held(run: Run, order: LoadOrder, since: datetime) -> Iterator[bytes]:
    yield from ports.legacy().held(spec=order.spec, tenant_ref=order.tenant_ref, since=since)
    demand_same(run, ports.legacy().version(spec=order.spec))
    if not order.preserves and holding.is_held_by_now(order):
        raise ports.Unavailable("A legal hold was placed while legacy's keys were read: they are read again.")


def close_again(run: Run, order: LoadOrder, by: Actor) -> bool:
    """Close a run whose last rejected row was judged again."""
    position = ports.mover().position(order=order, after_batch=run.batches)
    _close(run, order, position, by=by)
    return False


def _close(run: Run, order: LoadOrder, position: RunPosition, *, by: Actor) -> None:
    source_total = position.source_total
    limit = order.spec.stop_above_percent
    state = ending(source_total=source_total, totals=position.totals, stop_above_percent=limit)
    problem = ""
    if state is RunState.STOPPED:
        problem = why_stopped(source_total=source_total, totals=position.totals, stop_above_percent=limit)
    with transaction.atomic():
        progress.replace_totals(run, position)
        progress.settle_others(run, at=order.at)
        ended = Run.objects.filter(pk=run.pk, state__in=before(state)).update(
            state=state,
            finished_at=order.at,
            source_total=source_total,
            removed=position.removed,
            held=position.held,
            problem=problem,
        )
        if ended and silence.ends_as_before(run, state, position):
            silence.forget_others(run, states=OVER)
            asking.ask_anew(tenant_id=run.tenant_id, by=by, at=order.at)  # it leaves no event that would
        elif ended:
            retries.end(run, at=order.at)
            figures = {f"{fate}:{rule}" if rule else fate: count for (fate, rule), count in position.totals.items()}
            told = {"state": state.value, "source_total": source_total, "removed": position.removed}
            if position.held:
                told["held"] = position.held
            if run.since:
                told |= {"since": run.since.isoformat(), "read": position.read, "changed": run.changed}
            steps.record("finished", run, by=by, at=order.at, outcomes=figures, **told)
            outbox.publish("backfills.run.finished", tenant_id=run.tenant_id, run_id=run.pk)


def fail(run: Run, problem: str, *, by: Actor, at: datetime) -> None:
    """End a run that cannot be brought to its end; what is committed stays."""
    with transaction.atomic():
        failed = Run.objects.filter(pk=run.pk, state__in=before(RunState.FAILED)).update(
            state=RunState.FAILED, finished_at=at, problem=problem
        )
        if failed and silence.fails_as_before(run, problem):
            silence.forget_others(run, states=[RunState.FAILED])
        elif failed:
            steps.record("failed", run, by=by, at=at)
            outbox.publish("backfills.run.finished", tenant_id=run.tenant_id, run_id=run.pk)
