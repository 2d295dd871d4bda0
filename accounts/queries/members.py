"""Members, for other apps; `Member` is the row that they are given."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Member
from core.permissions import TenantRole


def active(*, tenant_id: UUID) -> QuerySet[Member]:
    """Return the tenant's active members with their users, by name."""
    return (
        Member.objects.filter(tenant_id=tenant_id, deactivated_at=None)
        .select_related("user")
        .order_by("user__name", "user__email")
    )


def tenants_of(*, user_id: UUID) -> list[UUID]:
    """Return the tenants a person is an active member of, of those that the scope lets through."""
    return list(Member.objects.filter(user_id=user_id, deactivated_at=None).values_list("tenant_id", flat=True))


def owners(*, tenant_id: UUID) -> QuerySet[Member]:
    """Return the tenant's active owners."""
    return active(tenant_id=tenant_id).filter(role=TenantRole.OWNER)


__all__ = ["Member", "active", "owners"]
