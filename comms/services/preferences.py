"""A person's own choice: everything about the move, or only what is essential."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comms.models import BannerDismissal, Preference
from core import banners, ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission


class UnableToDismiss(UseCaseError):
    """The banner cannot be put away."""


def choose(*, tenant_id: UUID, essential_only: bool, by: Actor, at: datetime) -> None:
    """Let a person get everything or only what is essential. Safe to repeat."""
    by.require(Permission.VIEW_TENANT, tenant_id=tenant_id)
    chosen = Preference.objects.filter(tenant_id=tenant_id, person_id=by.known_id)
    with transaction.atomic(durable=True):
        if essential_only:
            row = Preference(tenant_id=tenant_id, person_id=by.known_id, essential_only_since=at)
            Preference.objects.bulk_create([row], ignore_conflicts=True)
            changed = chosen.filter(pk=row.pk).exists()
        else:
            row = chosen.first() or Preference(tenant_id=tenant_id)
            changed = bool(chosen.delete()[0])
        if changed:
            data = {"essential_only": essential_only}
            ledger.record("comms.preference.chosen", by=by, at=at, tenant_id=tenant_id, subject=row, data=data)


def dismiss(*, tenant_id: UUID, banner: str, by: Actor, at: datetime) -> None:
    """Put a banner away for one person. Safe to repeat. Raises UnableToDismiss for one that everybody must see."""
    by.require(Permission.VIEW_TENANT, tenant_id=tenant_id)
    known = {one.id: one for one in banners.standing(tenant_id=tenant_id, at=at)}
    if banner not in known:
        return
    if not known[banner].dismissible:
        raise UnableToDismiss("This notice stays until what it speaks of is settled.")
    row = BannerDismissal(tenant_id=tenant_id, person_id=by.known_id, banner=banner, dismissed_at=at)
    BannerDismissal.objects.bulk_create([row], ignore_conflicts=True)
