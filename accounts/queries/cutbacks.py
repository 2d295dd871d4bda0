"""Cutbacks, for pages and checks."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain import cutbacks as domain
from accounts.models import Cutback


def every(*, tenant_id: UUID) -> QuerySet[Cutback]:
    """Return the tenant's cutbacks, the newest first."""
    return Cutback.objects.filter(tenant_id=tenant_id).order_by("-requested_at", "-pk")


def is_asked(at: datetime) -> Q:
    """Select those that wait for approval."""
    return Q(ended_at=None, ends_at=None, lapses_at__gt=at)


def is_running(at: datetime) -> Q:
    """Select those that run."""
    return Q(ended_at=None, ends_at__gt=at)


def state_of(cutback: Cutback, *, at: datetime) -> domain.State:
    """Return where a cutback stands."""
    return domain.state(at=at, lapses_at=cutback.lapses_at, ends_at=cutback.ends_at, ended_at=cutback.ended_at)


def end_of(*, cutback_id: UUID) -> datetime | None:
    """Return when a cutback ended."""
    return Cutback.objects.filter(pk=cutback_id).values_list("ended_at", flat=True).first()


def open_one(*, tenant_id: UUID, at: datetime) -> Cutback | None:
    """Return the cutback that waits for approval or runs."""
    newest = every(tenant_id=tenant_id).filter(ended_at=None).first()
    return newest if newest is not None and state_of(newest, at=at) is not domain.State.OVER else None
