"""A tenant whose comparison was equal, and whose platforms then drift, behind fakes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backfills.queries import mapping
from core import tenancy
from core.queue import JobState
from parity_reports.models import Drift, Report, Watch
from parity_reports.queries import drift as queries
from parity_reports.services import drift, reports
from tests import make
from tests.fakes.moved import Entity
from tests.fakes.platforms import FakeLegacy, FakeMover
from tests.parity import Crossing, arrange
from tests.people import PEOPLE
from tests.queueing import now

__all__ = ["Drifting", "JobState", "settle"]


@dataclass
class Drifting:
    """Both platforms after their comparison; `pass_by` lets time pass for the re-checks."""

    crossing: Crossing
    later: timedelta = timedelta(0)

    @property
    def tenant_id(self) -> Any:
        return self.crossing.tenant.pk

    def at(self) -> datetime:
        return now() + self.later

    def legacy(self, number: int, **changed: Any) -> None:
        """Change a row in legacy."""
        self._row(self.crossing.legacy, "seq", str(number)).update(changed)

    def new(self, number: int, **changed: Any) -> None:
        """Change an object on the new platform behind everybody's back."""
        self._row(self.crossing.new, "id", number).update(changed)

    def delete_new(self, number: int) -> None:
        self.crossing.new.remove(self._row(self.crossing.new, "id", number))

    def compare(self) -> Report:
        """Compare both platforms, without what else follows in the queue."""
        report = self.crossing.request()
        with tenancy.scope(tenant_id=self.tenant_id):
            while report.state == Report.State.RUNNING:
                reports.advance(
                    tenant_id=self.tenant_id, report_id=report.pk, by=make.SYSTEM, at=now(), is_last_attempt=True
                )
                report.refresh_from_db()
        return report

    def look(self, *, later: timedelta = timedelta(0), is_last_attempt: bool = True) -> None:
        """Look at everything again, so much later."""
        self.later += later
        with tenancy.scope(tenant_id=self.tenant_id):
            Watch.objects.update(due_at=self.at())
            drift.recheck(tenant_id=self.tenant_id, by=make.SYSTEM, now=self.at, is_last_attempt=is_last_attempt)

    def standing(self) -> queries.Standing:
        with tenancy.scope(tenant_id=self.tenant_id):
            return queries.standing(tenant_id=self.tenant_id, at=self.at())

    def drifts(self, **wanted: Any) -> list[Drift]:
        with make.arranging():
            return list(Drift.objects.filter(tenant_id=self.tenant_id, **wanted).order_by("key", "record"))

    @staticmethod
    def _row(rows: list[dict[str, Any]], name: str, value: Any) -> dict[str, Any]:
        return next(row for row in rows if row[name] == value)


def settle(settings: Any, folder: Any, *, people: int = 3, tenant: Any = None, text: str = PEOPLE) -> Drifting:
    """Move so many people by a mapping, as the fakes remember it, and compare both platforms."""
    crossing = arrange(settings, folder, tenant, people=text)
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "legacy": {"BACKEND": "tests.fakes.platforms.FakeLegacy"},
        "mover": {"BACKEND": "tests.fakes.platforms.FakeMover"},
    }
    FakeLegacy.reset()
    FakeMover.reset()
    FakeLegacy.tables["person_mast"], FakeLegacy.tables["zone_mast"] = crossing.legacy, []
    for number in range(1, people + 1):
        crossing.put(number)
    moved = FakeMover.entities.setdefault((crossing.tenant.pk, "people"), Entity())
    label = mapping.specs()["people"].label
    columns = mapping.specs()["people"].source_columns
    for row in crossing.legacy:
        moved.origins[row["seq"]] = row["seq"]
        moved.rows[row["seq"]] = (label, now(), {name: row[name] for name in columns})
    FakeMover.entities[crossing.tenant.pk, "zones"] = Entity(supplied={"XX"})
    drifting = Drifting(crossing)
    drifting.compare()
    return drifting
