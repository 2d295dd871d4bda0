"""Whose password still signs them in: what a cutback rests on."""

from uuid import UUID

from django.contrib.auth.hashers import get_hashers
from django.db.models import Count, F, Func, Q, TextField, Value

from accounts.domain.cutbacks import Intact
from accounts.models import Member
from core.permissions import TenantRole


def works() -> Q:
    """Select members whose password a hasher of this installation can check."""
    return Q(algorithm__in=[hasher.algorithm for hasher in get_hashers()])


def intact(*, tenant_id: UUID) -> Intact:
    """Count the tenant's active members and owners, and those whose password is intact; in one query."""
    algorithm = Func(F("user__password"), Value("$"), Value(1), function="split_part", output_field=TextField())
    rows = Member.objects.filter(tenant_id=tenant_id, deactivated_at=None, user__is_active=True)
    owner = Q(role=TenantRole.OWNER)
    found = rows.annotate(algorithm=algorithm).aggregate(
        members=Count("pk"),
        intact=Count("pk", filter=works()),
        owners=Count("pk", filter=owner),
        owners_intact=Count("pk", filter=owner & works()),
    )
    return Intact(**found)
