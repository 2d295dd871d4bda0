"""Where a tenant stands by its phase, for the apps below."""

from collections.abc import Mapping
from uuid import UUID

from core.stages import STAGES, Stage
from cutover.domain.phases import Phase
from cutover.queries import cutovers

_STAGES: Mapping[Phase, Stage] = {
    Phase.CANARY: Stage.CANARY,
    Phase.RAMP: Stage.RAMP,
    Phase.FULL: Stage.FULL,
    Phase.STABILISE: Stage.AFTER,
    Phase.DECOMMISSION: Stage.AFTER,
    Phase.DONE: Stage.AFTER,
    Phase.HALTED: Stage.HALTED,
    Phase.ROLLED_BACK: Stage.ROLLED_BACK,
}


def stage(tenant_id: UUID) -> Stage:
    """Tell the stage by the phase."""
    return _STAGES.get(cutovers.phase_of(tenant_id), Stage.BEFORE)


STAGES.add("cutover", stage)
