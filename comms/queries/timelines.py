"""Where a tenant stands on its timeline, for what is said to it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from comms.domain import timeline
from comms.queries import wording
from core import readiness
from core.findings import Outcome


def late_block(*, tenant_id: UUID, check_ids: Collection[str], at: datetime) -> str:
    """Return the occasion to remind of a late block, or nothing.

    Late: one of these checks of the go/no-go blocks, and the move is at most two weeks away. The occasion is the
    tenant's day, so that nobody gets two such reminders on one.
    """
    facts = wording.facts(tenant_id=tenant_id)
    cutover = facts.cutover
    if cutover is None or cutover.window_starts_at is None or cutover.phase not in timeline.BEFORE:
        return ""
    if cutover.window_starts_at - at > timeline.LATE:
        return ""
    gate = readiness.gate(tenant_id=tenant_id, name=readiness.GO_NO_GO, at=at)
    moved = {line.check_id for line in gate.blocking if line.answer and line.answer.outcome is Outcome.BLOCK}
    if not moved & set(check_ids):
        return ""
    return f"blocked:{at.astimezone(ZoneInfo(facts.tenant.time_zone)):%Y-%m-%d}"
