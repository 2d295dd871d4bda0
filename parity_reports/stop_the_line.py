"""When parity stops the line: what came to differ, or is read otherwise, and nobody could explain in time."""

from datetime import datetime
from uuid import UUID

from core.stop_the_line import Alarm, signal
from parity_reports.domain import drift
from parity_reports.queries import drift as queries
from parity_reports.queries import shadow


@signal("parity_reports.drift")
def unexplained_drift(*, tenant_id: UUID, at: datetime) -> Alarm | None:
    """The charter's trigger: data drift unexplained for more than 30 minutes."""
    standing = queries.standing(tenant_id=tenant_id, at=at)
    if standing.unexplained_since is None or not drift.is_overdue(standing.unexplained_since, at=at):
        return None
    what = "record differs" if standing.unexplained == 1 else "records differ"
    reason = f"{standing.unexplained:,} {what} since the comparison, and for more than 30 minutes nobody knows why."
    return Alarm(reason, standing.unexplained_since)


@signal("parity_reports.shadow_reads")
def unexplained_reads(*, tenant_id: UUID, at: datetime) -> Alarm | None:
    """The same trigger where people would meet it: reads that both platforms answer differently, and why is unknown."""
    standing = shadow.standing(tenant_id=tenant_id, at=at)
    if standing.unexplained_since is None or not drift.is_overdue(standing.unexplained_since, at=at):
        return None
    what = "read is" if standing.unexplained == 1 else "reads are"
    reason = f"{standing.unexplained:,} {what} answered differently, and for more than 30 minutes nobody knows why."
    return Alarm(reason, standing.unexplained_since)
