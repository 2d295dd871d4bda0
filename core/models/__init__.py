"""The floor's tables."""

from core.models.base import Audit, TenantModel

__all__ = ["Audit", "TenantModel"]
