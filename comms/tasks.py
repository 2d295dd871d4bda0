"""Entry points of comms' jobs."""

from datetime import datetime, timedelta
from uuid import UUID

from comms.queries import cases as listed
from comms.queries import mailings as planned
from comms.services import deliveries, escalations, mailings
from core import queue
from core.actor import Actor
from core.queue import Scope, task

BY = Actor.system("comms")


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def sweep_mail(*, at: datetime) -> None:
    """Issue what is due, send what waits, and mark what was lost half-way."""
    deliveries.release_lost(by=BY, at=at)
    for tenant_id, mailing_id in planned.to_issue(at=at):
        queue.enqueue(mailings.ISSUE, tenant_id=tenant_id, key=str(mailing_id), mailing_id=mailing_id)
    for tenant_id, mailing_id in planned.to_send(at=at):
        queue.enqueue(mailings.SEND, tenant_id=tenant_id, key=str(mailing_id), mailing_id=mailing_id)


@task(scope=Scope.SYSTEM, every=timedelta(minutes=1))
def sweep_cases(*, at: datetime) -> None:
    """Bring cases whose time ran out up the ladder, and close those that were resolved long ago."""
    for tenant_id, case_id in listed.to_tend(at=at):
        queue.enqueue("comms.tasks.tend_case", tenant_id=tenant_id, key=str(case_id), case_id=case_id)


@task(scope=Scope.TENANT)
def tend_case(*, tenant_id: UUID, case_id: str, at: datetime) -> None:
    """Escalate or close one case if its time has come."""
    escalations.tend(tenant_id=tenant_id, case_id=UUID(case_id), by=BY, at=at)


@task(scope=Scope.TENANT)
def issue_mailing(*, tenant_id: UUID, mailing_id: str, at: datetime) -> None:
    """Issue one planned message whose time has come."""
    mailings.issue(tenant_id=tenant_id, mailing_id=UUID(mailing_id), by=BY, at=at)


@task(scope=Scope.TENANT)
def send_mailing(*, tenant_id: UUID, mailing_id: str, at: datetime) -> None:
    """Hand the due copies of one mailing to the mail server."""
    deliveries.send(tenant_id=tenant_id, mailing_id=UUID(mailing_id), by=BY, at=at)
