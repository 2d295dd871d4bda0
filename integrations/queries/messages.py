"""Messages and their attempts."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from integrations.domain.retries import State
from integrations.models import Message


def listed(*, tenant_id: UUID, state: State) -> QuerySet[Message]:
    """Return a tenant's messages in a state with their attempts, newest first."""
    rows = Message.objects.filter(tenant_id=tenant_id, state=state.value)
    return rows.select_related("endpoint").prefetch_related("attempts")


def counts(*, tenant_id: UUID) -> Counter[str]:
    """Count a tenant's messages by state."""
    rows = Message.objects.filter(tenant_id=tenant_id).order_by().values_list("state").annotate(Count("pk"))
    return Counter(dict(rows))


def find(*, tenant_id: UUID, pk: UUID) -> Message | None:
    """Return a message."""
    return Message.objects.filter(tenant_id=tenant_id, pk=pk).select_related("endpoint").first()


def due(*, at: datetime) -> list[tuple[UUID, UUID]]:
    """Return tenant and id of every message whose time has come. Needs a staff scope."""
    return list(Message.objects.filter(next_attempt_at__lte=at).values_list("tenant_id", "pk").order_by("tenant_id"))
