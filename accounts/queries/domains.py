"""Domains, for other apps and for the pages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Prefetch, QuerySet

from accounts.domain.invitations import digest
from accounts.models import Domain, DomainCheck, DomainLink, DomainTransfer


@dataclass(frozen=True, slots=True)
class FoundLink:
    """Which link of whom an address opens, before any tenant's rows may be read."""

    tenant_id: UUID
    link_id: UUID


def find_link(*, token: str) -> FoundLink | None:
    """Return whose link an address opens, or None for one that opens nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, link_id FROM crossing.domain_link(%s)", [digest(token)])
        row = cursor.fetchone()
    return FoundLink(*row) if row else None


def open_links(*, tenant_id: UUID, at: datetime) -> Mapping[UUID, Sequence[DomainLink]]:
    """Return the links that still open something by their domain, the newest first."""
    found: dict[UUID, list[DomainLink]] = defaultdict(list)
    for link in DomainLink.objects.filter(tenant_id=tenant_id, revoked_at=None, expires_at__gt=at):
        found[link.domain_id].append(link)
    return found


def listed(*, tenant_id: UUID) -> QuerySet[Domain]:
    """Return the tenant's domains by name, each with its latest checks and what it was asked for by (`transfers`)."""
    newest = DomainCheck.objects.filter(tenant_id=tenant_id).order_by("-checked_at")
    asked = DomainTransfer.objects.filter(tenant_id=tenant_id).order_by("-asked_at")
    parts = Prefetch("checks", newest), Prefetch("transfers", asked)
    return Domain.objects.filter(tenant_id=tenant_id).order_by("name").prefetch_related(*parts)


def holder(*, name: str) -> Domain | None:
    """Return a domain with the account that has proven it; needs a staff scope."""
    return Domain.objects.select_related("tenant").filter(name=name, verified_at__isnull=False).first()


def verified_names(*, tenant_id: UUID) -> list[str]:
    """Return the names of the tenant's proven domains, as DNS knows them."""
    proven = Domain.objects.filter(tenant_id=tenant_id, verified_at__isnull=False)
    return list(proven.order_by("name").values_list("name", flat=True))


def due(*, at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Return (tenant, domain) of what is to be looked up again, the longest waiting first; needs a staff scope."""
    waiting = Domain.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(waiting.values_list("tenant_id", "pk")[:limit])
