"""Erasing what both platforms said of a contract, once nobody can go back to legacy; what was chosen stays."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import holds, ledger
from core.actor import Actor
from core.permissions import Permission
from entitlements.models import Mismatch, Snapshot


def erase(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Erase an account's snapshots and mismatches. Safe to repeat.

    The database lets go of them only while such a deletion is carried out. Raises `holds.LegallyHeld`, and erases
    nothing, where a legal hold stands by the end.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        latest = Snapshot.objects.filter(tenant_id=tenant_id).order_by("-taken_at").first()
        rows = Mismatch.objects.filter(tenant_id=tenant_id).delete()[0]
        rows += Snapshot.objects.filter(tenant_id=tenant_id).delete()[0]
        holds.demand_none(tenant_id=tenant_id, at=at)
        if latest:
            ledger.record(
                "entitlements.snapshots.erased", by=by, at=at, tenant_id=tenant_id, subject=latest, data={"rows": rows}
            )
