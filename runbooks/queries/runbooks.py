"""Runbooks and steps, for screens and for the apps above."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import DateField, ExpressionWrapper, F, QuerySet

from runbooks.domain.template import StepState
from runbooks.models import Runbook, Step


def of_tenant(*, tenant_id: UUID) -> Runbook | None:
    """Return the tenant's runbook, or None before it is opened."""
    return Runbook.objects.filter(tenant_id=tenant_id).select_related("tenant").first()


def steps(*, tenant_id: UUID) -> QuerySet[Step]:
    """Return the tenant's steps in order of their day."""
    return Step.objects.filter(tenant_id=tenant_id).select_related("signed_by", "runbook")


def states(*, tenant_id: UUID) -> list[StepState]:
    """Return what the decisions need to know of each step."""
    rows = Step.objects.filter(tenant_id=tenant_id).values_list("key", "title", "offset_days", "gates", "signed_at")
    return [StepState(key, title, day, gates, signed is not None) for key, title, day, gates, signed in rows]


def overdue_count(*, today: date) -> int:
    """Return how many unsigned steps of the whole programme are past their day."""
    due = ExpressionWrapper(F("runbook__cutover_on") + F("offset_days"), output_field=DateField())
    return Step.objects.filter(signed_at=None).annotate(due=due).filter(due__lt=today).count()


def signed(*, tenant_ids: Collection[UUID], key: str) -> set[UUID]:
    """Return those of the tenants whose step of this key is signed."""
    rows = Step.objects.filter(tenant_id__in=tenant_ids, key=key, signed_at__isnull=False)
    return set(rows.values_list("tenant_id", flat=True))
