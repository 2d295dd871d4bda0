"""The vendor's people, for other apps."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import StaffAssignment, User


def roles_of(*, user_id: UUID) -> frozenset[str]:
    """Return the staff roles a user holds."""
    return frozenset(StaffAssignment.objects.filter(user_id=user_id).values_list("role", flat=True))


def holders(*, roles: Collection[str]) -> QuerySet[User]:
    """Return the vendor's active people who hold one of the roles."""
    return people().filter(staff_assignments__role__in=roles).distinct()


def people() -> QuerySet[User]:
    """Return the vendor's active people, by name."""
    return User.objects.filter(is_staff=True, is_active=True).order_by("name", "email")
