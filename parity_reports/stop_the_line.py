"""When parity stops the line: targets are missed, or nobody could explain in time what differs or is read otherwise."""

from datetime import datetime
from uuid import UUID

from backfills import barriers
from core import readiness
from core.stop_the_line import Alarm, signal
from parity_reports.domain import drift, verdict
from parity_reports.queries import drift as queries
from parity_reports.queries import reports, shadow


@signal("parity_reports.targets")
def outside_targets(*, tenant_id: UUID, at: datetime) -> Alarm | None:
    """The charter's first trigger: more than 0.1 % of the invariants or records fail in the newest whole comparison.

    Only a newer one that was whole takes that back; a policy exception from the check of the same name covers it while
    it stands. Once people work on the new platform a comparison finds their work as well, and drift is what tells.
    """
    report = reports.latest_whole(tenant_id=tenant_id)
    if report is None or report.finished_at is None:
        return None
    told = verdict.breaches(report.tally, passed=report.invariants_passed, total=report.invariants_total)
    if not told or barriers.why_shut(tenant_id=tenant_id):
        return None
    excepted = {cover.check_id for cover in readiness.covers(tenant_ids=[tenant_id], at=at).get(tenant_id, ())}
    open_ones = [words for name, words in told.items() if f"parity_reports.{name}" not in excepted]
    if not open_ones:
        return None
    return Alarm(f"By the last full comparison {', and '.join(open_ones)}.", report.finished_at)


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
