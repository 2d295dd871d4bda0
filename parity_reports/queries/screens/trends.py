"""How parity went from one comparison to the next."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from django.db.models import QuerySet

from core.charts import Point
from parity_reports.domain import verdict
from parity_reports.domain.ladder import Method
from parity_reports.domain.verdict import Verdict
from parity_reports.models import Report
from parity_reports.queries import reports

_TREND = 30


@dataclass(frozen=True, slots=True)
class Trend:
    """How the latest finished comparisons went, oldest first; gaps where one is incomplete."""

    equal: list[Point]
    """Percent of the records that agree."""
    errors: list[Point]
    """Records that do not agree."""
    invariants: list[Point]
    """Percent of the invariants that hold."""

    @property
    def is_a_line(self) -> bool:
        """Whether there is more than one comparison, so that there is something to follow."""
        return len(self.equal) > 1


def trend(*, tenant_id: UUID, zone: tzinfo, upto: Report | None = None) -> Trend:
    """Return how the latest finished full reports went, or the latest up to one of them."""
    finished = reports.history(tenant_id=tenant_id).filter(state=Report.State.FINISHED, method=Method.FULL)
    if upto is not None:
        finished = finished.filter(requested_at__lte=upto.requested_at)
    rows = [(row, f"{local.day} {local:%b %H:%M}") for row, local in _local(finished[:_TREND], zone)]
    return Trend(
        equal=[Point(label, _share(row)) for row, label in rows],
        errors=[Point(label, row.tally.errors if _is_whole(row) else None) for row, label in rows],
        invariants=[Point(label, _holding(row)) for row, label in rows],
    )


def _local(newest_first: QuerySet[Report], zone: tzinfo) -> list[tuple[Report, datetime]]:
    return [(row, row.requested_at.astimezone(zone)) for row in reversed(newest_first)]


def _is_whole(report: Report) -> bool:
    return report.verdict != Verdict.INCOMPLETE and report.compared > 0


def _share(report: Report) -> float | None:
    return _percent(1 - report.tally.error_rate) if _is_whole(report) else None


def _holding(report: Report) -> float | None:
    rate = verdict.pass_rate(passed=report.invariants_passed, total=report.invariants_total)
    return _percent(rate) if _is_whole(report) and report.invariants_total else None


def _percent(share: Decimal) -> float:
    """Return a share in percent, never rounded up: 100 is all of them."""
    return float((100 * share).quantize(Decimal("0.001"), rounding=ROUND_FLOOR))
