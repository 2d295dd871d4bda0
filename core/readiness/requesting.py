"""Asking for an evaluation: at the push of a button, or because an answer is about to expire."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, Q

from core import queue
from core.actor import Actor
from core.errors import NotFound
from core.models import RecordedFinding
from core.permissions import Permission
from core.readiness.registry import CHECKS

TASK = "core.tasks.evaluate_readiness"
_AHEAD = timedelta(minutes=5)


def request(*, tenant_id: UUID, by: Actor, check_id: str | None = None) -> UUID:
    """Enqueue the evaluation of one check (None: of all) and return the job, which tells its progress.

    Pressing twice joins the evaluation that waits. Raises `NotFound` for an unknown check.
    """
    by.require(Permission.RUN_CHECKS, tenant_id=tenant_id)
    if check_id is not None and check_id not in CHECKS:
        raise NotFound("There is no such check.")
    return queue.enqueue(TASK, tenant_id=tenant_id, key=check_id or "all", by=by, check_id=check_id)


def request_expiring(*, by: Actor, at: datetime) -> int:
    """Enqueue an evaluation for every tenant with something to ask again (`expiring`); return for how many.

    Needs a staff scope.
    """
    by.require(Permission.RUN_CHECKS)
    asked = RecordedFinding.objects.filter(is_latest=True, check_id__in=[*CHECKS]).order_by().values("tenant_id")
    due = asked.annotate(known=Count("pk"), first=Min("expires_at")).filter(
        Q(first__lte=at + _AHEAD) | Q(known__lt=len(CHECKS))
    )
    tenant_ids = list(due.values_list("tenant_id", flat=True))
    for tenant_id in tenant_ids:
        queue.enqueue(TASK, tenant_id=tenant_id, key="expiring", expiring=True)
    return len(tenant_ids)


def expiring(*, tenant_id: UUID, at: datetime) -> list[str]:
    """Return the checks of a tenant whose answer has expired or does within minutes, or that are new since.

    A tenant about whom nobody asked anything yet has none: its move has not begun.
    """
    known = dict(
        RecordedFinding.objects.filter(tenant_id=tenant_id, is_latest=True).values_list("check_id", "expires_at")
    )
    if not known:
        return []
    return sorted(check_id for check_id in CHECKS if check_id not in known or known[check_id] <= at + _AHEAD)
