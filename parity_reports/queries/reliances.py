"""What customers rely on and how it stands, for checks, pages and dashboards."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts.queries import tenants
from core import toggles
from parity_reports.domain import guides, trials
from parity_reports.domain.trials import Decisions, Trial
from parity_reports.domain.workflows import Workflow
from parity_reports.models import Reliance
from parity_reports.queries import catalogue


@dataclass(frozen=True, slots=True)
class Relied:
    """One workflow that a tenant relies on. `workflow` is None when the catalogue no longer has it."""

    row: Reliance
    workflow: Workflow | None
    trial: Trial
    bridged_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class UxParity:
    """How far the new platform does what one tenant's people do."""

    segment: str
    workflows: int
    differing: int
    unguided: tuple[tuple[str, str], ...] = ()
    """(workflow id, role) of what changes without a guide."""
    relied: tuple[Relied, ...] = field(default=())

    @property
    def open(self) -> list[Relied]:
        """What is relied on and still in the way."""
        return [one for one in self.relied if one.trial.blocks]

    @property
    def is_ready(self) -> bool:
        """Whether everything is described, guided, and tried or decided."""
        return bool(self.workflows) and not self.unguided and not self.open

    @property
    def words(self) -> str:
        """The state in a few words."""
        if not self.workflows:
            return "not described"
        if self.unguided:
            return f"{len({name for name, _ in self.unguided})} without guide"
        if self.open:
            return f"{len(self.open)} of {len(self.relied)} open"
        return f"{len(self.relied)} tried or decided" if self.relied else "nothing relied on"


def ux_parity(*, tenant_ids: Collection[UUID], at: datetime) -> dict[UUID, UxParity]:
    """Return the UX parity of many tenants, in as many queries as for one."""
    declared = catalogue.read()
    known = tenants.segments(tenant_ids=tenant_ids)
    relied = of_many(tenant_ids=tenant_ids, at=at)
    by_segment = {segment: _of_segment(declared, segment) for segment in set(known.values())}
    return {
        tenant_id: UxParity(segment, *by_segment[segment], relied=tuple(relied.get(tenant_id, ())))
        for tenant_id, segment in known.items()
    }


def of_many(*, tenant_ids: Collection[UUID], at: datetime) -> dict[UUID, list[Relied]]:
    """Return what each tenant relies on, in two queries."""
    declared = catalogue.read().workflows.workflows
    names = [workflow.compat.toggle for workflow in declared.values() if workflow.compat]
    on = toggles.on_of_many(tenant_ids=tenant_ids, at=at, names=names)
    found: dict[UUID, list[Relied]] = {}
    for row in Reliance.objects.filter(tenant_id__in=tenant_ids).order_by("workflow"):
        workflow = declared.get(row.workflow)
        found.setdefault(row.tenant_id, []).append(_relied(row, workflow, on.get(row.tenant_id, {})))
    return found


def of_tenant(*, tenant_id: UUID, at: datetime) -> dict[str, Relied]:
    """Return what a tenant relies on, by workflow id."""
    return {one.row.workflow: one for one in of_many(tenant_ids=[tenant_id], at=at).get(tenant_id, [])}


def bridged_until(workflow: Workflow, *, tenant_id: UUID, at: datetime) -> datetime | None:
    """Return until when the old way is kept open; None if it is not."""
    if workflow.compat is None:
        return None
    return toggles.on(tenant_id=tenant_id, at=at, names=[workflow.compat.toggle]).get(workflow.compat.toggle)


def _relied(row: Reliance, workflow: Workflow | None, on: Mapping[str, datetime]) -> Relied:
    if workflow is None:
        return Relied(row, None, Trial.MISSING)
    until = on.get(workflow.compat.toggle) if workflow.compat else None
    decided = Decisions(row.tried_as, row.accepted_as, is_bridged=until is not None)
    return Relied(row, workflow, trials.of(workflow, decided), until)


def _of_segment(declared: catalogue.Declared, segment: str) -> tuple[int, int, tuple[tuple[str, str], ...]]:
    found = declared.workflows.of_segment(segment)
    missing = guides.uncovered(found, guides=declared.published, segment=segment)
    differing = sum(one.parity is not one.parity.SAME for one in found)
    return len(found), differing, tuple((workflow.id, role) for workflow, role in missing)
