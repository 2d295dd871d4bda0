"""Withdrawing watermarks: rows were written by something that is no run, so only a full run sees all that follows."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from backfills.domain.spec import Spec
from backfills.models import Run
from backfills.queries import mapping
from core import ledger
from core.actor import Actor


def withdraw(*, tenant_id: UUID, entity: str, itself: bool, by: Actor, at: datetime) -> None:
    """Let no catch-up rely on what it had read of the entities that look up rows of this one, nor of `itself`.

    To be called before such rows are written. A catch-up that is under way then asks for a full run. Safe to repeat.
    """
    looking = {name for name, spec in mapping.specs().items() if entity in _looked_up(spec)}
    with transaction.atomic():
        names = looking | ({entity} if itself else set())
        kept = Run.objects.filter(tenant_id=tenant_id, entity__in=names, watermark__isnull=False)
        latest = kept.order_by("-requested_at", "-id").first()
        if latest and kept.update(watermark=None):
            data = {"entity": entity, "of": sorted(names)}
            ledger.record("backfills.watermark.withdrawn", by=by, at=at, tenant_id=tenant_id, subject=latest, data=data)


def _looked_up(spec: Spec) -> set[str]:
    return {lookup.entity for lookup in spec.lookups.values()}
