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
class Step:
    """How one comparison went: percent of the records that agree, how many do not, and percent of the invariants."""

    report: Report
    equal_percent: float | None
    errors: int | None
    invariants_percent: float | None


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
    rows = finished(tenant_id=tenant_id)
    if upto is not None:
        rows = rows.filter(requested_at__lte=upto.requested_at)
    steps = [step(row) for row in reversed(rows[:_TREND])]
    labels = [_label(one.report.requested_at.astimezone(zone)) for one in steps]
    return Trend(
        equal=[Point(label, one.equal_percent) for label, one in zip(labels, steps, strict=True)],
        errors=[Point(label, one.errors) for label, one in zip(labels, steps, strict=True)],
        invariants=[Point(label, one.invariants_percent) for label, one in zip(labels, steps, strict=True)],
    )


def finished(*, tenant_id: UUID) -> QuerySet[Report]:
    """Return the comparisons that a trend is made of, newest first: full ones that ended."""
    return reports.history(tenant_id=tenant_id).filter(state=Report.State.FINISHED, method=Method.FULL)


def step(report: Report) -> Step:
    """Return how one comparison stands in a trend."""
    whole = _is_whole(report)
    return Step(report, _share(report), report.tally.errors if whole else None, _holding(report))


def _label(local: datetime) -> str:
    return f"{local.day} {local:%b %H:%M}"


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
