"""Where one account's move stands, for people without a sign-in: only what the customer's own pages show."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.serializers.json import DjangoJSONEncoder

from accounts.queries.tenants import Tenant
from core import readiness
from core.approvals import reading
from parity_reports.queries import reports, screens
from portal.dashboard.queries import areas, checks, figures, phases
from portal.dashboard.queries.areas import Cell
from portal.dashboard.queries.checks import CheckView
from portal.dashboard.queries.figures import Figure

HEADER = ("account", "as of (UTC)", "section", "item", "state", "what was found", "whose turn", "due")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts of one moment; `digest` is the SHA-256 of everything but the moment itself."""

    tenant: Tenant
    at: datetime
    way: phases.Way
    figures: list[Figure]
    cells: list[Cell]
    groups: list[tuple[str, list[CheckView]]]
    entities: list[screens.Entity]
    compared_at: datetime | None
    run: UUID | None
    witness: str
    """The ledger's last checkpoint: whoever keeps this page can later show that nothing before it was rewritten."""

    @property
    def blockers(self) -> int:
        """How many checks keep the go/no-go shut."""
        return sum(check.blocks for _, members in self.groups for check in members)

    @property
    def moment(self) -> str:
        """The moment in the account's own time, whole, because paper is read later."""
        return _moment(self.at, self.tenant)

    @property
    def compared(self) -> str:
        """When the last comparison ended, likewise."""
        return _moment(self.compared_at, self.tenant) if self.compared_at else "never"

    @property
    def digest(self) -> str:
        """The SHA-256 of what it says, hexadecimal."""
        said = [self.tenant.name, self.way.phase, self.way.window_starts_at, self.run, self.witness, *lines(self)]
        return hashlib.sha256(json.dumps(said, cls=DjangoJSONEncoder).encode()).hexdigest()


def read(*, tenant: Tenant, at: datetime) -> Snapshot:
    """Return the account as it stands; nothing in it that its own pages would not show to its auditor."""
    zone = ZoneInfo(tenant.time_zone)
    found = checks.read(tenant=tenant, at=at)
    way = phases.read(tenant_id=tenant.pk, zone=zone)
    parity = screens.trend(tenant_id=tenant.pk, zone=zone).equal
    report = reports.latest(tenant_id=tenant.pk)
    checkpoint = reading.witness(tenant_id=tenant.pk)
    blockers = sum(check.blocks for check in found.checks)
    return Snapshot(
        tenant=tenant,
        at=at,
        way=way,
        figures=figures.read(tenant_id=tenant.pk, phase=way.phase, blockers=blockers, parity=parity, at=at),
        cells=areas.cells(readiness.overview(tenant_id=tenant.pk, at=at)),
        groups=found.groups,
        entities=list(screens.of(report).entities) if report else [],
        compared_at=report.finished_at if report else None,
        run=report.pk if report else None,
        witness=checkpoint.witness if checkpoint else "",
    )


def lines(snapshot: Snapshot) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yield the snapshot as lines of a table: section, item, state, what was found, whose turn, due."""
    for figure in snapshot.figures:
        yield "figure", figure.label, figure.words, f"{figure.value} {figure.target}".strip(), "", ""
    for group, members in snapshot.groups:
        for check in members:
            yield group, check.title, check.state, check.summary, check.owner, check.due
    for entity in snapshot.entities:
        tally = entity.tally
        yield "compared", entity.title, entity.words, f"{tally.expected} expected, {tally.actual} found", "", ""


def _moment(at: datetime, tenant: Tenant) -> str:
    local = at.astimezone(ZoneInfo(tenant.time_zone))
    return f"{local.day} {local:%B %Y, %H:%M %Z}"
