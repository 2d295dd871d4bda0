"""Erasing what comparisons found, once nobody can go back to legacy: whole reports, for half of one proves nothing."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import holds, ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from parity_reports.models import Report
from parity_reports.queries import kept


class UnableToErase(UseCaseError):
    """The findings cannot be erased now."""


def erase(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Erase an account's reports, drift, reconciliations and shadow reads. Safe to repeat.

    The ledger and the evidence of decisions keep verdicts and digests. The database lets go of them only while such a
    deletion is carried out. Raises `holds.LegallyHeld`, and erases nothing, where a legal hold stands by the end.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        latest = Report.objects.filter(tenant_id=tenant_id).order_by("-requested_at").first()
        if Report.objects.filter(tenant_id=tenant_id, state=Report.State.RUNNING).exists():
            raise UnableToErase("A comparison is under way.", fix="Try again once it has ended.")
        counted = kept.count(tenant_id=tenant_id)
        for model in kept.KEPT:
            model.objects.filter(tenant_id=tenant_id).delete()
        holds.demand_none(tenant_id=tenant_id, at=at)
        if latest:
            ledger.record(
                "parity_reports.findings.erased", by=by, at=at, tenant_id=tenant_id, subject=latest,
                data={"rows": sum(counted.values())},
            )  # fmt: skip
