"""What cutover does when something happened elsewhere."""

from datetime import datetime
from uuid import UUID

from core.actor import Actor
from core.outbox import subscribe
from cutover.services import cutovers


@subscribe("accounts.tenant.created")
def open_cutover(*, tenant_id: UUID, at: datetime) -> None:
    """Open the cutover of a new tenant."""
    cutovers.open_cutover(tenant_id=tenant_id, by=Actor.system("cutover"), at=at)
