"""Two small platforms behind the comparison port, for tests of reports and their pages."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core import ports, queue, tenancy
from core.permissions import TenantRole
from parity_reports.models import Report
from parity_reports.services import reports
from tests import make
from tests.fakes.comparison import FakeComparison
from tests.people import PEOPLE, ZONES, legacy_person, new_person
from tests.queueing import now


@dataclass
class Crossing:
    """A tenant with its people on both platforms, as a fake comparison sees them."""

    tenant: Any
    legacy: list[dict[str, Any]] = field(default_factory=list)
    new: list[dict[str, Any]] = field(default_factory=list)

    @property
    def engine(self) -> FakeComparison:
        """The fake behind the port."""
        return ports.comparison()  # type: ignore[return-value]  # the settings of the test say so

    def put(self, number: int, *, moved: bool = True, legacy: dict[str, Any] | None = None, **changed: Any) -> None:
        """Add a person to legacy and, unless they were lost, to the new platform; `changed` there."""
        self.legacy.append(
            legacy_person(number, **{"own_cd": self.tenant.legacy_ref, "zone": None, "clock": None, **(legacy or {})})
        )
        if moved:
            self.new.append(self.moved(number, **changed))

    def moved(self, number: int, **changed: Any) -> dict[str, Any]:
        """A person as the new platform holds them."""
        values = {"owner": str(self.tenant.pk), "zone": None, "begins_at": None, **changed}
        row: dict[str, Any] = new_person(number, **values)
        return row

    def request(self, by=None, method="full"):
        """Ask for a comparison as the house."""
        with tenancy.scope(tenant_id=self.tenant.pk):
            return reports.request(tenant_id=self.tenant.pk, by=by or make.SYSTEM, at=now(), method=method)

    def work(self, *, later: timedelta = timedelta(0)) -> None:
        """Run what is due in the queue."""
        queue.run_pending(at=now() + later if later else None)

    def compare(self, method: str = "full") -> Report:
        """Ask for a comparison and run it to its end."""
        report = self.request(method=method)
        self.work()
        return self.reread(report)

    def reread(self, report: Report) -> Report:
        """Read a report again."""
        with make.arranging():
            return Report.objects.get(pk=report.pk)


def arrange(settings: Any, folder: Any, tenant: Any = None, people: str = PEOPLE) -> Crossing:
    """Put the small mapping and the fake comparison in place for a tenant."""
    for name, text in (("people", people), ("zones", ZONES)):
        (folder / f"{name}.yaml").write_text(text)
    settings.MAPPING_FOLDER = str(folder)
    crossing = Crossing(tenant or make.tenant())
    crossing_zone = {"owner": str(crossing.tenant.pk), "code": "XX", "time_zone": "UTC"}
    options = {
        "legacy": {"zone_mast": [], "person_mast": crossing.legacy},
        "new": {"clean.zone": [crossing_zone], "clean.person": crossing.new},
    }
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "comparison": {"BACKEND": "tests.fakes.comparison.FakeComparison", "OPTIONS": options},
        "checksummer": {"BACKEND": "tests.fakes.comparison.FakeChecksummer", "OPTIONS": {"new": options["new"]}},
    }
    return crossing


def person(crossing: Crossing, role: TenantRole = TenantRole.OWNER) -> Any:
    """Make a member of the tenant with a role, and return their user."""
    return make.member(crossing.tenant, role).user
