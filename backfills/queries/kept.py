"""What is kept of an account's runs and inspections that holds keys or values of its rows."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import QuerySet

from backfills.models import Batch, DeadLetter, InspectedFault


def letters(*, tenant_id: UUID) -> QuerySet[DeadLetter]:
    """Return every rejected row, settled or not."""
    return DeadLetter.objects.filter(tenant_id=tenant_id)


def with_keys(*, tenant_id: UUID) -> QuerySet[Batch]:
    """Return the batches that still say from which key to which they went."""
    return Batch.objects.filter(tenant_id=tenant_id).exclude(first_key="", last_key="")


def with_examples(*, tenant_id: UUID) -> QuerySet[InspectedFault]:
    """Return the faults that still show examples."""
    return InspectedFault.objects.filter(tenant_id=tenant_id).exclude(examples=[])


def count(*, tenant_id: UUID) -> Mapping[str, int]:
    """Count an account's rows by kind, as far as they hold keys or values."""
    return {
        "deadletter": letters(tenant_id=tenant_id).count(),
        "batch": with_keys(tenant_id=tenant_id).count(),
        "inspectedfault": with_examples(tenant_id=tenant_id).count(),
    }
