"""Rejected rows as they came from legacy: shown to whoever finds out why, to nobody unnoticed, and not for ever."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import QuerySet

from backfills.models import DeadLetter
from core import holds, ledger, ports, sealing
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

KEPT = timedelta(days=30)
"""For how long after a row was judged last its copy stays."""


class UnableToShow(UseCaseError):
    """The row cannot be shown."""


def show(*, letter: DeadLetter, reason: str, by: Actor, at: datetime) -> Mapping[str, object]:
    """Return a rejected row's columns as they came from legacy, and leave in the ledger who saw them, and why."""
    by.require(Permission.SHOW_ROWS, tenant_id=letter.tenant_id)
    if not reason.strip():
        raise UnableToShow("Say why you look at the row: the reason is kept in the activity log.")
    if not letter.payload:
        raise UnableToShow(
            "No copy of this row is kept.",
            fix="It goes once the row is rejected no more, or 30 days after it was judged last; tried again, the row is"
            " copied anew. Legacy holds it as it is now.",
        )
    try:
        row: Mapping[str, object] = json.loads(sealing.unseal(bytes(letter.payload).decode()))
    except (InvalidToken, ValueError) as error:
        raise UnableToShow(
            "The copy cannot be read: the key it was encrypted with is not among those of this installation.",
            fix="Add that key to FIELD_KEYS again, or have the row tried again: its copy is then made anew.",
        ) from error
    with transaction.atomic(durable=True):
        ledger.record(
            "backfills.row.shown",
            by=by,
            at=at,
            tenant_id=letter.tenant_id,
            subject=letter,
            data={"entity": letter.entity, "rule": letter.rule},
            personal={"reason": reason.strip()},
        )
    return row


def expire(*, by: Actor, at: datetime) -> int:
    """Delete copies of rows that nobody judged for long, there and here; return how many went here. Safe to repeat.

    That the rows are rejected, and why, stays. Accounts under a legal hold keep theirs. Needs a staff scope.
    """
    over = DeadLetter.objects.filter(last_at__lt=at - KEPT).exclude(payload=b"").order_by()
    held, gone = holds.legally_held(at=at), 0
    for tenant_id in sorted(set(over.values_list("tenant_id", flat=True)) - held):
        with suppress(holds.LegallyHeld):
            gone += _expire(tenant_id, over.filter(tenant_id=tenant_id), by=by, at=at)
    return gone


def _expire(tenant_id: UUID, over: QuerySet[DeadLetter], *, by: Actor, at: datetime) -> int:
    committing = partial(holds.none_standing, tenant_id=tenant_id, at=at)
    ports.mover().empty_letters(account_id=tenant_id, before=at - KEPT, committing=committing)
    with transaction.atomic(durable=True):
        gone = over.update(payload=b"")
        holds.demand_none(tenant_id=tenant_id, at=at)
        if gone:
            subject = ("accounts.tenant", tenant_id)
            told = {"rows": gone}
            ledger.record("backfills.copies.expired", by=by, at=at, tenant_id=tenant_id, subject=subject, data=told)
    return gone
