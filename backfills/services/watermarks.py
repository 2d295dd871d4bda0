"""Withdrawing watermarks: rows were written by something that is no run, so only a full run sees all that follows."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from backfills.domain.spec import Spec
from backfills.models import Run
from core import ledger, ports
from core.actor import Actor
from core.moving import LoadOrder


def withdraw(*, order: LoadOrder, itself: bool, by: Actor, at: datetime) -> None:
    """Let no catch-up rely on what it had read of `itself`, nor of what looks up the rows that the order will write.

    The new platform notes these rows as it does a run's, and catch-ups read what names them; so that is about entities
    for which it cannot tell (`DataMover.touched`). To be called before such rows are written. A catch-up that is under
    way then asks for a full run. Safe to repeat.
    """
    looking = [name for name, spec in order.specs.items() if order.entity in _looked_up(spec)]
    names = {name for name in looking if ports.mover().touched(order=replace(order, entity=name)) is None}
    names |= {order.entity} if itself else set()
    with transaction.atomic():
        kept = Run.objects.filter(tenant_id=order.account_id, entity__in=names, watermark__isnull=False)
        latest = kept.order_by("-requested_at", "-id").first()
        if latest and kept.update(watermark=None):
            data = {"entity": order.entity, "of": sorted(names)}
            ledger.record(
                "backfills.watermark.withdrawn", by=by, at=at, tenant_id=order.account_id, subject=latest, data=data
            )


def _looked_up(spec: Spec) -> set[str]:
    return {lookup.entity for lookup in spec.lookups.values()}
