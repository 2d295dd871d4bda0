"""Retries: the rejected rows of an ended run, judged again; no other row is touched."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum

from backfills.domain import changes
from backfills.domain.runs import RunState, before, ending, why_stopped
from backfills.domain.spec import Spec
from backfills.models import Batch, DeadLetter, OutcomeTotal, Retry, Run
from backfills.queries import mapping
from backfills.queries import versions as used
from backfills.services import holding, pacing, progress, steps, versions
from core import outbox, ports
from core.actor import Actor
from core.domain.declared import SpecError
from core.errors import UseCaseError
from core.moving import LoadOrder
from core.permissions import Permission


class UnableToRetry(UseCaseError):
    """The rejected rows cannot be tried again now."""


def request(*, run: Run, by: Actor, at: datetime) -> Run:
    """Judge the rejected rows of an ended run again, as they now stand in legacy and by the mapping of now.

    Rows that have moved stay as the run's own version of the mapping moved them. Raises UnableToRetry where no row
    is rejected, where something moves, and where the mapping of now reads or writes other tables than the run did.
    """
    by.require(Permission.MANAGE_RUNS, tenant_id=run.tenant_id)
    spec = _spec_of_now(run)
    try:
        with transaction.atomic():
            again = Run.objects.filter(pk=run.pk, state__in=before(RunState.RETRYING)).update(
                state=RunState.RETRYING, finished_at=None, problem=""
            )
            if not again:
                raise _why_not(run)
            asked = _letters(run, DeadLetter.State.OPEN).update(state=DeadLetter.State.RETRYING)
            if not asked:
                raise UnableToRetry("No row of this run is rejected any more.")
            Retry.objects.create(
                tenant_id=run.tenant_id,
                run=run,
                spec=spec.label,
                asked=asked,
                after_batch=run.batches,
                requested_by=by.id,
                requested_at=at,
            )
            versions.keep([spec], by=by, at=at)
            steps.ring(run, by)
            steps.record("retried", run, by=by, at=at, judged_by=spec.label, asked=asked)
    except IntegrityError as error:  # one run per entity moves at a time
        raise UnableToRetry("A newer run of these rows is under way.") from error
    run.refresh_from_db()
    return run


def _why_not(run: Run) -> UnableToRetry:
    run.refresh_from_db()
    if RunState(run.state).is_cut_short:
        return UnableToRetry("The run did not come to its end.", fix="Start it again: it judges every row.")
    return UnableToRetry("The run is under way.", fix="Try again when it has ended.")


@dataclass(frozen=True, slots=True)
class Asked:
    """Runs whose rejected rows are tried again, and those of which they cannot be, with the reason."""

    begun: list[Run]
    refused: list[tuple[Run, str]]


def request_each(*, runs: Iterable[Run], by: Actor, at: datetime) -> Asked:
    """Judge the rejected rows of several runs again; what cannot be done for one keeps no other from it."""
    asked = Asked([], [])
    for run in runs:
        try:
            asked.begun.append(request(run=run, by=by, at=at))
        except UnableToRetry as refusal:
            asked.refused.append((run, f"{refusal.message} {refusal.fix}".strip()))
    return asked


def _spec_of_now(run: Run) -> Spec:
    try:
        spec = mapping.specs().get(run.entity)
    except SpecError as error:
        raise UnableToRetry("The mapping cannot be read.", fix=f"Our data lead must correct it: {error}") from error
    if spec is None:
        raise UnableToRetry(f"The mapping knows no “{run.entity}” any more.")
    before = used.kept([run.spec]).get(run.spec)  # of runs by earlier releases no text is kept
    try:
        reason = changes.why_not_retried(used.read(before), spec) if before and run.spec != spec.label else ""
    except used.UnableToCompare as error:
        raise UnableToRetry(error.message, fix="Move everything again instead.") from error
    if reason:
        raise UnableToRetry(f"By the mapping of now {reason}.", fix="Move everything again instead.")
    return spec


def under_way(run: Run) -> Retry | None:
    """Return the retry that is not over, if there is one."""
    return Retry.objects.filter(run=run, state=Retry.State.RUNNING).first()


def judge_page(*, run: Run, order: LoadOrder, job_id: UUID | None) -> bool:
    """Judge the next of the rows that were asked for and mirror what became of them; say if there were any.

    Safe to be killed at any instruction: a row that is judged is not among them any more once that is mirrored.
    """
    waiting = _letters(run, DeadLetter.State.RETRYING)
    keys = list(waiting.order_by("source_key").values_list("source_key", flat=True)[: order.spec.batch])
    if not keys:
        return False
    rows = ports.legacy().read_keys(spec=order.spec, tenant_ref=order.tenant_ref, keys=keys)
    committing = partial(holding.committing, order)
    position = ports.mover().retry(order=order, keys=keys, rows=rows, committing=committing)
    pacing.spend(tenant_id=run.tenant_id, rows=len(keys), at=order.at)
    progress.mirror(run, position, job_id=job_id)
    # A row that the new platform had settled before is told by no batch; it must not be asked for over and over.
    with transaction.atomic():
        progress.settle(waiting.filter(source_key__in=keys), tenant_id=run.tenant_id, at=order.at)
    return True


def end(run: Run, *, at: datetime, problem: str = "") -> None:
    """Write down what became of the rows; inside the transaction that ends the run. Without a retry, do nothing."""
    retry = under_way(run)
    if retry is None:
        return
    left = _letters(run, DeadLetter.State.OPEN).count()
    written = Batch.objects.filter(run=run, number__gt=retry.after_batch).aggregate(changed=Sum("changed", default=0))
    Retry.objects.filter(pk=retry.pk, state=Retry.State.RUNNING).update(
        state=Retry.State.FAILED if problem else Retry.State.DONE,
        problem=problem,
        finished_at=at,
        settled=max(0, retry.asked - left),
        changed=written["changed"],
    )


def give_up(run: Run, problem: str, *, by: Actor, at: datetime, stop_above_percent: float) -> None:
    """End a retry that a platform refused: the run stands as it stood, and rows not judged yet are open again."""
    totals = {(one.fate, one.rule): one.count for one in OutcomeTotal.objects.filter(run=run)}
    source_total = run.source_total or 0
    state = ending(source_total=source_total, totals=totals, stop_above_percent=stop_above_percent)
    why = why_stopped(source_total=source_total, totals=totals, stop_above_percent=stop_above_percent)
    with transaction.atomic():
        _letters(run, DeadLetter.State.RETRYING).update(state=DeadLetter.State.OPEN)
        ended = Run.objects.filter(pk=run.pk, state=RunState.RETRYING).update(
            state=state, finished_at=at, problem=why if state is RunState.STOPPED else ""
        )
        if ended:
            end(run, at=at, problem=problem)
            steps.record("retry_failed", run, by=by, at=at)
            outbox.publish("backfills.run.finished", tenant_id=run.tenant_id, run_id=run.pk)


def _letters(run: Run, state: DeadLetter.State) -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(tenant_id=run.tenant_id, run=run, state=state)
