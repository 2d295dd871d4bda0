"""Asking for an evaluation: at the push of a button, or because an answer is about to expire."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

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
    """Enqueue an evaluation for every tenant with answers that expire within minutes; return for how many.

    Needs a staff scope.
    """
    by.require(Permission.RUN_CHECKS)
    tenant_ids = set(_expiring(at=at).order_by().values_list("tenant_id", flat=True))
    for tenant_id in tenant_ids:
        queue.enqueue(TASK, tenant_id=tenant_id, key="expiring", expiring=True)
    return len(tenant_ids)


def expiring(*, tenant_id: UUID, at: datetime) -> list[str]:
    """Return the checks of a tenant whose answer has expired or does within minutes.

    What nobody asked yet is not among them: it is missing, and blocks until somebody asks.
    """
    return list(_expiring(at=at).filter(tenant_id=tenant_id).order_by("check_id").values_list("check_id", flat=True))


def _expiring(*, at: datetime) -> QuerySet[RecordedFinding]:
    return RecordedFinding.objects.filter(is_latest=True, expires_at__lte=at + _AHEAD, check_id__in=[*CHECKS])
