"""What cutover puts into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core import stop_the_line
from core.evidence import part
from cutover.domain.phases import Phase
from cutover.queries import cutovers


@part("cutover.window", title="Cutover window")
def window(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return when the tenant moves, from which phase, and who is responsible (as ids)."""
    cutover = cutovers.find(tenant_id=tenant_id)
    if cutover is None:
        return {"phase": cutovers.phase_of(tenant_id)}
    return {
        "phase": cutover.phase,
        "phase_since": cutover.phase_since,
        "window_starts_at": cutover.window_starts_at,
        "window_ends_at": cutover.window_ends_at,
        "time_zone": cutover.tenant.time_zone,
        "wave": cutover.wave,
        "approver": cutover.approver.user_id if cutover.approver else None,
        "runbook_owner": cutover.runbook_owner_id,
    }


@part("cutover.line", title="What stops the line")
def line(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return which signals stop the line by themselves, which would now and why, and every time that it stopped."""
    halts = cutovers.history(tenant_id=tenant_id).filter(target=Phase.HALTED)
    return {
        "signals": sorted(stop_the_line.SIGNALS),
        "raised": [
            {"reason": alarm.reason, "since": alarm.since} for alarm in stop_the_line.raised(tenant_id=tenant_id, at=at)
        ],
        "halts": [{"at": one.changed_at, "from": one.source, "reason": one.reason} for one in halts],
    }
