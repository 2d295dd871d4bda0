"""What other apps know of a tenant that keeps runs from moving anything, for good or for now."""

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from core.registry import Registry

BARRIERS: Registry[Callable[[Collection[UUID]], Mapping[UUID, str]]] = Registry("barrier")
"""Each says, for those of many tenants of which nothing may be moved now, why; apps fill it in their `barriers.py`."""

RESTS: Registry[Callable[[UUID], str]] = Registry("rest")
"""Each says why nothing is moved now unless somebody asks for it, or nothing: a standing catch-up rests meanwhile."""


def why_shut(*, tenant_id: UUID) -> str:
    """Return why nothing may be moved for a tenant now, or nothing while it may."""
    return shut([tenant_id]).get(tenant_id, "")


def shut(tenant_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return of which tenants nothing may be moved now, and why."""
    found: dict[UUID, str] = {}
    for barrier in BARRIERS.values():
        found = {**barrier(tenant_ids), **found}
    return found


def why_resting(*, tenant_id: UUID) -> str:
    """Return why a standing catch-up does nothing now, or nothing while it may."""
    return next((reason for rest in RESTS.values() if (reason := rest(tenant_id))), "")
