"""What follows once something about integrations has changed: the checks concerned are asked again."""

from datetime import datetime
from uuid import UUID

from core import readiness
from core.actor import Actor
from core.outbox import subscribe


@subscribe("integrations.inventory.changed")
def ask_about_inventory(*, tenant_id: UUID, at: datetime) -> None:
    """Ask again whether everything has a fate, and whether each webhook that goes on has an endpoint."""
    for check_id in ("integrations.inventory_decided", "integrations.harness_passed"):
        readiness.request(tenant_id=tenant_id, by=Actor.system("integrations"), check_id=check_id)


@subscribe("integrations.endpoints.changed")
def ask_about_endpoints(*, tenant_id: UUID, at: datetime) -> None:
    """Ask again whether every endpoint verifies what it receives."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("integrations"), check_id="integrations.harness_passed")
