"""What follows once rows have moved."""

from datetime import datetime
from uuid import UUID

from core import readiness
from core.actor import Actor
from core.outbox import subscribe


@subscribe("backfills.run.finished")
def ask_about_rows(*, tenant_id: UUID, at: datetime) -> None:
    """Ask the checks of moved rows again: what they said is older than the run."""
    for check_id in ("conserved", "dead_letters", "inspected", "caught_up"):
        readiness.request(tenant_id=tenant_id, by=Actor.system("backfills"), check_id=f"backfills.{check_id}")


@subscribe("backfills.inspection.ended")
def ask_about_faults(*, tenant_id: UUID, at: datetime) -> None:
    """Ask again whether the rows were checked before they move."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("backfills"), check_id="backfills.inspected")
