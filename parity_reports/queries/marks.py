"""Which guides a person has put aside, and which are news to them."""

from uuid import UUID

from parity_reports.domain import guides
from parity_reports.domain.guides import Guide
from parity_reports.models import GuideMark
from parity_reports.queries import catalogue


def of_person(*, tenant_id: UUID, user_id: UUID) -> dict[str, str]:
    """Return the person's marks, by guide; one of an older version of the guide does not count."""
    declared = catalogue.read().guides
    rows = GuideMark.objects.filter(tenant_id=tenant_id, marked_by=user_id)
    return {row.guide: row.mark for row in rows if row.guide in declared and row.version >= declared[row.guide].version}


def unread(*, tenant_id: UUID, user_id: UUID, role: str, segment: str) -> list[Guide]:
    """Return the guides written for this reader that they have neither read nor put aside."""
    marked = of_person(tenant_id=tenant_id, user_id=user_id)
    written = guides.for_reader(catalogue.read().published, role=role, segment=segment)
    return [guide for guide in written if guide.slug not in marked]
