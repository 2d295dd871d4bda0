"""A tenant in ramp whose reads are shadowed, behind fakes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core import ports, stop_the_line, tenancy
from core.models.ledger import LedgerEntry
from cutover.domain.phases import Phase
from cutover.models import Cutover
from cutover.services import cutovers
from parity_reports.domain.drift import Cause
from parity_reports.domain.shadow import Ending
from parity_reports.models import ShadowMismatch, ShadowRound
from parity_reports.queries import shadow as queries
from parity_reports.services import shadow
from tests import make
from tests.drifting import Drifting, settle
from tests.fakes.shadow import FakeShadowReader
from tests.people import NEW_YORK

LISTS = """
format: crossing-reads/1
entity: people
reads:
  - {name: of_a_zone, title: People of one zone, by: zone, at_most: 50}
"""


@dataclass
class Shadowing:
    """Both platforms after their comparison, and reads that are made of both."""

    drifting: Drifting

    @property
    def tenant_id(self) -> Any:
        return self.drifting.tenant_id

    @property
    def reader(self) -> FakeShadowReader:
        return ports.shadow_reader()  # type: ignore[return-value]  # the settings of the test say so

    def at(self):
        return self.drifting.at()

    def stand(self, phase: Phase) -> None:
        with make.arranging():
            cutovers.open_cutover(tenant_id=self.tenant_id, by=make.SYSTEM, at=self.at())
            Cutover.objects.filter(tenant_id=self.tenant_id).update(phase=phase.value)

    def switch_on(self, *, by: Any = make.SYSTEM, days: float = 5, reason: str = "The move begins.") -> None:
        with tenancy.scope(tenant_id=self.tenant_id):
            until = self.at() + timedelta(days=days)
            shadow.switch_on(tenant_id=self.tenant_id, until=until, reason=reason, by=by, at=self.at())

    def round(self, *, later: timedelta = timedelta(minutes=10)) -> ShadowRound | None:
        """Make the next round, so much later."""
        self.drifting.later += later
        with tenancy.scope(tenant_id=self.tenant_id):
            return shadow.advance(tenant_id=self.tenant_id, by=make.SYSTEM, now=self.at)

    def rounds(self, read: str = "one", entity: str = "people", *, later: timedelta = timedelta(minutes=10)) -> Any:
        """Make rounds until it was the turn of a read; return that round."""
        for _ in range(4):
            made = self.round(later=later)
            if made is None or (made.entity, made.read) == (entity, read):
                return made
        raise AssertionError(f"{entity} {read} never had its turn")

    def standing(self) -> queries.Standing:
        with tenancy.scope(tenant_id=self.tenant_id):
            return queries.standing(tenant_id=self.tenant_id, at=self.at())

    def mismatches(self, **wanted: Any) -> list[ShadowMismatch]:
        with make.arranging():
            return list(ShadowMismatch.objects.filter(tenant_id=self.tenant_id, **wanted).order_by("read", "shown"))


def alarms(shadowing: Shadowing) -> list[str]:
    """Return why the line must stop now."""
    with tenancy.scope(tenant_id=shadowing.tenant_id):
        return [one.reason for one in stop_the_line.raised(tenant_id=shadowing.tenant_id, at=shadowing.at())]


def told(*events: str) -> list[Any]:
    """Return what the ledger's entries of some events say, the oldest first."""
    with make.arranging():
        return [row.data for row in LedgerEntry.objects.filter(event__in=events).order_by("seq")]


def keep_rounds(tenant_id: Any, *, at: datetime, trouble: bool) -> None:
    """Keep two hours of rounds as they might have been made of an airline's platforms; with trouble, mismatches too."""
    reads = [("flights", "one", "Flights: one by its key"), ("flights", "of_an_aircraft", "Flights of one aircraft")]
    for number in range(48):
        entity, read, title = reads[number % 2]
        began = at - timedelta(minutes=2.5 * (48 - number))
        ShadowRound.objects.create(
            tenant_id=tenant_id, entity=entity, read=read, title=title, began_at=began, ended_at=began,
            compared=25, mismatched=int(trouble and number > 40), settled=number % 2, unasked=number % 3,
            legacy=[3_000 + 217 * (number * each % 31) for each in range(25)],
            new=[1_100 + 93 * (number * each % 17) for each in range(25)],
            slowed=4 if trouble else 1, due_at=at, expires_at=at + timedelta(days=30),
            problem="The legacy platform's database does not answer (57014)." if trouble and number == 47 else "",
        )  # fmt: skip
    late = [(Cause.LATE_WRITE, "HA 51-20130412-1"), (Cause.CLOCK, "HA 51-20130413-1"), (Cause.UNKNOWN, "")]
    for number, (cause, shown) in enumerate(late if trouble else late[:1]):
        ShadowMismatch.objects.create(
            tenant_id=tenant_id, entity="flights", read=reads[number % 2][1], title=reads[number % 2][2],
            about=f"c0ffee00c0ffee0{number}", shown=shown, names=[f"c0ffee00c0ffee0{number}"], records=1 + number,
            kind="different", columns={"departed_at": "value"}, cause=cause.value, sealed_key="",
            first_seen_at=at - timedelta(minutes=20), last_seen_at=at,
            unexplained_since=at - timedelta(minutes=20) if cause is Cause.UNKNOWN else None,
            resolved_at=None if trouble else at, ended="" if trouble else Ending.ALIKE.value,
        )  # fmt: skip


def shadowed(settings: Any, folder: Any, *, people: int = 3, tenant: Any = None, on: bool = True) -> Shadowing:
    """Settle a tenant, put it into ramp, and let its reads be shadowed."""
    (folder / "reads").mkdir()
    (folder / "reads" / "people.yaml").write_text(LISTS)
    drifting = settle(settings, folder, people=people, tenant=tenant)
    crossing = drifting.crossing
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "shadow_reader": {
            "BACKEND": "tests.fakes.shadow.FakeShadowReader",
            "OPTIONS": {
                "legacy": {"person_mast": crossing.legacy, "zone_mast": [{**NEW_YORK, "own_cd": "elsewhere"}]},
                "new": {"clean.person": crossing.new, "clean.zone": []},
            },
        },
    }
    found = Shadowing(drifting)
    found.stand(Phase.RAMP)
    if on:
        found.switch_on()
    return found
