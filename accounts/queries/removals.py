"""Whether a tenant's people have no passwords any more, who has not tried without, and whose password is shared."""

import hashlib
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from accounts.domain.removals import FLAG_LASTS, Untried
from accounts.models import Member, PasswordRemoval, SsoSignIn
from core.permissions import Permission
from core.toggles import TOGGLES, Toggle

FLAG = TOGGLES.add(
    "remove_passwords", Toggle("remove_passwords", "Taking passwords away", Permission.MOVE_PHASE, FLAG_LASTS)
)

_CHUNK = 2000


def standing(*, tenant_id: UUID) -> PasswordRemoval | None:
    """Return the removal that holds."""
    return PasswordRemoval.objects.filter(tenant_id=tenant_id, restored_at=None).first()


def untried(*, tenant_id: UUID) -> Untried:
    """Return who of the active members was never signed in by the company, as a number and a digest of the list."""
    came_in = SsoSignIn.objects.filter(tenant_id=tenant_id, member_id=OuterRef("pk"), used_at__isnull=False)
    active = Member.objects.filter(
        ~Exists(came_in), tenant_id=tenant_id, deactivated_at=None, user__is_active=True, user__is_staff=False
    )
    count, made = 0, hashlib.sha256()
    for member_id in active.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=_CHUNK):
        count += 1
        made.update(member_id.bytes)
    return Untried(count, made.hexdigest() if count else "")


def elsewhere(*, tenant_id: UUID) -> set[UUID]:
    """Return the tenant's people who belong to another account too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id FROM crossing.people_elsewhere(%s)", [tenant_id])
        return {row[0] for row in cursor.fetchall()}
