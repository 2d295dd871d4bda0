"""Erasing the keys and values of rows that runs and inspections left with us, once nobody needs them; totals stay."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from backfills.domain.runs import ACTIVE
from backfills.models import Inspection, Run
from backfills.queries import kept
from core import holds, ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission


class UnableToErase(UseCaseError):
    """What runs left with us cannot be erased now."""


def erase(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Erase an account's rejected rows, the keys of its batches and the examples of its inspections. Safe to repeat.

    Runs, their totals and how many rows each batch and each fault had stay. Raises `holds.LegallyHeld`, and erases
    nothing, where a legal hold stands by the end.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        runs = Run.objects.filter(tenant_id=tenant_id)
        if (
            runs.filter(state__in=[state.value for state in ACTIVE]).exists()
            or Inspection.objects.filter(tenant_id=tenant_id, state=Inspection.State.RUNNING).exists()
        ):
            raise UnableToErase("A run or an inspection is under way.", fix="Try again once it has ended.")
        rows = kept.letters(tenant_id=tenant_id).delete()[0]
        rows += kept.with_keys(tenant_id=tenant_id).update(first_key="", last_key="")
        rows += kept.with_examples(tenant_id=tenant_id).update(examples=[])
        holds.demand_none(tenant_id=tenant_id, at=at)
        if rows:
            ledger.record(
                "backfills.rows.erased", by=by, at=at, tenant_id=tenant_id, subject=("accounts.tenant", tenant_id),
                data={"rows": rows},
            )  # fmt: skip
