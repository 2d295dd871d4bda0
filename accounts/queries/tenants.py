"""Tenants, for other apps."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Tenant


def get(*, tenant_id: UUID) -> Tenant:
    """Return the tenant; raises Tenant.DoesNotExist outside its scope."""
    return Tenant.objects.get(pk=tenant_id)


def every() -> QuerySet[Tenant]:
    """Return every tenant that the scope lets through, by name."""
    return Tenant.objects.order_by("name")
