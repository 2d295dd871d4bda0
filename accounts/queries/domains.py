"""Domains, for other apps and for the pages."""

from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.models import Domain, DomainCheck


def listed(*, tenant_id: UUID) -> QuerySet[Domain]:
    """Return the tenant's domains by name, each with its latest checks (`checks.all`)."""
    newest = DomainCheck.objects.filter(tenant_id=tenant_id).order_by("-checked_at")
    return Domain.objects.filter(tenant_id=tenant_id).order_by("name").prefetch_related(Prefetch("checks", newest))


def verified_names(*, tenant_id: UUID) -> list[str]:
    """Return the names of the tenant's proven domains, as DNS knows them."""
    proven = Domain.objects.filter(tenant_id=tenant_id, verified_at__isnull=False)
    return list(proven.order_by("name").values_list("name", flat=True))


def due(*, at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Return (tenant, domain) of what is to be looked up again, the longest waiting first; needs a staff scope."""
    waiting = Domain.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(waiting.values_list("tenant_id", "pk")[:limit])
