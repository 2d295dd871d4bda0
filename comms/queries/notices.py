"""Status updates and put-away banners."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from comms.models import BannerDismissal, StatusUpdate

NEWS_FOR = timedelta(days=2)
"""How long a piece of news stands in a banner; an incident stands until one that says it is resolved."""


def updates(*, tenant_id: UUID) -> QuerySet[StatusUpdate]:
    """Return the tenant's news, newest first."""
    return StatusUpdate.objects.filter(tenant_id=tenant_id).select_related("written_by")


def current(*, tenant_id: UUID, at: datetime) -> StatusUpdate | None:
    """Return the newest piece of news if it still belongs into a banner."""
    newest = StatusUpdate.objects.filter(tenant_id=tenant_id).order_by("-written_at").first()
    if newest is None:
        return None
    is_fresh = newest.written_at > at - NEWS_FOR
    return newest if is_fresh or newest.kind == StatusUpdate.Kind.INCIDENT else None


def dismissed(*, tenant_id: UUID, user_id: UUID, ids: Collection[str]) -> set[str]:
    """Return those banners that a person has put away."""
    found = BannerDismissal.objects.filter(tenant_id=tenant_id, person_id=user_id, banner__in=ids)
    return set(found.values_list("banner", flat=True))
