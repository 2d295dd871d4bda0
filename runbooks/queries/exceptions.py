"""The exception registry, for screens, readiness and evidence."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from runbooks.models import PolicyException


def active(*, tenant_ids: Iterable[UUID], at: datetime) -> QuerySet[PolicyException]:
    """Return the approved exceptions that stand at a moment."""
    return PolicyException.objects.filter(
        tenant_id__in=list(tenant_ids), approved_at__isnull=False, revoked_at=None, refused_at=None, expires_at__gt=at
    )


def of_tenant(*, tenant_id: UUID) -> QuerySet[PolicyException]:
    """Return every exception the tenant ever had, newest first."""
    return PolicyException.objects.filter(tenant_id=tenant_id).select_related("owner", "requested_by", "approved_by")


def standing(*, at: datetime) -> tuple[int, int]:
    """Return how many exceptions stand in the whole programme, and how many of them end within seven days."""
    approved = PolicyException.objects.filter(approved_at__isnull=False, revoked_at=None, expires_at__gt=at)
    counted = approved.aggregate(all=Count("pk"), soon=Count("pk", filter=Q(expires_at__lte=at + timedelta(days=7))))
    return counted["all"], counted["soon"]
