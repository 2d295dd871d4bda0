"""What keeps runs from moving anything: other apps say when a copy from legacy would do harm."""

from collections.abc import Callable
from uuid import UUID

from core.registry import Registry

BARRIERS: Registry[Callable[[UUID], str]] = Registry("barrier")
"""Each says for a tenant why nothing may be moved now, or nothing; apps fill it in their `barriers.py`."""


def why_shut(*, tenant_id: UUID) -> str:
    """Return why nothing may be moved for a tenant now, or nothing while it may."""
    return next((reason for barrier in BARRIERS.values() if (reason := barrier(tenant_id))), "")
