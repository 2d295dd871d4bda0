"""Where a tenant stands on its way, as far as apps below the cutover need it: that one says so, in its `stages.py`."""

from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from core.registry import Registry


class Traffic(StrEnum):
    """Whether a tenant's people work on the new platform in part: not yet (or not any more), so, or wholly."""

    BEFORE = "before"
    MOVING = "moving"
    AFTER = "after"


class Stage(StrEnum):
    """Where a tenant stands."""

    BEFORE = "before"
    CANARY = "canary"
    RAMP = "ramp"
    FULL = "full"
    AFTER = "after"
    HALTED = "halted"
    ROLLED_BACK = "rolled back"

    @property
    def traffic(self) -> Traffic:
        """Return whether traffic moves; while the line is stopped, and once rolled back, it is as before the move."""
        if self in (Stage.CANARY, Stage.RAMP, Stage.FULL):
            return Traffic.MOVING
        return Traffic.AFTER if self is Stage.AFTER else Traffic.BEFORE


STAGES: Registry[Callable[[UUID], Stage]] = Registry("teller of the stage")
"""Each tells a tenant's stage; apps fill it in."""


def stage(*, tenant_id: UUID) -> Stage:
    """Return where a tenant stands; before its move while nobody says otherwise."""
    return next((tell(tenant_id) for tell in STAGES.values()), Stage.BEFORE)
