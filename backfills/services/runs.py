"""Runs: start, advance by one committed batch, pause, resume, and try rejected rows again."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.queries import tenants
from backfills import barriers
from backfills.domain.runs import RunState, before, ending, quarantined
from backfills.domain.spec import Spec
from backfills.models import DeadLetter, Run
from backfills.queries import mapping
from backfills.queries.runs import ADVANCE, HELP
from backfills.services import progress
from core import ledger, outbox, ports, queue
from core.actor import Actor
from core.domain.declared import SpecError
from core.errors import UseCaseError
from core.moving import LoadOrder, RunPosition, SourceRows
from core.permissions import Permission

LANE = "backfills"
"""Runs of one tenant move one after the other: an entity after those it refers to."""


WORKERS = 2
"""Workers that move one run at most, so that one giant does not take them all."""
RANGES = 8
"""Key ranges of a run at most; more than workers, so that one that is slow does not hold up the end."""


class UnableToStart(UseCaseError):
    """The run cannot be started now."""


class UnableToPause(UseCaseError):
    """The run cannot be paused or resumed now."""


class UnableToRetry(UseCaseError):
    """The rejected rows cannot be tried again now."""


class UnableToMove(UseCaseError):
    """The run cannot go on; it has failed and says why."""


def start(*, tenant_id: UUID, by: Actor, at: datetime, entities: Iterable[str] | None = None) -> list[Run]:
    """Start a run for each entity (all of the mapping by default), in an order in which each finds what it needs.

    An entity of which a run is under way is left to that run. Raises UnableToStart when that is true of all, and where
    a copy from legacy would do harm (`backfills.barriers`): a run under way ends there too.
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
    started = [run for spec in specs.values() if spec.entity in wanted and (run := _queue(spec, tenant_id, by, at))]
    if not started:
        raise UnableToStart("A run is under way already.", fix="Watch it on this page, or pause it.")
    return started


def _queue(spec: Spec, tenant_id: UUID, by: Actor, at: datetime) -> Run | None:
    try:
        with transaction.atomic():
            run = Run.objects.create(
                tenant_id=tenant_id,
                entity=spec.entity,
                state=RunState.QUEUED,
                spec=spec.label,
                requested_by=by.id,
                requested_at=at,
            )
            _ring(run, by)
            _record("requested", run, by=by, at=at)
    except IntegrityError:  # one run per entity moves at a time
        return None
    return run


def _call_for_help(run: Run, by: Actor) -> None:
    for number in range(1, WORKERS):
        queue.enqueue(HELP, tenant_id=run.tenant_id, key=f"{run.pk}:{number}", by=by, run_id=run.pk)


def _ring(run: Run, by: Actor) -> None:
    queue.enqueue(ADVANCE, tenant_id=run.tenant_id, key=str(run.pk), lane=LANE, by=by, run_id=run.pk)


def advance(*, run_id: UUID, by: Actor, at: datetime, job_id: UUID | None = None) -> bool:
    """Bring a run forward by one step that stands (begin, one batch, one page of retries, end); say if more is to do.

    Safe to repeat and to be killed at any instruction: the new platform holds the truth, and a step first mirrors
    what is committed there. Raises UnableToMove when the run has failed for good; Unavailable passes through, and
    the run goes on where it stands when it is called again.
    """
    run = Run.objects.get(pk=run_id)
    state = RunState(run.state)
    if state is RunState.PAUSED or state.is_over:
        return False
    order = _order(run, at)
    try:
        _forbid_harm(run)
        if state is RunState.QUEUED:
            return _begin(run, order, by)
        position = ports.mover().position(order=order, after_batch=run.batches)
        progress.mirror(run, position, job_id=job_id)
        if state is RunState.RETRYING:
            return _retry_page(run, order, by, job_id)
        if position.loaded:
            return _end(run, order, by)
        _move(run, order, job_id)
    except ports.Rejected as refusal:
        _fail(run, str(refusal), by=by, at=at)
        raise UnableToMove(str(refusal)) from refusal
    return True


def _forbid_harm(run: Run) -> None:
    """Raise Rejected where a copy from legacy would do harm; rows that never arrived may still be tried again."""
    if run.state != RunState.RETRYING and (reason := barriers.why_shut(tenant_id=run.tenant_id)):
        raise ports.Rejected(reason)


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
    )


