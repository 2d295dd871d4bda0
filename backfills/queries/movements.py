"""When a tenant's data last moved, and whether it moves now; for other apps."""

from datetime import datetime
from uuid import UUID

from django.db.models import Max

from backfills.domain.runs import ACTIVE, RunState
from backfills.models import Run
from backfills.queries import mapping


def last_moved_at(*, tenant_id: UUID) -> datetime | None:
    """Return when a run last wrote to the new platform; a run that changed nothing moved nothing."""
    found = Run.objects.filter(tenant_id=tenant_id, changed__gt=0).aggregate(at=Max("moved_at"))
    moved: datetime | None = found["at"]
    return moved


def is_moving(*, tenant_id: UUID) -> bool:
    """Say whether a run of the tenant is under way."""
    return Run.objects.filter(tenant_id=tenant_id, state__in=[state.value for state in ACTIVE]).exists()


def has_judged_everything(*, tenant_id: UUID) -> bool:
    """Say whether every entity of the mapping has had a run that accounted for each of its rows."""
    accounted = [state.value for state in RunState if state.is_accounted]
    judged = Run.objects.filter(tenant_id=tenant_id, state__in=accounted).values_list("entity", flat=True)
    return mapping.specs().keys() <= set(judged)
