"""What other apps know of a tenant that keeps runs from moving anything, for good or for now."""

from collections.abc import Callable
from uuid import UUID

from core.registry import Registry

BARRIERS: Registry[Callable[[UUID], str]] = Registry("barrier")
"""Each says for a tenant why nothing may be moved now, or nothing; apps fill it in their `barriers.py`."""

RESTS: Registry[Callable[[UUID], str]] = Registry("rest")
"""Each says why nothing is moved now unless somebody asks for it, or nothing: a standing catch-up rests meanwhile."""

TRAFFIC: Registry[Callable[[UUID], bool]] = Registry("teller of traffic")
"""Each says whether a tenant's people work on the new platform in part, so that every minute behind legacy counts."""


def why_shut(*, tenant_id: UUID) -> str:
    """Return why nothing may be moved for a tenant now, or nothing while it may."""
    return next((reason for barrier in BARRIERS.values() if (reason := barrier(tenant_id))), "")


def why_resting(*, tenant_id: UUID) -> str:
    """Return why a standing catch-up does nothing now, or nothing while it may."""
    return next((reason for rest in RESTS.values() if (reason := rest(tenant_id))), "")


def traffic_moves(*, tenant_id: UUID) -> bool:
    """Say whether a tenant's traffic moves."""
    return any(moves(tenant_id) for moves in TRAFFIC.values())
