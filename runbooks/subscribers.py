"""What follows once a step's signature is given or taken back."""

from datetime import datetime
from uuid import UUID

from core import readiness
from core.actor import Actor
from core.outbox import subscribe


@subscribe("runbooks.step.signed")
@subscribe("runbooks.step.withdrawn")
def ask_about_steps(*, tenant_id: UUID, at: datetime) -> None:
    """Ask the check of the steps again as soon as the answer may be another."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("runbooks"), check_id="runbooks.steps_signed")
