"""What compliance does when something happened elsewhere."""

from datetime import datetime
from uuid import UUID

from compliance.services import obligations
from core.actor import Actor
from core.outbox import subscribe


@subscribe("accounts.tenant.registered")
def adopt_standard(*, tenant_id: UUID, at: datetime) -> None:
    """Give a new account the charter's promises."""
    obligations.adopt_standard(tenant_id=tenant_id, by=Actor.system("compliance"), at=at)
