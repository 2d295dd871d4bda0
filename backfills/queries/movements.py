"""When a tenant's data last moved, and whether it moves now; for other apps."""

from datetime import datetime
from uuid import UUID

from django.db.models import Max

from backfills.domain.runs import ACTIVE, RunState
from backfills.models import Run
from backfills.queries import mapping


def last_moved_at(*, tenant_id: UUID) -> datetime | None:
    """Return when a run last moved rows to the new platform; a run that changed nothing moved nothing.

    Catch-ups do not count: what they bring over had come to differ since, and whoever watches for that sees it go.
    One that had to read every row after all does: it wrote over whatever differed.
    """
    runs = Run.objects.filter(tenant_id=tenant_id, changed__gt=0, since=None)
    found = runs.aggregate(at=Max("moved_at"))
    moved: datetime | None = found["at"]
    return moved


def is_moving(*, tenant_id: UUID, apart_from_catch_ups: bool = False) -> bool:
    """Say whether a run of the tenant is under way; catch-ups leave platforms fit to be compared."""
    active = Run.objects.filter(tenant_id=tenant_id, state__in=[state.value for state in ACTIVE])
    return (active.filter(since=None) if apart_from_catch_ups else active).exists()


def holds_any(*, tenant_id: UUID, entity: str) -> bool:
    """Say whether objects of an entity are held, as the last run that accounted for every row found."""
    accounted = [state.value for state in RunState if state.was_accounted]
    runs = Run.objects.filter(tenant_id=tenant_id, entity=entity, state__in=accounted)
    return bool(runs.order_by("-requested_at", "-id").values_list("held", flat=True).first())


def has_judged_everything(*, tenant_id: UUID) -> bool:
    """Say whether every entity of the mapping has had a run that accounted for each of its rows."""
    accounted = [state.value for state in RunState if state.is_accounted]
    judged = Run.objects.filter(tenant_id=tenant_id, state__in=accounted).values_list("entity", flat=True)
    return mapping.specs().keys() <= set(judged)
