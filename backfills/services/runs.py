"""Runs: start, advance by one committed batch, pause, and resume."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Case, Value, When

from accounts.queries import tenants
from backfills import barriers
from backfills.domain.catching import Answer, overlapped
from backfills.domain.runs import OVER, RunState, before, ending, why_stopped
from backfills.domain.spec import Spec
from backfills.models import Run
from backfills.queries import catching, mapping
from backfills.services import pacing, progress, retries, silence, steps, versions
from core import holds, outbox, ports, queue
from core.actor import Actor
from core.domain.declared import SpecError
from core.errors import UseCaseError
from core.moving import LoadOrder, RunPosition, SourceRows
from core.permissions import Permission

RANGES = 8
"""Key ranges of a run at most; more than workers, so that one that is slow does not hold up the end."""


class UnableToStart(UseCaseError):
    """The run cannot be started now."""


class UnableToPause(UseCaseError):
    """The run cannot be paused or resumed now."""


class UnableToMove(UseCaseError):
    """The run cannot go on; it has failed and says why."""


def start(
    *,
    tenant_id: UUID,
    by: Actor,
    at: datetime,
    entities: Iterable[str] | None = None,
    catch_up: bool = False,
    standing: bool = False,
) -> list[Run]:
    """Start a run for each entity (all of the mapping by default), in an order in which each finds what it needs.

    An entity of which a run is under way is left to that run; a standing catch-up that has not begun makes way for a
    full run. Raises UnableToStart when that is true of all, and where a copy from legacy would do harm
    (`backfills.barriers`): a run under way ends there too.

    To `catch_up` is to read only what changed in legacy since the last run that accounted for every row began. An
    entity of which only a full run is safe is left alone; where that is true of all, UnableToStart says why. A
    `standing` one never reads every row, and leaves in the ledger what it moved, and nothing where it moved nothing.
    """
    by.require(Permission.MANAGE_RUNS, tenant_id=tenant_id)
    if reason := barriers.why_shut(tenant_id=tenant_id):
        raise UnableToStart(reason, fix="If something is missing there, tell us: it is brought in by itself.")
    try:
        specs = mapping.specs()
    except SpecError as error:
        raise UnableToStart("The mapping cannot be read.", fix=f"Our data lead must correct it: {error}") from error
    wanted = set(specs if entities is None else entities)
    if unknown := wanted - set(specs):
        raise UnableToStart(f"The mapping knows no “{min(unknown)}”.")
    ask = catching.by_itself if standing else catching.since
    asked = {
        spec.entity: ask(tenant_id=tenant_id, spec=spec) if catch_up else Answer()
        for spec in specs.values()
        if spec.entity in wanted
    }
    fit = {entity: answer.since for entity, answer in asked.items() if not answer.reason}
    if not fit:
        entity, answer = next(iter(asked.items()))
        raise UnableToStart(f"{specs[entity].title} cannot be caught up. {answer.reason}", fix="Move them in full.")
    begun = (_queue(specs[entity], tenant_id, by, at, since, standing=standing) for entity, since in fit.items())
    started = [run for run in begun if run]
    if not started:
        raise UnableToStart("A run is under way already.", fix="Watch it on this page, or pause it.")
    return started


def _queue(
    spec: Spec, tenant_id: UUID, by: Actor, at: datetime, since: datetime | None, *, standing: bool
) -> Run | None:
    try:
        with transaction.atomic():
            instead_of = None if standing or since else _end_unbegun(spec.entity, tenant_id, at)
            run = Run.objects.create(
                tenant_id=tenant_id,
                entity=spec.entity,
                state=RunState.QUEUED,
                spec=spec.label,
                since=since,
                standing=standing,
                requested_by=by.id,
                requested_at=at,
            )
            versions.keep([spec], by=by, at=at)
            steps.ring(run, by)
            if not standing:
                told = {"since": since and since.isoformat()} | ({"instead_of": str(instead_of)} if instead_of else {})
                steps.record("requested", run, by=by, at=at, **told)
    except IntegrityError:  # one run per entity moves at a time
        return None
    return run


def _end_unbegun(entity: str, tenant_id: UUID, at: datetime) -> UUID | None:
    """End an entity's standing catch-up that waits for its turn, and return it; its job will find that it is over."""
    waiting = Run.objects.filter(tenant_id=tenant_id, entity=entity, standing=True, state=RunState.QUEUED)
    found = waiting.select_for_update().first()
    if found is None:
        return None
    waiting.update(state=RunState.FAILED, finished_at=at, problem="Somebody asked for a full run instead.")
    return found.pk


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
            return retries.judge_page(run=run, order=order, job_id=job_id) or _close_again(run, order, by)
        if position.loaded:
            return _end(run, order, by)
        _move(run, order, job_id)
    except ports.Rejected as refusal:
        if state is RunState.RETRYING:
            retries.give_up(run, str(refusal), by=by, at=at, stop_above_percent=order.spec.stop_above_percent)
        else:
            fail(run, str(refusal), by=by, at=at)
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
    whole_because = catching.why_whole(run, order.spec) if run.since else ""
    if whole_because and run.standing:  # to read everything overwrites what people decided: they say when
        raise ports.Rejected(f"{whole_because} Move them in full.")
    if whole_because:
        order = replace(order, since=None)
    watermark, ref = None, order.tenant_ref
    if order.spec.changed:
        watermark = ports.legacy().watermark(spec=order.spec, tenant_ref=ref)  # before anything is read
        if order.since and watermark is None:
            raise ports.Rejected(
                f"No row of the file says in “{order.spec.changed.column}” when it changed, so nothing tells from when"
                " on the next catch-up reads: run it in full."
            )
    version = ports.legacy().version(spec=order.spec)
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
            source_version=version,
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
                steps.record("started", run, by=by, at=order.at, **told)
            if position.ranges > 1:
                steps.call_for_help(run, by)
    return True


def _move(run: Run, order: LoadOrder, job_id: UUID | None) -> bool:
    count = 0

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
        )
        _demand_same(run, rows.version)
        count += rows.count
        return rows

    position = ports.mover().load(order=order, read=read, after_batch=run.batches)
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


def _demand_same(run: Run, version: str) -> None:
    """Raise Rejected unless rows come from the file that the run began with: never half of each."""
    if version != run.source_version:
        raise ports.Rejected(
            "The file of legacy was replaced while its rows moved, and a run moves those of one file: start the run"
            " again; what has moved stays."
        )


def _end(run: Run, order: LoadOrder, by: Actor) -> bool:
    source, held = ports.legacy().keys(spec=order.spec, tenant_ref=order.tenant_ref), None
    _demand_same(run, source.version)
    if order.since:
        if run.watermark is None:
            raise ports.Rejected("Rows that these look up were put right meanwhile: run it in full.")
        next_since = overlapped(run.watermark)
        held = partial(_held, run, order, next_since)
    position = ports.mover().finish(order=order, source=source, held=held)
    _close(run, order, position, by=by)
    return False


def _held(run: Run, order: LoadOrder, since: datetime) -> Iterator[bytes]:
    yield from ports.legacy().held(spec=order.spec, tenant_ref=order.tenant_ref, since=since)
    _demand_same(run, ports.legacy().version(spec=order.spec))


def _close_again(run: Run, order: LoadOrder, by: Actor) -> bool:
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
        progress.settle_others(run, preserves=order.preserves)
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
