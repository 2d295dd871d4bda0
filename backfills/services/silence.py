"""Standing catch-ups that found nothing: most of them, and so they leave no entry, no event, and in the end no row."""

from collections.abc import Iterable

from backfills.domain.runs import RunState
from backfills.models import OutcomeTotal, Run
from core.moving import RunPosition


def ends_as_before(run: Run, state: RunState, position: RunPosition) -> bool:
    """Say whether a run ends where the one before it did, and nobody asked for it or tries its rows again."""
    if not run.standing or run.state == RunState.RETRYING or run.changed or position.removed:
        return False
    last = _before(run)
    if last is None or (last.state, last.held) != (state, position.held):
        return False
    return dict(position.totals) == {(one.fate, one.rule): one.count for one in OutcomeTotal.objects.filter(run=last)}


def fails_as_before(run: Run, problem: str) -> bool:
    """Say whether a run that nobody asked for fails like the one before it."""
    last = _before(run) if run.standing else None
    return bool(last and last.state == RunState.FAILED and last.problem == problem)


def forget_others(run: Run, *, states: Iterable[RunState]) -> None:
    """Delete earlier standing catch-ups of the entity that ended in one of these states and wrote nothing.

    Inside the transaction that ends this one. One that fails may take the place of those that failed alone: by the one
    before that accounted for every row the rows stand, and legacy is read on from there.
    """
    ended = [state.value for state in states]
    others = Run.objects.filter(tenant_id=run.tenant_id, entity=run.entity, standing=True, state__in=ended)
    others.filter(changed=0, removed=0, retries=None, dead_letters=None).exclude(pk=run.pk).delete()


def _before(run: Run) -> Run | None:
    others = Run.objects.filter(tenant_id=run.tenant_id, entity=run.entity).exclude(pk=run.pk)
    return others.order_by("-requested_at", "-id").first()
