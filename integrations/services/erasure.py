"""Letting go of test messages: old ones as time passes, all of an account's when its move is over."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from core import holds, ledger
from core.actor import Actor
from core.permissions import Permission
from integrations.models import HarnessRun, Message

KEPT = timedelta(days=30)
"""For how long after its last attempt a test message, and after its end a harness run, can be looked at."""


def forget(*, at: datetime) -> int:
    """Delete what was settled long ago, of each endpoint all but its latest harness run; return how many rows went.

    Needs a staff scope; safe to repeat. Accounts under a legal hold keep theirs.
    """
    over = at - KEPT
    later = HarnessRun.objects.filter(
        endpoint=OuterRef("endpoint"), finished_at__isnull=False, requested_at__gt=OuterRef("requested_at")
    )
    return holds.remove(
        Message.objects.filter(settled_at__lte=over),
        HarnessRun.objects.filter(Exists(later), finished_at__lte=over),
        at=at,
    )


def erase(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Erase an account's messages, attempts and harness runs, on their way or not. Safe to repeat.

    Raises `holds.LegallyHeld`, and erases nothing, where a legal hold stands by the end.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        latest = (
            Message.objects.filter(tenant_id=tenant_id).first()
            or HarnessRun.objects.filter(tenant_id=tenant_id).first()
        )
        rows = Message.objects.filter(tenant_id=tenant_id).delete()[0]
        rows += HarnessRun.objects.filter(tenant_id=tenant_id).delete()[0]
        holds.demand_none(tenant_id=tenant_id, at=at)
        if latest:
            ledger.record(
                "integrations.messages.erased", by=by, at=at, tenant_id=tenant_id, subject=latest, data={"rows": rows}
            )
