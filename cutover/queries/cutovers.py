"""Cutovers, for other apps."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count, QuerySet

from cutover.domain.phases import MOVING, Phase
from cutover.domain.windows import SETTABLE
from cutover.models import Cutover, PhaseChange

__all__ = [
    "Cutover",
    "count_by_phase",
    "every",
    "find",
    "halted_from",
    "history",
    "moving",
    "near",
    "of_many",
    "phase_of",
    "runbook_owners",
    "waves",
]


def find(*, tenant_id: UUID) -> Cutover | None:
    """Return the tenant's cutover, or None before it was opened."""
    related = ("tenant", "approver__user", "runbook_owner")
    return Cutover.objects.select_related(*related).filter(tenant_id=tenant_id).first()


def every() -> QuerySet[Cutover]:
    """Return every cutover that the scope lets through, longest in its phase first."""
    return Cutover.objects.select_related("tenant", "runbook_owner").order_by("phase_since")


def phase_of(tenant_id: UUID) -> Phase:
    """Return the tenant's phase; a tenant whose cutover was not opened yet is in discover."""
    phase = Cutover.objects.filter(tenant_id=tenant_id).values_list("phase", flat=True).first()
    return Phase(phase) if phase else Phase.DISCOVER


def moving() -> list[UUID]:
    """Return the tenants whose traffic moves, of those that the scope shows."""
    rows = Cutover.objects.filter(phase__in=[phase.value for phase in MOVING]).order_by("phase_since")
    return list(rows.values_list("tenant_id", flat=True))


def near(*, at: datetime, within: timedelta) -> list[UUID]:
    """Return the tenants whose window begins within so long and whose move has not begun; needs a staff scope."""
    early = Cutover.objects.filter(phase__in=[phase.value for phase in SETTABLE])
    soon = early.filter(window_starts_at__gt=at, window_starts_at__lte=at + within).order_by("window_starts_at")
    return list(soon.values_list("tenant_id", flat=True))


def history(*, tenant_id: UUID) -> QuerySet[PhaseChange]:
    """Return the tenant's moves, oldest first."""
    return PhaseChange.objects.filter(tenant_id=tenant_id).order_by("changed_at")


def halted_from(*, tenant_id: UUID) -> Phase | None:
    """Return the phase in which the tenant's line was last stopped."""
    halts = PhaseChange.objects.filter(tenant_id=tenant_id, target=Phase.HALTED).order_by("-changed_at")
    source = halts.values_list("source", flat=True).first()
    return Phase(source) if source else None


def of_many(*, tenant_ids: Collection[UUID]) -> QuerySet[Cutover]:
    """Return the cutovers of a page of tenants."""
    return Cutover.objects.select_related("runbook_owner").filter(tenant_id__in=tenant_ids)


def count_by_phase() -> dict[Phase, int]:
    """Return how many tenants stand in each phase; phases without any are missing."""
    rows = Cutover.objects.order_by().values_list("phase").annotate(count=Count("pk"))
    return {Phase(phase): count for phase, count in rows}


def waves() -> list[str]:
    """Return the names of the waves that have tenants."""
    return list(Cutover.objects.exclude(wave="").order_by("wave").values_list("wave", flat=True).distinct())


def runbook_owners() -> list[tuple[UUID, str]]:
    """Return the people who own a runbook, by name."""
    owned = Cutover.objects.exclude(runbook_owner=None).order_by().values("runbook_owner_id").distinct()
    people = get_user_model().objects.filter(pk__in=owned)
    return sorted(((person.pk, str(person)) for person in people), key=lambda pair: pair[1])
