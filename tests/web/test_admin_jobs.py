"""The floor's pages in the admin: staff sees the queue, tries dead jobs again and cancels."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Tenant
from core import queue, tenancy
from core.errors import PermissionRefused, UseCaseError
from core.models import Job
from core.permissions import StaffRole
from core.queue import TASKS, JobState
from tests import make
from tests.queueing import tenant_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """A tenant; no task but this module's."""
    monkeypatch.setattr(TASKS, "_items", {})
    return make.tenant()


def fails() -> None:
    """Refuse."""
    raise UseCaseError("Claim a domain first.")


def enqueue(tenant: Tenant, *, name: str = "") -> UUID:
    """Enqueue a job that will be given up at once."""
    with tenancy.scope(tenant_id=tenant.id):
        return queue.enqueue(name or tenant_task(fails), tenant_id=tenant.id)


def state_of(job_id: UUID) -> str:
    """Where a job stands."""
    with make.arranging():
        return Job.objects.get(pk=job_id).state


def operate(client: Client, job_id: UUID, name: str, *roles: StaffRole) -> int:
    """Press a button on a job's page as staff."""
    client.force_login(make.staff(*roles))
    return client.post(reverse(f"admin:core_job_{name}", args=[job_id])).status_code


def test_a_dead_job_is_shown_with_its_reason_and_tried_again(client: Client, tenant: Tenant) -> None:
    job_id = enqueue(tenant)
    queue.run_pending()
    client.force_login(make.staff(StaffRole.AUDITOR))
    page = client.get(reverse("admin:core_job_change", args=[job_id])).content.decode()
    assert "Claim a domain first." in page
    assert operate(client, job_id, "try_again", StaffRole.AUDITOR) == 403
    assert state_of(job_id) == JobState.DEAD
    assert operate(client, job_id, "try_again", StaffRole.TECHNICAL_LEAD) == 302
    assert state_of(job_id) == JobState.QUEUED


def test_a_waiting_job_is_cancelled_by_who_manages_runs(client: Client, tenant: Tenant) -> None:
    job_id = enqueue(tenant)
    assert operate(client, job_id, "cancel", StaffRole.SUPPORT) == 403
    assert operate(client, job_id, "cancel", StaffRole.RUNBOOK_OWNER) == 302
    assert state_of(job_id) == JobState.CANCELLED


def test_a_member_cannot_try_a_job_again(tenant: Tenant) -> None:
    job_id = enqueue(tenant)
    queue.run_pending()
    auditor = make.actor(make.member(tenant, "auditor"))
    with tenancy.scope(tenant_id=tenant.id), pytest.raises(PermissionRefused):
        queue.retry(job_id, by=auditor)


def test_the_front_page_tells_how_long_jobs_wait_and_how_many_were_given_up(client: Client, tenant: Tenant) -> None:
    name = tenant_task(fails)
    for _ in range(2):
        enqueue(tenant, name=name)
    queue.run_pending()
    enqueue(tenant, name=name)
    with make.arranging():
        depth = queue.depth(at=datetime.now(UTC))
        assert (depth.waiting, depth.running, depth.dead) == (1, 0, 2)
        Job.objects.filter(state="queued").update(not_before=datetime.now(UTC) - timedelta(minutes=7))
    client.force_login(make.staff(StaffRole.AUDITOR))
    page = client.get(reverse("admin:index")).content.decode()
    assert "Longest wait of a job" in page
    assert "7\xa0minutes" in page
    assert "Jobs given up" in page