def _begin(run: Run, order: LoadOrder, by: Actor) -> bool:
    for needed in order.spec.after:
        latest = Run.objects.filter(tenant_id=run.tenant_id, entity=needed).order_by("-requested_at", "-id").first()
        if latest is None or not RunState(latest.state).is_accounted:
            title = order.specs[needed].title
            raise ports.Rejected(
                f"{order.spec.title} refer to {title.lower()}, which have not moved: move those first."
            )
    total = ports.legacy().count(spec=order.spec, tenant_ref=order.tenant_ref)
    parts = min(RANGES, total // order.spec.batch)
    borders = ports.legacy().divide(spec=order.spec, tenant_ref=order.tenant_ref, parts=parts)
    position = ports.mover().open_run(order=order, source_total=total, borders=borders)
    with transaction.atomic():
        begun = Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(
            state=RunState.RUNNING, started_at=order.at, source_total=total, supplemented=position.supplemented
        )
        if begun:
            _record("started", run, by=by, at=order.at, source_total=total)
            if position.ranges > 1:
                _call_for_help(run, by)
    return True


def _move(run: Run, order: LoadOrder, job_id: UUID | None) -> bool:
    def read(after: str | None, until: str | None) -> SourceRows:
        return ports.legacy().read(
            spec=order.spec, tenant_ref=order.tenant_ref, after=after, until=until, limit=order.spec.batch
        )

    position = ports.mover().load(order=order, read=read, after_batch=run.batches)
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
    order = _order(run, at)
    try:
        _forbid_harm(run)
        if ports.mover().position(order=order, after_batch=run.batches).loaded:
            return False
        return _move(run, order, job_id)
    except ports.Rejected:
        return False


def _end(run: Run, order: LoadOrder, by: Actor) -> bool:
    source = ports.legacy().keys(spec=order.spec, tenant_ref=order.tenant_ref)
    position = ports.mover().finish(order=order, source=source)
    _close(run, order, position, by=by, source_total=source.rows)
    return False


def _close(run: Run, order: LoadOrder, position: RunPosition, *, by: Actor, source_total: int) -> None:
    state = ending(source_total=source_total, totals=position.totals, stop_above_percent=order.spec.stop_above_percent)
    rejected = quarantined(position.totals)
    problem = ""
    if state is RunState.STOPPED:
        problem = (
            f"{rejected:,} of {source_total:,} rows were rejected, more than the {order.spec.stop_above_percent:g} %"
            " that the mapping allows."
        )
    with transaction.atomic():
        progress.replace_totals(run, position)
        progress.settle_others(run)
        ended = Run.objects.filter(pk=run.pk, state__in=before(state)).update(
            state=state, finished_at=order.at, source_total=source_total, problem=problem, retry_after_key=""
        )
        if ended:
            figures = {f"{fate}:{rule}" if rule else fate: count for (fate, rule), count in position.totals.items()}
            _record("finished", run, by=by, at=order.at, state=state.value, source_total=source_total, outcomes=figures)
            outbox.publish("backfills.run.finished", tenant_id=run.tenant_id, run_id=run.pk)


def _fail(run: Run, problem: str, *, by: Actor, at: datetime) -> None:
    with transaction.atomic():
        failed = Run.objects.filter(pk=run.pk, state__in=before(RunState.FAILED)).update(
            state=RunState.FAILED, finished_at=at, problem=problem
        )
        if failed:
            _record("failed", run, by=by, at=at)


def pause(*, run: Run, by: Actor, at: datetime) -> Run:
    """Let the run stop after the batch it is at; a paused run stays paused."""
    by.require(Permission.MANAGE_RUNS, tenant_id=run.tenant_id)
    with transaction.atomic():
        paused = Run.objects.filter(pk=run.pk, state__in=before(RunState.PAUSED)).update(state=RunState.PAUSED)
        if paused:
            _record("paused", run, by=by, at=at)
    run.refresh_from_db()
    if run.state != RunState.PAUSED:
        raise UnableToPause("The run has ended meanwhile.")
    return run


def resume(*, run: Run, by: Actor, at: datetime) -> Run:
    """Let a paused run go on where it stands; one that is under way is rung for again, should it be stuck."""
    by.require(Permission.MANAGE_RUNS, tenant_id=run.tenant_id)
    with transaction.atomic():
        state = RunState.RUNNING if run.started_at else RunState.QUEUED
        if Run.objects.filter(pk=run.pk, state=RunState.PAUSED).update(state=state):
            _record("resumed", run, by=by, at=at)
        run.refresh_from_db()
        if RunState(run.state).is_over:
            raise UnableToPause("The run has ended meanwhile.")
        _ring(run, by)
        if state is RunState.RUNNING:
            _call_for_help(run, by)
    return run


def retry(*, run: Run, by: Actor, at: datetime) -> Run:
    """Judge the rejected rows of an ended run again, as they now stand in legacy and by the mapping of now."""
    by.require(Permission.MANAGE_RUNS, tenant_id=run.tenant_id)
    if not DeadLetter.objects.filter(run=run, state=DeadLetter.State.OPEN).exists():
        raise UnableToRetry("No row of this run is rejected any more.")
    try:
        with transaction.atomic():
            again = Run.objects.filter(pk=run.pk, state__in=before(RunState.RETRYING)).update(
                state=RunState.RETRYING, finished_at=None, retry_after_key="", problem=""
            )
            if again:
                _ring(run, by)
                _record("retried", run, by=by, at=at)
    except IntegrityError as error:  # one run per entity moves at a time
        raise UnableToRetry("A newer run of these rows is under way.") from error
    if not again:
        raise UnableToRetry("The run is under way.", fix="Try again when it has ended.")
    run.refresh_from_db()
    return run


def _retry_page(run: Run, order: LoadOrder, by: Actor, job_id: UUID | None) -> bool:
    letters = DeadLetter.objects.filter(run=run, state=DeadLetter.State.OPEN, source_key__gt=run.retry_after_key)
    keys = list(letters.order_by("source_key").values_list("source_key", flat=True)[: order.spec.batch])
    if not keys:
        position = ports.mover().position(order=order, after_batch=run.batches)
        _close(run, order, position, by=by, source_total=position.source_total)
        return False
    rows = ports.legacy().read_keys(spec=order.spec, tenant_ref=order.tenant_ref, keys=keys)
    position = ports.mover().retry(order=order, keys=keys, rows=rows)
    progress.mirror(run, position, job_id=job_id)
    Run.objects.filter(pk=run.pk).update(retry_after_key=keys[-1])
    return True


def _record(what: str, run: Run, *, by: Actor, at: datetime, **data: object) -> None:
    ledger.record(
        f"backfills.run.{what}",
        by=by,
        at=at,
        tenant_id=run.tenant_id,
        subject=run,
        data={"entity": run.entity, "spec": run.spec, **data},
    )
