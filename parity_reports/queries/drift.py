"""Drift, for screens, checks and signals: what came to differ since the comparison, and why."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min, QuerySet, Sum

from parity_reports.domain.drift import Cause
from parity_reports.models import Drift, Report, Watch
from parity_reports.queries import reports

TASK = "parity_reports.tasks.recheck"
EVERY = timedelta(minutes=15)
"""How often an entity is looked at again."""
WATCHED_FOR = timedelta(days=30)
"""How long after a comparison its entities are looked at; a new comparison begins anew."""
OVERDUE = timedelta(hours=1)
"""After so long without a look nothing is known."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tenant stands since its last comparison. `unexplained` leaves out what a person has explained."""

    report: Report | None
    watches: Sequence[Watch]
    differing: int
    causes: Mapping[Cause, int]
    unexplained: int
    unexplained_since: datetime | None
    looked_at: datetime | None
    """The oldest look among the entities; the comparison itself is one."""

    def is_known(self, *, at: datetime) -> bool:
        """Say whether somebody has looked lately."""
        return self.looked_at is not None and at - self.looked_at <= OVERDUE

    @property
    def problem(self) -> str:
        """Why an entity could not be read, if one could not."""
        return next((f"{watch.title}: {watch.problem}" for watch in self.watches if watch.problem), "")


def standing(*, tenant_id: UUID, at: datetime) -> Standing:
    """Return how a tenant stands, in a few queries."""
    report = reports.latest(tenant_id=tenant_id)
    watches = list(Watch.objects.filter(tenant_id=tenant_id).defer("mark").order_by("title")) if report else []
    causes: Counter[Cause] = Counter()
    for watch in watches:
        causes.update({Cause(name): number for name, number in watch.causes.items()})
    open_ones = unexplained(tenant_id=tenant_id)
    explained = open_ones.filter(explained_until__gt=at).count()
    first = open_ones.exclude(explained_until__gt=at).aggregate(at=Min("unexplained_since"))["at"]
    since = [moment for moment in (first, *(watch.unlisted_since for watch in watches)) if moment]
    return Standing(
        report=report,
        watches=watches,
        differing=sum(watch.differing for watch in watches),
        causes=causes,
        unexplained=max(causes[Cause.UNKNOWN] - explained, 0),
        unexplained_since=min(since, default=None),
        looked_at=_looked_at(report, watches),
    )


def unexplained(*, tenant_id: UUID) -> QuerySet[Drift]:
    """Return the open drifts that no fact explains, whether or not a person has."""
    return Drift.objects.filter(tenant_id=tenant_id, resolved_at=None, unexplained_since__isnull=False)


def listed(*, tenant_id: UUID) -> QuerySet[Drift]:
    """Return the drifts that stand, the unexplained first, then the newest."""
    return Drift.objects.filter(tenant_id=tenant_id, resolved_at=None).order_by(
        "unexplained_since", "-first_seen_at", "entity", "record"
    )


def resolved(*, tenant_id: UUID) -> QuerySet[Drift]:
    """Return the drifts that are over, the newest first."""
    return Drift.objects.filter(tenant_id=tenant_id, resolved_at__isnull=False).order_by("-resolved_at", "record")


def differing_of_many(tenant_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many records of each tenant came to differ; those that are not watched are missing."""
    rows = Watch.objects.filter(tenant_id__in=tenant_ids).order_by().values_list("tenant_id")
    return dict(rows.annotate(number=Sum("differing")))


def names(*, tenant_id: UUID, entity: str) -> set[str]:
    """Return the names of the records of an entity that drift."""
    rows = Drift.objects.filter(tenant_id=tenant_id, entity=entity, resolved_at=None)
    return set(rows.values_list("record", flat=True))


def due(*, at: datetime) -> list[UUID]:
    """Return the tenants with an entity that is to be looked at now; needs a staff scope."""
    watched = [
        report
        for report in reports.latest_of_many()
        if report.finished_at is not None and report.finished_at > at - WATCHED_FOR
    ]
    rows = Watch.objects.filter(report__in=watched).order_by().values_list("report_id").annotate(first=Min("due_at"))
    first = dict(rows)
    return [report.tenant_id for report in watched if first.get(report.pk, _first_due(report)) <= at]


def _first_due(report: Report) -> datetime:
    assert report.finished_at is not None
    return report.finished_at + EVERY


def _looked_at(report: Report | None, watches: Sequence[Watch]) -> datetime | None:
    if report is None or report.finished_at is None:
        return None
    looks = [watch.looked_at or report.finished_at for watch in watches if watch.report_id == report.pk]
    return min(looks, default=report.finished_at)
