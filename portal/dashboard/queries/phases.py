"""The stepper: the phases of a tenant's move with their dates."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

from cutover.domain.phases import ORDER, Phase
from cutover.queries import cutovers

HINTS = {
    Phase.PREFLIGHT: "your checks",
    Phase.CANARY: "a small share first",
    Phase.RAMP: "more each day",
    Phase.FULL: "all traffic",
    Phase.STABILISE: "14 days",
    Phase.DECOMMISSION: "legacy ends",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One phase in the stepper."""

    label: str
    hint: str
    state: str
    """`done`, `now`, `next`, or `stopped` where the line was halted."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way of one tenant through the phases."""

    phase: Phase
    steps: list[Step]
    window_starts_at: datetime | None
    window_ends_at: datetime | None


def read(*, tenant_id: UUID, zone: tzinfo, progress: str = "") -> Way:
    """Return the tenant's way; `progress` stands below the present phase instead of its date, up to the cutover."""
    cutover = cutovers.find(tenant_id=tenant_id)
    phase = Phase(cutover.phase) if cutover else Phase.DISCOVER
    entered: dict[Phase, datetime] = {}
    left: dict[Phase, datetime] = {}
    for change in cutovers.history(tenant_id=tenant_id):
        entered[Phase(change.target)] = left[Phase(change.source)] = change.changed_at
    at = phase
    if phase in (Phase.HALTED, Phase.ROLLED_BACK):
        came_from = [source for source, when in left.items() if source in ORDER and entered.get(phase) == when]
        at = came_from[-1] if came_from else Phase.PREFLIGHT
    present = ORDER.index(at)
    steps = []
    for index, step in enumerate(ORDER):
        if index < present:
            hint, state = (f"done {_date(left[step], zone)}" if step in left else "done"), "done"
        elif index == present and phase is Phase.DONE:
            hint, state = (_date(entered[phase], zone) if phase in entered else ""), "done"
        elif index == present and at is not phase:
            hint, state = phase.label, "stopped"
        elif index == present:
            since = cutover.phase_since if cutover else None
            told = progress if present < ORDER.index(Phase.CANARY) else ""
            hint, state = told or (f"since {_date(since, zone)}" if since else ""), "now"
        elif step is Phase.CANARY and cutover and cutover.window_starts_at:
            hint, state = f"from {_date(cutover.window_starts_at, zone)}", "next"
        else:
            hint, state = HINTS.get(step, ""), "next"
        steps.append(Step(step.label, hint, state))
    return Way(
        phase=phase,
        steps=steps,
        window_starts_at=cutover.window_starts_at if cutover else None,
        window_ends_at=cutover.window_ends_at if cutover else None,
    )


def _date(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b}"
