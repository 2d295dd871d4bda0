"""What cutover does when something happened elsewhere."""

from datetime import datetime
from uuid import UUID

from core import queue, readiness
from core.actor import Actor
from core.outbox import subscribe
from cutover.services import cutovers


@subscribe("accounts.tenant.registered")
def open_cutover(*, tenant_id: UUID, at: datetime) -> None:
    """Open the cutover of a new tenant."""
    cutovers.open_cutover(tenant_id=tenant_id, by=Actor.system("cutover"), at=at)


@subscribe("cutover.window.set")
def ask_about_window(*, tenant_id: UUID, at: datetime) -> None:
    """Ask the check of the window again, so that whoever sets it sees that it counts."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("cutover"), check_id="cutover.window_set")


@subscribe("core.findings.moved")
def recheck_request(*, tenant_id: UUID) -> None:
    """Have an open go/no-go looked at as soon as a finding moves, not only at the next minute."""
    queue.enqueue("cutover.tasks.recheck_request", tenant_id=tenant_id, key="go_no_go")
