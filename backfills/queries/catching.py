"""From when on an entity can be caught up, and whether what it looks up stands as it stood."""

from uuid import UUID

from django.db.models import Q, QuerySet

from backfills.domain import catching
from backfills.domain.catching import Answer, Past
from backfills.domain.naming import Named
from backfills.domain.runs import RunState
from backfills.domain.spec import Spec
from backfills.models import UNRESOLVED, DeadLetter, Retry, Run

_ACCOUNTED = [state.value for state in RunState if state.is_accounted]
_CUT_SHORT = [state.value for state in RunState if state.is_cut_short]


def since(*, tenant_id: UUID, spec: Spec) -> Answer:
    """Return from when on legacy must be read for an entity, or why only a full run will do."""
    begun = Run.objects.filter(tenant_id=tenant_id, entity=spec.entity, started_at__isnull=False)
    past: list[Past] = []
    for run in begun.order_by("-requested_at", "-id").iterator(chunk_size=20):
        judged_by = frozenset(Retry.objects.filter(run=run).order_by().values_list("spec", flat=True))
        past.append(Past(run.spec, RunState(run.state).is_accounted, run.watermark, judged_by))
        if past[-1].is_accounted:
            break
    return catching.since(spec, past, rejected=_letters(tenant_id, spec).count())


def by_itself(*, tenant_id: UUID, spec: Spec) -> Answer:
    """Return from when on a catch-up that nobody asked for reads, or why people must move the entity in full.

    It never reads every row: that would overwrite what people decided to keep on the new platform.
    """
    answer = since(tenant_id=tenant_id, spec=spec)
    last = Run.objects.filter(tenant_id=tenant_id, entity=spec.entity).order_by("-requested_at", "-id").first()
    if not answer.reason and last and last.standing and last.state == RunState.FAILED and last.whole_because:
        return Answer(reason=last.whole_because)
    return answer


def rejected(*, tenant_id: UUID, spec: Spec) -> list[str]:
    """Return the keys of an entity's rejected rows; a catch-up reads them whenever they changed."""
    return list(_letters(tenant_id, spec).order_by().values_list("source_key", flat=True))


def why_whole(run: Run, spec: Spec, *, touched: Named | None) -> str:
    """Return why a catch-up that is to begin must read every row after all, or nothing.

    What a row becomes also depends on the rows it looks up: where these changed since, rows that did not change
    themselves may become something else. `touched` are the keys of those, by look-up; None where nobody noted them.
    """
    if run.spec != spec.label:
        return "The mapping was changed meanwhile."
    runs = Run.objects.filter(tenant_id=run.tenant_id).exclude(pk=run.pk)
    last = runs.filter(entity=spec.entity, state__in=_ACCOUNTED).order_by("-requested_at", "-id").first()
    if last is None or last.watermark is None:
        return "Rows were put right meanwhile."
    return _why_unnoted(spec, runs, last) if touched is None else catching.why_whole(spec, touched)


def _why_unnoted(spec: Spec, runs: QuerySet[Run], last: Run) -> str:
    """Return which entity that is looked up was, or may be, written to since a run, all of whose rows must be read."""
    others = runs.filter(entity__in=sorted({lookup.entity for lookup in spec.lookups.values()}))
    wrote = others.filter(Q(changed__gt=0) | Q(removed__gt=0), finished_at__gte=last.started_at)
    later = (wrote | others.filter(started_at__isnull=False, finished_at=None)).order_by("entity").first()
    return f"{later.entity.replace('_', ' ').capitalize()} changed, which they look up." if later else ""


def stands(*, tenant_id: UUID, entity: str) -> bool:
    """Say whether every row of an entity ended, so that others may refer to them.

    A catch-up that was cut short takes nothing away: what it was to remove may be what these rows still refer to.
    """
    runs = Run.objects.filter(tenant_id=tenant_id, entity=entity).exclude(state=RunState.CANCELLED, started_at=None)
    cut_short = Q(state__in=_CUT_SHORT) & (Q(since__isnull=False) | ~Q(whole_because=""))
    latest = runs.exclude(cut_short).order_by("-requested_at", "-id").first()
    return latest is not None and RunState(latest.state).is_accounted


def _letters(tenant_id: UUID, spec: Spec) -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(tenant_id=tenant_id, entity=spec.entity, state__in=UNRESOLVED)
