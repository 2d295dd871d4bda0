"""What is enqueued is written with the caller's data, once per key, in order per lane, for one tenant."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connections, transaction

from accounts.models import Tenant
from core import ports, queue, tenancy
from core.models import Job
from core.queue import TASKS, JobState, Scope, claims
from tests import make
from tests.queueing import LATER, now, state_of, tenant_task


def test_a_job_is_run_in_its_tenants_scope_with_what_it_names(tenant: Tenant) -> None:
    seen: list[Any] = []

    def work(*, tenant_id: UUID, job_id: UUID, run_id: str, attempt: int) -> None:
        seen.append((tenancy.current().tenant_id, tenant_id, job_id, run_id, attempt))

    run_id = uuid4()
    job_id = queue.enqueue(tenant_task(work), tenant_id=tenant.id, run_id=run_id, from_another_release="ignored")
    assert state_of(job_id).state is JobState.QUEUED
    assert queue.run_pending() == 1
    assert seen == [(tenant.id, tenant.id, job_id, str(run_id), 1)]
    assert (state_of(job_id).state, state_of(job_id).is_over) == (JobState.DONE, True)
    assert queue.run_pending() == 0


def test_a_tenant_task_without_a_tenant_and_a_system_task_with_one_are_refused(tenant: Tenant) -> None:
    name = tenant_task(lambda: None)
    with pytest.raises(ValueError, match="with a tenant"):
        queue.enqueue(name)
    queue.task(scope=Scope.SYSTEM)(test_a_tenant_task_without_a_tenant_and_a_system_task_with_one_are_refused)
    with pytest.raises(ValueError, match="without a tenant"):
        queue.enqueue(next(reversed(list(TASKS))), tenant_id=tenant.id)
    with pytest.raises(KeyError):
        queue.enqueue("nobody.tasks.knows")


def test_a_job_for_another_tenant_cannot_be_written_or_seen_or_run(tenant: Tenant) -> None:
    other = make.tenant()
    name = tenant_task(lambda: None)
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        queue.enqueue(name, tenant_id=other.id)
    with make.arranging():
        theirs = queue.enqueue(name, tenant_id=other.id)
    assert queue.job(theirs) is None
    assert queue.jobs(other.id) == []
    assert queue.run(job_id=theirs, tenant_id=tenant.id, heartbeat=False) is None


def test_a_system_task_sees_every_tenant(db: None) -> None:
    seen: list[int] = []

    def work() -> None:
        seen.append(Tenant.objects.count())

    queue.task(scope=Scope.SYSTEM)(work)
    make.tenant(), make.tenant()
    with make.arranging():
        queue.enqueue(next(iter(TASKS)))
        expected = Tenant.objects.count()
    queue.run_pending()
    assert seen == [expected]


def test_a_key_is_enqueued_once_while_it_waits_and_again_while_it_runs(tenant: Tenant) -> None:
    again: list[UUID] = []

    def work(*, tenant_id: UUID, job_id: UUID) -> None:
        if not again:
            again.append(queue.enqueue(name, tenant_id=tenant_id, key="k"))
            assert queue.run(job_id=again[0], tenant_id=tenant_id, heartbeat=False) is None, "its lane is taken"

    name = tenant_task(work)
    first = queue.enqueue(name, tenant_id=tenant.id, key="k")
    assert queue.enqueue(name, tenant_id=tenant.id, key="k") == first
    assert queue.enqueue(name, tenant_id=tenant.id, key="other") != first
    assert queue.run_pending() == 3
    assert again != [first]
    assert state_of(again[0]).state is JobState.DONE


def test_joining_a_waiting_job_brings_it_forward_and_never_back(tenant: Tenant) -> None:
    name = tenant_task(lambda: None)
    later = now() + timedelta(hours=1)
    job_id = queue.enqueue(name, tenant_id=tenant.id, key="k", not_before=later)
    assert queue.enqueue(name, tenant_id=tenant.id, key="k", not_before=later + timedelta(hours=1)) == job_id
    assert state_of(job_id).not_before == later
    assert queue.enqueue(name, tenant_id=tenant.id, key="k") == job_id
    assert queue.run_pending() == 1


def test_a_worker_cannot_take_a_joined_job_before_it_could_see_what_the_joiner_wrote(committed_db: None) -> None:
    tenant = make.tenant()
    name = tenant_task(lambda: None)
    taken: list[object] = []

    def worker() -> None:
        try:
            with tenancy.scope(tenant_id=tenant.id):
                taken.append(claims.claim(job_id=job_id, worker="w"))
        finally:
            connections.close_all()

    with tenancy.scope(tenant_id=tenant.id):
        job_id = queue.enqueue(name, tenant_id=tenant.id, key="k")
        with transaction.atomic():
            assert queue.enqueue(name, tenant_id=tenant.id, key="k") == job_id
            thread = threading.Thread(target=worker)
            thread.start()
            thread.join(30)
            assert taken == [None]
        assert claims.claim(job_id=job_id, worker="w") is not None


def test_a_lane_keeps_the_order_and_waits_for_a_failed_one(tenant: Tenant) -> None:
    ran: list[str] = []

    def work(*, name: str, attempt: int) -> None:
        ran.append(name)
        if name == "first" and attempt == 1:
            raise ports.Unavailable("Away.")

    task = tenant_task(work)
    for label in ("first", "second", "third"):
        queue.enqueue(task, tenant_id=tenant.id, lane="l", name=label)
    queue.enqueue(task, tenant_id=tenant.id, lane="another", name="aside")
    queue.run_pending()
    assert ran == ["first", "aside"]
    queue.run_pending(at=now() + LATER)
    assert ran == ["first", "aside", "first", "second", "third"]


def test_the_database_lets_one_job_of_a_lane_run(tenant: Tenant) -> None:
    name = tenant_task(lambda: None)
    jobs = [queue.enqueue(name, tenant_id=tenant.id, lane="l") for _ in range(2)]
    lease = claims.claim(job_id=jobs[0], worker="w")
    assert lease is not None
    running = {"state": "running", "claim": uuid4(), "claimed_until": now(), "started_at": now()}
    with pytest.raises(IntegrityError, match="one_runs_per_lane"), transaction.atomic():
        Job.objects.filter(pk=jobs[1]).update(**running)


def test_jobs_are_told_newest_first_and_by_task_and_key(tenant: Tenant) -> None:
    name = tenant_task(lambda: None)
    first, second = (queue.enqueue(name, tenant_id=tenant.id, key=key) for key in "ab")
    assert [job.id for job in queue.jobs(tenant.id)] == [second, first]
    assert [job.id for job in queue.jobs(tenant.id, task=name, key="a")] == [first]
    queue.run_pending()
    assert queue.jobs(tenant.id, unfinished=True) == []
