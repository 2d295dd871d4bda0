"""Tasks of accounts."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.domain.certificates import WARN_DAYS
from accounts.models import Domain
from accounts.queries import domains as claimed
from accounts.queries import enforcement as enforced
from accounts.queries import sso
from accounts.services import (
    cutbacks,
    domain_transfers,
    domains,
    enforcement,
    removals,
    sso_certificates,
    sso_sign_ins,
    sso_sources,
    sso_tests,
)
from accounts.services.access import reviews
from accounts.services.identity_map import runs
from accounts.services.provisioning import calls, switch
from core import queue
from core.actor import Actor
from core.queue import Scope, task


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def check_due_domains(*, at: datetime) -> None:
    """Look up again every domain whose time has come, each in a job of its own."""
    for tenant_id, domain_id in claimed.due(at=at):
        queue.enqueue("accounts.tasks.check_domain", tenant_id=tenant_id, key=str(domain_id), domain_id=domain_id)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def tell_holders(*, at: datetime) -> None:
    """Have each account told that another one has shown to control a domain of theirs."""
    domain_transfers.tell_holders(by=Actor.system("beat"), at=at)


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def purge_sso(*, at: datetime) -> None:
    """Forget what tests and sign-ins said of people a week ago."""
    sso_tests.purge(at=at)
    sso_sign_ins.purge(at=at)


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def prune_provisioning(*, at: datetime) -> None:
    """Forget what directories asked for a fortnight ago, and whom they deleted a quarter ago."""
    calls.prune(at=at)
    switch.forget_deleted(at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def end_cutbacks(*, at: datetime) -> None:
    """Write down the end of every cutback whose time is over."""
    cutbacks.end_due(at=at)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=10))
def look_at_metadata(*, at: datetime) -> None:
    """Read again the metadata whose time has come, each in a job of its own."""
    for tenant_id in sso.due_sources(at=at):
        queue.enqueue("accounts.tasks.read_metadata", tenant_id=tenant_id, key=str(tenant_id))


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def look_at_certificates(*, at: datetime) -> None:
    """Have people warned whose provider's last certificate may end soon."""
    for tenant_id in sso.ending(after=at, before=at + timedelta(days=WARN_DAYS[0])):
        queue.enqueue("accounts.tasks.warn_of_certificate", tenant_id=tenant_id, key=str(tenant_id))


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def look_at_enforcements(*, at: datetime) -> None:
    """Have people warned for whom passwords count again soon, and told once they do."""
    for tenant_id, enforcement_id in enforced.ending(at=at).values_list("tenant_id", "pk"):
        queue.enqueue(
            "accounts.tasks.warn_of_enforcement", tenant_id=tenant_id, key=str(enforcement_id),
            enforcement_id=enforcement_id,
        )  # fmt: skip


@task(scope=Scope.TENANT)
def warn_of_enforcement(*, tenant_id: UUID, enforcement_id: str, at: datetime) -> None:
    """Warn one tenant's people of the end of its company sign-in, once at each step."""
    enforcement.warn(enforcement_id=UUID(enforcement_id), tenant_id=tenant_id, by=Actor.system("beat"), at=at)


@task(scope=Scope.TENANT, max_attempts=1)
def read_metadata(*, tenant_id: UUID, at: datetime) -> None:
    """Read one tenant's metadata; what fails is planned anew, so an attempt is not repeated."""
    sso_sources.refresh(tenant_id=tenant_id, by=Actor.system("beat"), at=at)


@task(scope=Scope.TENANT)
def warn_of_certificate(*, tenant_id: UUID, at: datetime) -> None:
    """Warn one tenant's people of the end of its last certificate, once at each step."""
    sso_certificates.warn(tenant_id=tenant_id, by=Actor.system("beat"), at=at)


@task(scope=Scope.SYSTEM, every=timedelta(hours=1))
def forget_passwords(*, at: datetime) -> None:
    """Forget the sealed passwords whose way back is over."""
    removals.forget_due(at=at)


@task(scope=Scope.TENANT, max_attempts=1)
def check_domain(*, tenant_id: UUID, domain_id: str, at: datetime) -> None:
    """Look up one domain; what it finds decides when it is looked up next, so a failed attempt is not repeated."""
    domain = Domain.objects.filter(tenant_id=tenant_id, pk=domain_id, failed_at=None).first()
    if domain is not None and domain.awaits_proof:
        domains.check(domain=domain, by=Actor.system("beat"), at=at, is_automatic=True)


@task(scope=Scope.TENANT, max_attempts=10, timeout=timedelta(hours=2), long=True)
def map_people(*, run_id: str, job_id: UUID) -> None:
    """Carry a mapping of people on to its end."""
    runs.advance(run_id=UUID(run_id), by=Actor.system("identity-map"), now=timezone.now, job_id=job_id)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=5))
def take_up_mappings(*, at: datetime) -> None:
    """Go on with, or end, mappings of people that no job works on any more."""
    runs.take_up(by=Actor.system("identity-map"), at=at)


@task(scope=Scope.TENANT)
def write_down_access(*, review_id: str, job_id: UUID) -> None:
    """Write down who has which access, for a review of a large account."""
    reviews.write_down(review_id=UUID(review_id), by=Actor.system("access_review"), now=timezone.now, job_id=job_id)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def give_up_reviews(*, at: datetime) -> None:
    """End the reviews of access that could not begin."""
    reviews.give_up(by=Actor.system("access_review"), at=at)


@task(scope=Scope.TENANT)
def apply_provisioning(*, tenant_id: UUID, at: datetime) -> None:
    """Do for everybody whom the directory names what follows from it."""
    switch.apply(tenant_id=tenant_id, by=Actor.system("provisioning"), at=at)
