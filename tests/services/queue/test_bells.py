"""The bell may be lost, late or doubled: the rows and the sweeper see to it that each job runs once."""

import socket
import threading
from datetime import timedelta
from itertools import pairwise
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import celery
import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Tenant
from core import queue, tenancy
from core.errors import UseCaseError
from core.models import Job
from core.queue import TASKS, JobState, Scope, bell, sweeper
from tests import make
from tests.queueing import CANARY, now, state_of, tenant_task


def test_it_rings_after_the_commit_and_never_for_what_was_rolled_back(
    tenant: Tenant, rung: list[UUID], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    name = tenant_task(lambda: None)
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        job_id = queue.enqueue(name, tenant_id=tenant.id)
        assert rung == []
    assert rung == [job_id]
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        queue.enqueue(name, tenant_id=tenant.id)
        transaction.set_rollback(True)
    assert rung == [job_id]
    assert Job.objects.count() == 1


def test_a_dead_broker_does_not_fail_the_request(
    committed_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    tried: list[str] = []

    def refuse(*_: object, **__: object) -> None:
        tried.append("")
        raise OSError(CANARY)

    monkeypatch.setattr("celery.current_app.send_task", refuse)
    monkeypatch.setattr(bell._silence, "until", 0.0)
    monkeypatch.setattr(TASKS, "_items", {})
    tenant = make.tenant()
    name = tenant_task(lambda: None)
    with tenancy.scope(tenant_id=tenant.id):
        jobs = [queue.enqueue(name, tenant_id=tenant.id) for _ in range(5)]
    assert len(tried) == 1, "after one failure the bell stays silent for a while"
    with make.arranging():
        assert not Job.objects.exclude(rung_at=None).exists(), "the next sweep rings for them"
    assert queue.sweep().rung == 0
    with make.arranging():
        assert not Job.objects.exclude(rung_at=None).exists(), "and the one after it"
    assert queue.run_pending() == len(jobs)


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
def test_a_broker_that_refuses_or_hangs_holds_up_a_request_for_two_seconds_at_most(
    db: None, hangs: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not hangs:
            server.close()
        app = celery.Celery("away", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
        app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        monkeypatch.setattr(bell, "current_app", app)
        monkeypatch.setattr(bell._silence, "until", 0.0)
        began = monotonic()
        assert not bell.send(job_id=uuid4(), tenant_id=None, task="core.tasks.prune")
        assert monotonic() - began < 4, "two seconds, and as much again for a busy machine"
        assert not bell.send(job_id=uuid4(), tenant_id=None, task="core.tasks.prune")
        assert monotonic() - began < 4, "the second bell is not even tried"


def test_a_lost_bell_is_rung_again_by_the_sweeper_and_an_early_one_is_not(tenant: Tenant, rung: list[UUID]) -> None:
    job_id = queue.enqueue(tenant_task(lambda: None), tenant_id=tenant.id)
    assert queue.sweep().rung == 0, "the bell of the enqueuing may still be on its way"
    assert queue.sweep(at=now() + timedelta(seconds=40)).rung == 1
    assert rung == [job_id]
    assert queue.sweep(at=now() + timedelta(seconds=41)).rung == 0


def test_the_longer_a_job_waits_the_more_seldom_it_is_rung_for(tenant: Tenant) -> None:
    queue.enqueue(tenant_task(lambda: None), tenant_id=tenant.id)
    rings = [second for second in range(0, 1800, 60) if queue.sweep(at=now() + timedelta(seconds=second)).rung]
    pauses = [after - before for before, after in pairwise(rings)]
    assert 3 < len(rings) < 10
    assert pauses == sorted(pauses)


def test_a_scheduled_job_waits_for_its_time_and_is_rung_for_then(tenant: Tenant, rung: list[UUID]) -> None:
    due = now() + timedelta(hours=1)
    job_id = queue.enqueue(tenant_task(lambda: None), tenant_id=tenant.id, not_before=due)
    assert (queue.run_pending(), queue.sweep().rung) == (0, 0)
    assert queue.run(job_id=job_id, tenant_id=tenant.id, heartbeat=False) is None, "a bell that comes early"
    assert queue.sweep(at=due).rung == 1
    assert queue.run_pending(at=due) == 1
    assert state_of(job_id).state is JobState.DONE


def test_a_bell_rung_twice_runs_the_job_once(tenant: Tenant) -> None:
    runs: list[int] = []
    job_id = queue.enqueue(tenant_task(lambda: runs.append(1)), tenant_id=tenant.id)
    states = [queue.run(job_id=job_id, tenant_id=tenant.id, heartbeat=False) for _ in range(3)]
    assert (states, runs) == ([JobState.DONE, None, None], [1])


def test_the_bell_carries_ids_only_and_the_tasks_time_limit(
    tenant: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **options: sent.append({"name": name, **options}))
    monkeypatch.setattr(bell._silence, "until", 0.0)
    monkeypatch.setattr(TASKS, "_items", {})
    name = tenant_task(lambda: None, timeout=timedelta(minutes=5))
    job_id = uuid4()
    assert bell.send(job_id=job_id, tenant_id=tenant.id, task=name)
    assert sent[0]["kwargs"] == {"job_id": str(job_id), "tenant_id": str(tenant.id)}
    assert (sent[0]["soft_time_limit"], sent[0]["time_limit"]) == (300, 330)
    assert sent[0]["queue"] == "short"
    monkeypatch.setattr(TASKS, "_items", {})
    assert bell.send(job_id=job_id, tenant_id=tenant.id, task=tenant_task(lambda: None, long=True))
    assert sent.pop()["queue"] == "long"
    settings.QUEUE_RINGS = False
    assert not bell.send(job_id=job_id, tenant_id=tenant.id, task=name)
    assert len(sent) == 1


def test_a_periodic_task_is_enqueued_once_per_interval(db: None) -> None:
    runs: list[int] = []
    queue.task(scope=Scope.SYSTEM, every=timedelta(hours=1))(lambda: runs.append(1))
    assert [queue.sweep().periodic for _ in range(2)] == [1, 0]
    queue.run_pending()
    assert queue.sweep().periodic == 0
    assert queue.sweep(at=now() + timedelta(hours=1)).periodic == 1
    queue.run_pending()
    assert len(runs) == 2


def test_a_tenant_task_cannot_be_periodic() -> None:
    with pytest.raises(ValueError, match="system task"):
        queue.task(scope=Scope.TENANT, every=timedelta(hours=1))


def test_old_jobs_are_deleted_and_dead_ones_kept_longer(tenant: Tenant) -> None:
    def work(*, fail: bool) -> None:
        if fail:
            raise UseCaseError("No.")

    name = tenant_task(work)
    for fail in (True, False):
        queue.enqueue(name, tenant_id=tenant.id, fail=fail)
    queue.run_pending()
    waiting = queue.enqueue(name, tenant_id=tenant.id, fail=False)
    assert sweeper.prune(at=now() + timedelta(days=31)) == 1
    assert sweeper.prune(at=now() + timedelta(days=91)) == 1
    assert [job.id for job in queue.jobs(tenant.id)] == [waiting]


def test_every_thread_rings_our_broker() -> None:
    """Celery keeps its current app per thread; in the web server's threads it must be ours, too."""
    apps: list[str | None] = []
    thread = threading.Thread(target=lambda: apps.append(celery.current_app.main))
    thread.start()
    thread.join(10)
    assert apps == ["crossing"]
