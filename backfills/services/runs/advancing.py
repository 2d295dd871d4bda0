"""Advancing a run by one committed step: begin, one batch, one page of retries, end."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.queries import tenants
from backfills import barriers
from backfills.domain.runs import RunState
from backfills.models import Run
from backfills.queries import catching, mapping
from backfills.services import holding, pacing, progress, retries, steps, versions
from backfills.services.runs import ending
from core import holds, ports, queue
from core.actor import Actor
from core.errors import UseCaseError
from core.moving import LoadOrder, SourceRows

RANGES = 8
"""Key ranges of a run at most; more than workers, so that one that is slow does not hold up the end."""


class UnableToMove(UseCaseError):
    """The run cannot go on; it has failed and says why."""


def advance(*, run_id: UUID, by: Actor, at: datetime, job_id: UUID | None = None) -> bool:
    """Bring a run forward by one step that stands (begin, one batch, one page of retries, end); say if more is to do.

    Safe to repeat and to be killed at any instruction: the new platform holds the truth, and a step first mirrors
    what is committed there. Raises UnableToMove when the run has failed for good; Unavailable passes through, and
    the run goes on where it stands when it is called again. Each step asks whether a legal hold stands.
    """
    run = Run.objects.get(pk=run_id)
    state = RunState(run.state)
    if state is RunState.PAUSED or state.is_over:
        return False
    order = _order(run, at)
    try:
        _forbid_harm(run, order)
        if state is RunState.QUEUED:
            return _begin(run, order, by)
        position = ports.mover().position(order=order, after_batch=run.batches)
        progress.mirror(run, position, job_id=job_id)
        if state is RunState.RETRYING:
            return retries.judge_page(run=run, order=order, job_id=job_id) or ending.close_again(run, order, by)
        if position.loaded:
            return ending.end(run, order, by)
        _move(run, order, job_id)
    except ports.Rejected as refusal:
        if state is RunState.RETRYING:
            retries.give_up(run, str(refusal), by=by, at=at, stop_above_percent=order.spec.stop_above_percent)
        else:
            ending.fail(run, str(refusal), by=by, at=at)
        raise UnableToMove(str(refusal)) from refusal
    return True


def _forbid_harm(run: Run, order: LoadOrder) -> None:
    """Raise Rejected where going on would do harm; rows that never arrived may still be tried again at any time."""
    retry = retries.under_way(run)
    is_retry = run.state == RunState.RETRYING
    if not is_retry and (reason := barriers.why_shut(tenant_id=run.tenant_id)):
        raise ports.Rejected(reason)
    begun_with = retry.spec if retry else run.spec
    if run.state != RunState.QUEUED and begun_with != order.spec.label and (retry or not is_retry):
        again = "try the rejected rows again" if retry else "start the run again; what has moved stays"
        raise ports.Rejected(f"The mapping was changed meanwhile, and one version judges all rows: {again}.")


def _order(run: Run, at: datetime) -> LoadOrder:
    tenant = tenants.get(tenant_id=run.tenant_id)
    return LoadOrder(
        run_id=run.pk,
        account_id=tenant.pk,
        account_name=tenant.name,
        tenant_ref=tenant.legacy_ref,
        entity=run.entity,
        specs=mapping.specs(),
        at=at,
        since=run.since,
        standing=run.standing and run.state != RunState.RETRYING,
        preserves=holds.is_legally_held(tenant_id=tenant.pk, at=at),
    )


def _begin(run: Run, order: LoadOrder, by: Actor) -> bool:
    for needed in order.spec.after:
        if not catching.stands(tenant_id=run.tenant_id, entity=needed):
            title = order.specs[needed].title
            raise ports.Rejected(
                f"{order.spec.title} refer to {title.lower()}, which have not moved: move those first."
            )
    whole_because = ""
    if run.since:
        whole_because = catching.why_whole(run, order.spec, touched=ports.mover().touched(order=order))
    if whole_because and run.standing:  # to read everything overwrites what people decided: they say when
        Run.objects.filter(pk=run.pk).update(whole_because=whole_because, since=None)
        raise ports.Rejected(f"{whole_because} Move them in full.")
    if whole_because:
        order = replace(order, since=None)
    watermark, blind_spot, ref = None, "", order.tenant_ref
    if order.spec.changed:
        blind_spot = ports.legacy().blind_spot(spec=order.spec)
        watermark = ports.legacy().watermark(spec=order.spec, tenant_ref=ref)  # before anything is read
        if order.since and watermark is None:
            raise ports.Rejected(
                f"No row of the file says in “{order.spec.changed.column}” when it changed, so nothing tells from when"
                " on the next catch-up reads: run it in full."
            )
    version = ports.legacy().version(spec=order.spec)
    as_of = ports.legacy().as_of(spec=order.spec, tenant_ref=ref) if order.spec.exported else None
    total = ports.legacy().count(spec=order.spec, tenant_ref=ref)
    parts = 1 if order.since else min(RANGES, total // order.spec.batch)
    borders = ports.legacy().divide(spec=order.spec, tenant_ref=ref, parts=parts)
    position = ports.mover().open_run(order=order, source_total=total, borders=borders)
    with transaction.atomic():
        begun = Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(
            state=RunState.RUNNING,
            spec=order.spec.label,  # it may have changed while the run waited for its turn
            started_at=order.at,
            since=order.since,
            watermark=watermark,
            blind_spot=blind_spot,
            source_version=version,
            as_of=as_of,
            whole_because=whole_because,
            source_total=total,
            supplemented=position.supplemented,
        )
        if begun:
            run.spec = order.spec.label
            versions.keep([order.spec], by=by, at=order.at)
            since = order.since and order.since.isoformat()
            if not run.standing:
                told = {"source_total": total, "since": since, "whole_because": whole_because, "source": version}
                told |= {"as_of": as_of.isoformat()} if as_of else {}
                steps.record("started", run, by=by, at=order.at, **told)
            if position.ranges > 1:
                steps.call_for_help(run, by)
    return True


def _move(run: Run, order: LoadOrder, job_id: UUID | None) -> bool:
    count = 0
    named = ports.mover().touched(order=order) if order.since else None

    def read(after: str | None, until: str | None) -> SourceRows:
        nonlocal count
        also = catching.rejected(tenant_id=run.tenant_id, spec=order.spec) if order.since else []
        rows = ports.legacy().read(
            spec=order.spec,
            tenant_ref=order.tenant_ref,
            after=after,
            until=until,
            limit=order.spec.batch,
            since=order.since,
            also=also,
            named=named,
        )
        ending.demand_same(run, rows.version)
        count += rows.count
        return rows

    position = ports.mover().load(
        order=order, read=read, after_batch=run.batches, committing=partial(holding.committing, order)
    )
    pacing.spend(tenant_id=run.tenant_id, rows=count, at=order.at)
    progress.mirror(run, position, job_id=job_id)
    return not position.loaded


def help_along(*, run_id: UUID, at: datetime, job_id: UUID | None = None) -> bool:
    """Move one batch of a run beside the job that advances it; say if more may be to do.

    It begins nothing and ends nothing, and stands back as soon as another tenant waits for a worker: the run itself
    goes on without it. What makes a run fail is left to the job that advances it.
    """
    run = Run.objects.get(pk=run_id)
    if run.state != RunState.RUNNING or queue.others_wait(tenant_id=run.tenant_id):
        return False
    if pacing.held_until(tenant_id=run.tenant_id, at=at):
        return False
    order = _order(run, at)
    try:
        _forbid_harm(run, order)
        if ports.mover().position(order=order, after_batch=run.batches).loaded:
            return False
        return _move(run, order, job_id)
    except ports.Rejected:
        return False
