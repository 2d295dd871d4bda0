"""Where a tenant stands on its way, as far as shadow reads need it: the app above says, in its `traffic.py`."""

from collections.abc import Callable
from uuid import UUID

from core.registry import Registry
from parity_reports.domain.shadow import Stage

STAGES: Registry[Callable[[UUID], Stage]] = Registry("teller of the stage")
"""Each tells a tenant's stage; apps fill it in."""


def stage(*, tenant_id: UUID) -> Stage:
    """Return whether a tenant's traffic moves; before it does while nobody says otherwise."""
    return next((tell(tenant_id) for tell in STAGES.values()), Stage.BEFORE)
