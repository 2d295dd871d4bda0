"""Entry points of cutover's jobs."""

from datetime import datetime, timedelta
from uuid import UUID

from core import queue
from core.actor import Actor
from core.queue import Scope, task
from cutover.queries import cutovers, gates
from cutover.services import go_no_go, line, proofs

LINE = Actor.system("stop-the-line")


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def recheck_requests() -> None:
    """Have every open go/no-go looked at again."""
    for tenant_id in gates.tenants_waiting():
        queue.enqueue("cutover.tasks.recheck_request", tenant_id=tenant_id, key="go_no_go")


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def watch_lines() -> None:
    """Have every line watched on which traffic moves."""
    line.watch_all(by=LINE)


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def ask_for_fresh_proofs(*, at: datetime) -> None:
    """Have the domains of every tenant proven afresh whose move is three days away or less."""
    for tenant_id in cutovers.near(at=at, within=proofs.FRESH_FROM):
        queue.enqueue("cutover.tasks.ask_for_fresh_proof", tenant_id=tenant_id, key="domains")


@task(scope=Scope.TENANT)
def ask_for_fresh_proof(*, tenant_id: UUID, at: datetime) -> None:
    """Ask one tenant."""
    proofs.ask_afresh(tenant_id=tenant_id, by=Actor.system("beat"), at=at)


@task(scope=Scope.TENANT)
def watch_line(*, tenant_id: UUID, at: datetime) -> None:
    """Stop one tenant's line if a signal says so."""
    line.stop_if_raised(tenant_id=tenant_id, by=LINE, at=at)


@task(scope=Scope.TENANT)
def recheck_request(*, tenant_id: UUID, at: datetime) -> None:
    """Void one tenant's open go/no-go if its evidence no longer holds."""
    go_no_go.recheck(tenant_id=tenant_id, at=at)
