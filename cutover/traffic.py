"""When a tenant's traffic moves, for its shadow reads."""

from uuid import UUID

from cutover.domain.phases import MOVING, Phase
from cutover.queries import cutovers
from parity_reports.domain.shadow import Stage
from parity_reports.traffic import STAGES

AFTERWARDS = frozenset({Phase.STABILISE, Phase.DECOMMISSION, Phase.DONE})


def stage(tenant_id: UUID) -> Stage:
    """Tell the stage by the phase; a line that was stopped, or rolled back, is before its move again."""
    phase = cutovers.phase_of(tenant_id)
    if phase in MOVING:
        return Stage.MOVING
    return Stage.AFTER if phase in AFTERWARDS else Stage.BEFORE


STAGES.add("cutover", stage)
