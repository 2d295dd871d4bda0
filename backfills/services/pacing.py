"""The limit of a tenant's rows per second: kept at the borders of batches, by when the next one may be read."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Value
from django.db.models.functions import Greatest

from backfills.models import Pace


def held_until(*, tenant_id: UUID, at: datetime) -> datetime | None:
    """Return when the limit lets the next batch be read; None where that is now."""
    held = Pace.objects.filter(tenant_id=tenant_id, rows_per_second__isnull=False, free_at__gt=at)
    return held.values_list("free_at", flat=True).first()


def spend(*, tenant_id: UUID, rows: int, at: datetime) -> None:
    """Let the rows of a batch that was begun at a moment count against the limit, if there is one."""
    took = ExpressionWrapper(Value(timedelta(seconds=rows)) / F("rows_per_second"), output_field=DurationField())
    began = Greatest("free_at", Value(at), output_field=DateTimeField())
    Pace.objects.filter(tenant_id=tenant_id, rows_per_second__isnull=False).update(
        free_at=ExpressionWrapper(began + took, output_field=DateTimeField())
    )
