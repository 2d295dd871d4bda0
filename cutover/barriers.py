"""When a copy from legacy would overwrite what people did on the new platform since."""

from uuid import UUID

from backfills.barriers import BARRIERS
from cutover.domain.phases import Phase
from cutover.queries import cutovers

MOVED = frozenset({Phase.FULL, Phase.STABILISE, Phase.DECOMMISSION, Phase.DONE})
"""Phases in which the new platform holds the truth."""


def after_the_cutover(tenant_id: UUID) -> str:
    """Say that the account works on the new platform, once it does."""
    if cutovers.phase_of(tenant_id) not in MOVED:
        return ""
    return "You work on the new platform now: a copy from legacy would overwrite what has changed there since."


BARRIERS.add("cutover", after_the_cutover)
