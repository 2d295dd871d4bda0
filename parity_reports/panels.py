"""What parity reports show on the overview: guides that are news to the reader."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.queries.tenants import Tenant
from core.actor import Actor
from core.panels import PANELS, OverviewPanel
from parity_reports.queries import changes
from parity_reports.queries.catalogue import UnableToReadCatalogue

TEMPLATE = "parity_reports/panel.html"


def news(*, tenant: Tenant, by: Actor, at: datetime) -> Mapping[str, Any] | None:
    """Return the first unread guides of the reader; None once there are none, or while they cannot be read."""
    try:
        found = changes.news(tenant_id=tenant.pk, segment=tenant.segment, by=by)
    except UnableToReadCatalogue:  # it is in the log; the overview has more to show than this
        return None
    return {"news": found} if found.guides else None


PANELS.add("parity_reports.news", OverviewPanel(TEMPLATE, news, order=30))
