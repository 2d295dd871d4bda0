"""Stopping the line by itself: while traffic moves, a raised signal halts the tenant's cutover."""

from datetime import datetime
from uuid import UUID

from core import queue, stop_the_line
from core.actor import Actor
from core.permissions import Permission
from cutover.domain.phases import MOVING, Phase
from cutover.queries import cutovers
from cutover.services import phases

TASK = "cutover.tasks.watch_line"


def watch_all(*, by: Actor) -> int:
    """Have the line of every tenant watched whose traffic moves; return of how many. Needs a staff scope."""
    by.require(Permission.MOVE_PHASE)
    tenant_ids = cutovers.moving()
    for tenant_id in tenant_ids:
        queue.enqueue(TASK, tenant_id=tenant_id, key="line", by=by)
    return len(tenant_ids)


def stop_if_raised(*, tenant_id: UUID, by: Actor, at: datetime) -> bool:
    """Halt a tenant whose traffic moves if a signal says so, with its words as the reason; say whether it did.

    Safe to repeat. Whoever resumes before the cause is settled sees the line stop again.
    """
    if cutovers.phase_of(tenant_id) not in MOVING:
        return False
    alarms = stop_the_line.raised(tenant_id=tenant_id, at=at)
    if not alarms:
        return False
    try:
        phases.advance(
            tenant_id=tenant_id, target=Phase.HALTED, by=by, at=at, reason=" ".join(alarm.reason for alarm in alarms)
        )
    except phases.UnableToMove:  # somebody moved it at the same moment: the next look tells
        return False
    return True
