"""A lease: who holds a job may write, whoever lost it writes nothing more."""

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction
from pytest_django import Settings

from accounts.models import Tenant
from core import queue, tenancy
from core.models import Job
from core.queue import TASKS, JobState, Scope, claims
from tests import make
from tests.queueing import LATER, leased, now, state_of, tenant_task


def test_an_expired_lease_is_freed_and_the_late_worker_writes_nothing_more(tenant: Tenant) -> None:
    job_id = queue.enqueue(tenant_task(lambda: None), tenant_id=tenant.id)
    late = claims.claim(job_id=job_id, worker="late")
    assert late is not None
    assert queue.sweep().freed == 0
    assert queue.sweep(at=now() + timedelta(minutes=2)).freed == 1
    assert state_of(job_id).state is JobState.QUEUED
    other = claims.claim(job_id=job_id, worker="other", at=now() + LATER)
    assert other is not None
    assert other.attempt == 2
    assert not claims.renew(late)
    assert not claims.finish(late)
    assert claims.fail(late, problem="late") is None
    with leased(late), pytest.raises(queue.LeaseLost):
        queue.progress(job_id, 1, 2)
    assert claims.finish(other)


def test_a_job_that_kills_its_workers_ends_as_dead(tenant: Tenant) -> None:
    job_id = queue.enqueue(tenant_task(lambda: None, max_attempts=3), tenant_id=tenant.id)
    at = now()
    for _ in range(3):
        at += LATER
        assert claims.claim(job_id=job_id, worker="doomed", at=at) is not None
        queue.sweep(at=at + timedelta(minutes=2))
    assert state_of(job_id).state is JobState.DEAD
    assert state_of(job_id).problem


def test_a_heartbeat_keeps_the_lease_of_a_long_task(committed_db: None, settings: Settings) -> None:
    settings.QUEUE_LEASE_SECONDS = 0.3
    tenant = make.tenant()
    beats: set[datetime] = set()
    renewed = threading.Event()

    def work(*, job_id: UUID) -> None:
        first = Job.objects.get(pk=job_id).claimed_until
        assert first is not None
        while len(beats) < 3 and renewed.wait(5):
            renewed.clear()
            until = Job.objects.get(pk=job_id).claimed_until
            assert until is not None
            assert until > first
            beats.add(until)

    renew = claims.renew

    def heard(lease: claims.Lease, **options: Any) -> bool:
        held = renew(lease, **options)
        renewed.set()
        return held

    with pytest.MonkeyPatch.context() as patch, tenancy.scope(tenant_id=tenant.id):
        patch.setattr(claims, "renew", heard)
        job_id = queue.enqueue(tenant_task(work), tenant_id=tenant.id)
        assert queue.run(job_id=job_id, tenant_id=tenant.id) is JobState.DONE
    assert len(beats) == 3


def test_progress_is_told_with_rate_and_message_and_renews_the_lease(tenant: Tenant) -> None:
    def work(*, job_id: UUID) -> None:
        queue.progress(job_id, 500, 1000, "Flights")
        before = Job.objects.get(pk=job_id).claimed_until
        queue.progress(job_id, 600, 1000, "Flights" * 200)
        job = Job.objects.get(pk=job_id)
        assert before is not None
        assert job.claimed_until is not None
        assert job.claimed_until > before
        assert job.first_done == 500

    job_id = queue.enqueue(tenant_task(work), tenant_id=tenant.id)
    queue.run_pending()
    job = state_of(job_id)
    assert (job.state, job.progress.fraction, len(job.message)) == (JobState.DONE, 0.6, 500)
    measured = job.progress.measured_at
    assert measured is not None
    assert job.progress.rate(at=measured + timedelta(seconds=10)) == 10


def test_progress_outside_of_a_job_is_nothing(db: None) -> None:
    queue.progress(None, 1, 2, "by hand")
    queue.progress(uuid4(), 1, 2, "of another job")
    queue.settle()


def test_a_batch_and_its_proof_are_one(tenant: Tenant) -> None:
    """A worker that lost its lease takes its batch back: progress inside the batch's transaction fails it."""
    name = tenant_task(lambda: None)
    job_id = queue.enqueue(name, tenant_id=tenant.id)
    late = claims.claim(job_id=job_id, worker="late")
    assert late is not None
    queue.sweep(at=now() + timedelta(minutes=2))

    def batch() -> None:
        with transaction.atomic():
            queue.enqueue(name, tenant_id=tenant.id, batch=1)
            queue.progress(job_id, 1, 2)

    with leased(late), pytest.raises(queue.LeaseLost):
        batch()
    assert Job.objects.count() == 1


def test_settling_ends_the_job_with_its_data_or_not_at_all(tenant: Tenant) -> None:
    def work(*, tenant_id: UUID, job_id: UUID, fail: bool) -> None:
        with transaction.atomic():
            queue.enqueue("data", tenant_id=tenant_id, not_before=now() + LATER)
            queue.settle()
            assert state_of(job_id).state is JobState.DONE
            if fail:
                raise ValueError

    def data() -> None: ...

    name = tenant_task(work)
    TASKS.add("data", queue.Task("data", Scope.TENANT, data, 1, LATER, None))
    good, bad = (queue.enqueue(name, tenant_id=tenant.id, fail=fail) for fail in (False, True))
    queue.run_pending()
    assert (state_of(good).state, state_of(bad).state) == (JobState.DONE, JobState.QUEUED)
    assert Job.objects.filter(task="data").count() == 1


def test_two_workers_never_get_one_job(committed_db: None) -> None:
    """Each of four connections claims as many of forty jobs as it can, all at once."""
    tenant = make.tenant()
    name = tenant_task(lambda: None)
    with tenancy.scope(tenant_id=tenant.id):
        jobs = [queue.enqueue(name, tenant_id=tenant.id) for _ in range(40)]
    got: list[UUID] = []
    start = threading.Barrier(4)

    def worker(number: int) -> None:
        try:
            with tenancy.scope(tenant_id=tenant.id):
                start.wait()
                leases = [claims.claim(job_id=job_id, worker=str(number)) for job_id in jobs]
            got.extend(lease.job_id for lease in leases if lease)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == sorted(jobs)


def test_a_late_worker_cannot_settle(tenant: Tenant) -> None:
    job_id = queue.enqueue(tenant_task(lambda: None), tenant_id=tenant.id)
    late = claims.claim(job_id=job_id, worker="late")
    assert late is not None
    queue.sweep(at=now() + timedelta(minutes=2))
    with leased(late), pytest.raises(queue.LeaseLost):
        queue.settle()


def test_what_stands_behind_in_its_lane_does_not_wait_for_a_worker(tenant: Tenant) -> None:
    def work() -> None: ...

    name = tenant_task(work, long=True)
    first = queue.enqueue(name, tenant_id=tenant.id, lane="l", key="1")
    queue.enqueue(name, tenant_id=tenant.id, lane="l", key="2")
    assert queue.others_wait(tenant_id=uuid4())
    assert not queue.others_wait(tenant_id=tenant.id)
    assert claims.claim(job_id=first, worker="w")
    assert not queue.others_wait(tenant_id=uuid4())
