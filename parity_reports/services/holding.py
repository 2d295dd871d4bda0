"""What a hold keeps on the new platform, so that a comparison tells it from what should not be there."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from backfills.queries import movements
from core import holds, ports
from core.comparison import Plan
from core.moving import HELD

MOST = 100_000
"""Objects that are set aside; any more count as what they are without a hold: only on the new platform."""


def aware(plan: Plan, *, tenant_id: UUID, at: datetime) -> Plan:
    """Return the plan with the keys of what is held now.

    Once a hold is released nothing is set aside that it kept: a comparison finds it until a run has removed it.
    """
    if not movements.holds_any(tenant_id=tenant_id, entity=plan.entity):
        return plan
    rule = "" if holds.is_legally_held(tenant_id=tenant_id, at=at) else plan.spec.held_by or None
    if rule is None:
        return plan
    keys = ports.mover().ended(
        account_id=tenant_id, entity=plan.entity, system=plan.spec.system, fate=HELD, rule=rule, skip=0, limit=MOST
    )
    return replace(plan, on_hold=keys)
