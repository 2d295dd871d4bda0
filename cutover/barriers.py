"""When a copy from legacy would overwrite what people did on the new platform, and what else a cutover means below."""

from collections.abc import Collection
from uuid import UUID

from accounts.windows import WINDOWS, Window
from backfills.barriers import BARRIERS, RESTS
from cutover.domain.phases import Phase
from cutover.queries import cutovers

MOVED = frozenset({Phase.FULL, Phase.STABILISE, Phase.DECOMMISSION, Phase.DONE})
"""Phases in which the new platform holds the truth."""

_SHUT = "You work on the new platform now: a copy from legacy would overwrite what has changed there since."
_RESTS = {
    Phase.HALTED: "The line is stopped: nothing is brought over by itself until it goes on.",
    Phase.ROLLED_BACK: "You are back on the legacy platform: what is moved before the next attempt, people decide.",
}


def after_the_cutover(tenant_ids: Collection[UUID]) -> dict[UUID, str]:
    """Say of accounts that they work on the new platform, once they do."""
    moved = cutovers.of_many(tenant_ids=tenant_ids).filter(phase__in=[phase.value for phase in MOVED])
    return dict.fromkeys(moved.values_list("tenant_id", flat=True), _SHUT)


def while_stopped(tenant_id: UUID) -> str:
    """Say that the line is stopped or was rolled back."""
    return _RESTS.get(cutovers.phase_of(tenant_id), "")


def window(tenant_id: UUID) -> Window | None:
    """Return when the account moves, once that is set."""
    cutover = cutovers.find(tenant_id=tenant_id)
    if cutover is None or cutover.window_starts_at is None or cutover.window_ends_at is None:
        return None
    return Window(cutover.window_starts_at, cutover.window_ends_at)


BARRIERS.add("cutover", after_the_cutover)
RESTS.add("cutover", while_stopped)
WINDOWS.add("cutover", window)
