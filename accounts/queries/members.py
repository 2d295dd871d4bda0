"""Members, for other apps; `Member` is the row that they are given."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Member
from core.permissions import TenantRole


def every(*, tenant_id: UUID) -> QuerySet[Member]:
    """Return the tenant's members with their users, those who left too."""
    return Member.objects.filter(tenant_id=tenant_id).select_related("user")


def active(*, tenant_id: UUID) -> QuerySet[Member]:
    """Return the tenant's active members with their users, by name."""
    return every(tenant_id=tenant_id).filter(deactivated_at=None).order_by("user__name", "user__email")


def tenants_of(*, user_id: UUID) -> list[UUID]:
    """Return the tenants a person is an active member of, of those that the scope lets through."""
    return list(Member.objects.filter(user_id=user_id, deactivated_at=None).values_list("tenant_id", flat=True))


def owners(*, tenant_id: UUID) -> QuerySet[Member]:
    """Return the tenant's active owners."""
    return active(tenant_id=tenant_id).filter(role=TenantRole.OWNER)


__all__ = ["Member", "active", "every", "owners"]
