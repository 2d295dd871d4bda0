"""A reader's own marks on guides."""

from datetime import datetime
from uuid import UUID

from core.actor import Actor
from core.errors import NotFound
from core.permissions import Permission
from parity_reports.models import GuideMark
from parity_reports.queries import catalogue


def mark(*, tenant_id: UUID, guide: str, is_read: bool, by: Actor, at: datetime) -> None:
    """Note that the reader has read a guide, or puts it aside, in the version it has now. Safe to repeat."""
    by.require(Permission.VIEW_TENANT, tenant_id=tenant_id)
    found = catalogue.read().guides.get(guide)
    if found is None or not found.is_published:
        raise NotFound("There is no such guide.")
    GuideMark.objects.bulk_create(
        [
            GuideMark(
                tenant_id=tenant_id,
                guide=found.slug,
                version=found.version,
                mark=GuideMark.Mark.READ if is_read else GuideMark.Mark.DISMISSED,
                marked_at=at,
                marked_by=by.known_id,
            )
        ],
        update_conflicts=True,
        unique_fields=["tenant", "marked_by", "guide"],
        update_fields=["version", "mark", "marked_at"],
    )
