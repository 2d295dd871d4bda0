"""Tenants, for other apps; `Tenant` is the row that views and decisions above are given."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Tenant


def get(*, tenant_id: UUID) -> Tenant:
    """Return the tenant; raises Tenant.DoesNotExist outside its scope."""
    return Tenant.objects.get(pk=tenant_id)


def every() -> QuerySet[Tenant]:
    """Return every tenant that the scope lets through, by name."""
    return Tenant.objects.order_by("name")


def segments(*, tenant_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the segment of each tenant, in one query."""
    return dict(Tenant.objects.filter(pk__in=tenant_ids).values_list("pk", "segment"))


__all__ = ["Tenant", "every", "get", "segments"]
