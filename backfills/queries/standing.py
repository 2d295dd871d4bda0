"""Standing catch-ups: for whom they are switched on, until when, how often, and what keeps one from its work."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Min

from backfills import barriers
from backfills.domain import lag
from backfills.models import Pace, Run
from backfills.queries import catching, mapping
from core import toggles
from core.permissions import Permission
from core.toggles import TOGGLES, Toggle

TASK = "backfills.tasks.catch_up"

NAME = "backfills.standing_catch_up"
LONGEST = timedelta(days=90)
TOGGLES.add(NAME, Toggle(NAME, "Catching up by itself", Permission.MANAGE_RUNS, LONGEST))

SHARE = 1
"""A standing catch-up waits at least so many times as long as the last one took: legacy has other work."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A tenant's standing catch-up."""

    until: datetime | None
    """None: it is switched off."""
    pace: Pace
    resting: str
    """Why it does nothing now, if it does nothing."""

    @property
    def is_on(self) -> bool:
        """Whether it is switched on."""
        return self.until is not None

    def gave_up_at(self, *, at: datetime) -> datetime | None:
        """Return since when it has tried in vain for too long, if it has: then something is broken."""
        trying = self.pace.trying_since
        if not self.is_on or self.resting or trying is None or at - trying <= lag.LIMIT:
            return None
        return trying + lag.LIMIT


def of_tenant(*, tenant_id: UUID, at: datetime) -> Standing:
    """Return a tenant's standing catch-up."""
    until = toggles.on(tenant_id=tenant_id, at=at, names=[NAME]).get(NAME)
    resting = (barriers.why_shut(tenant_id=tenant_id) or barriers.why_resting(tenant_id=tenant_id)) if until else ""
    return Standing(until, pace(tenant_id=tenant_id), resting)


def pace(*, tenant_id: UUID) -> Pace:
    """Return the pace of a tenant; the usual one where nobody has set any."""
    return Pace.objects.filter(tenant_id=tenant_id).first() or Pace(tenant_id=tenant_id)


def due(*, at: datetime) -> list[UUID]:
    """Return the tenants whose standing catch-up is due; needs a staff scope."""
    on = toggles.where_on(NAME, at=at)
    later = Pace.objects.filter(tenant_id__in=on, due_at__gt=at).values_list("tenant_id", flat=True)
    return sorted(set(on) - set(later))


def next_due(pace: Pace, *, at: datetime) -> datetime:
    """Return when the one after this is due: in its time, or later where the last one took long."""
    last = Run.objects.filter(tenant_id=pace.tenant_id, standing=True).order_by("-requested_at").first()
    took = timedelta(0)
    if last:
        round_ = Run.objects.filter(tenant_id=pace.tenant_id, standing=True, requested_at=last.requested_at)
        ends = round_.aggregate(began=Min("started_at"), ended=Max("finished_at"))
        if ends["began"] and ends["ended"]:
            took = ends["ended"] - ends["began"]
    return at + max(timedelta(minutes=pace.every), SHARE * took)


def followed() -> bool:
    """Say whether the mapping names, for any entity, what tells of changes."""
    return any(spec.changed for spec in mapping.specs().values())


def why_not(*, tenant_id: UUID, entities: Collection[str]) -> str:
    """Return why one of these entities is not caught up by itself, if one is not; in words fit for the customer."""
    for spec in mapping.specs().values():
        if spec.entity in entities and (reason := catching.by_itself(tenant_id=tenant_id, spec=spec).reason):
            return f"{spec.title} cannot be caught up by themselves. {reason}"
    return ""
