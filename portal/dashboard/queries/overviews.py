"""The overview of one tenant."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.models import Tenant
from portal.dashboard.queries import phases


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the overview shows."""

    way: phases.Way


def read(*, tenant: Tenant, at: datetime) -> Overview:
    """Return the overview as it stands at the moment."""
    return Overview(way=phases.read(tenant_id=tenant.pk, zone=ZoneInfo(tenant.time_zone)))
