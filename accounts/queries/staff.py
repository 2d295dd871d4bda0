"""The vendor's people, for other apps."""

from uuid import UUID

from accounts.models import StaffAssignment


def roles_of(*, user_id: UUID) -> frozenset[str]:
    """Return the staff roles a user holds."""
    return frozenset(StaffAssignment.objects.filter(user_id=user_id).values_list("role", flat=True))
