"""Tasks of accounts."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import Domain
from accounts.queries import domains as claimed
from accounts.services import cutbacks, domains, sso_sign_ins, sso_tests
from accounts.services.provisioning import calls
from core import queue
from core.actor import Actor
from core.queue import Scope, task


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def check_due_domains(*, at: datetime) -> None:
    """Look up again every domain whose time has come, each in a job of its own."""
    for tenant_id, domain_id in claimed.due(at=at):
        queue.enqueue("accounts.tasks.check_domain", tenant_id=tenant_id, key=str(domain_id), domain_id=domain_id)


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def purge_sso(*, at: datetime) -> None:
    """Forget what tests and sign-ins said of people a week ago."""
    sso_tests.purge(at=at)
    sso_sign_ins.purge(at=at)


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def prune_provisioning(*, at: datetime) -> None:
    """Forget what directories asked for a fortnight ago."""
    calls.prune(at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def end_cutbacks(*, at: datetime) -> None:
    """Write down the end of every cutback whose time is over."""
    cutbacks.end_due(at=at)


@task(scope=Scope.TENANT, max_attempts=1)
def check_domain(*, tenant_id: UUID, domain_id: str, at: datetime) -> None:
    """Look up one domain; what it finds decides when it is looked up next, so a failed attempt is not repeated."""
    domain = Domain.objects.filter(tenant_id=tenant_id, pk=domain_id, failed_at=None).first()
    if domain is not None and domain.awaits_proof:
        domains.check(domain=domain, by=Actor.system("beat"), at=at, is_automatic=True)
