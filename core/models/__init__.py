"""The floor's tables."""

from core.models.base import Audit, TenantModel
from core.models.jobs import Event, Job

__all__ = ["Audit", "Event", "Job", "TenantModel"]
