"""How a job ends that does not end well, and what the tenant is told."""

from uuid import UUID

import pytest

from accounts.models import Tenant
from core import ports, queue
from core.errors import UseCaseError
from core.models import Job
from core.queue import JobState
from tests.queueing import BY, CANARY, LATER, now, state_of, tenant_task


@pytest.mark.parametrize(
    ("trouble", "told", "error"),
    [
        (ports.Unavailable("The DNS server did not answer."), "The DNS server did not answer.", "Unavailable"),
        (ValueError(CANARY), "Something went wrong on our side", "ValueError"),
        (queue.TimedOut(), "It took longer than it may", "TimedOut"),
    ],
    ids=["outage", "fault", "too long"],
)
def test_a_failure_is_tried_again_after_a_pause_and_then_given_up(
    tenant: Tenant, trouble: Exception, told: str, error: str
) -> None:
    def work() -> None:
        raise trouble

    job_id = queue.enqueue(tenant_task(work, max_attempts=2), tenant_id=tenant.id)
    assert queue.run_pending() == 1
    waiting = state_of(job_id)
    assert (waiting.state, waiting.attempts, waiting.error) == (JobState.QUEUED, 1, error)
    assert waiting.not_before > now()
    assert queue.run_pending() == 0
    assert queue.run_pending(at=now() + LATER) == 1
    dead = state_of(job_id)
    assert (dead.state, dead.is_over) == (JobState.DEAD, True)
    assert dead.problem.startswith(told)
    assert CANARY not in dead.problem


@pytest.mark.parametrize("refusal", [UseCaseError("Claim a domain first."), ports.Rejected("Claim a domain first.")])
def test_a_refusal_is_final_and_its_reason_told(tenant: Tenant, refusal: Exception) -> None:
    def work() -> None:
        raise refusal

    job_id = queue.enqueue(tenant_task(work), tenant_id=tenant.id)
    queue.run_pending()
    assert (state_of(job_id).state, state_of(job_id).problem) == (JobState.DEAD, "Claim a domain first.")


def test_a_dead_job_is_tried_again_when_a_person_says_so(tenant: Tenant) -> None:
    broken = [True]

    def work() -> None:
        if broken[0]:
            raise UseCaseError("Broken.")

    job_id = queue.enqueue(tenant_task(work), tenant_id=tenant.id, key="k")
    queue.run_pending()
    broken[0] = False
    queue.retry(job_id, by=BY)
    with pytest.raises(queue.UnableToRetry):
        queue.retry(job_id, by=BY)
    queue.run_pending()
    assert (state_of(job_id).state, state_of(job_id).problem) == (JobState.DONE, "")


def test_a_retry_gives_way_to_a_newer_job_of_its_key(tenant: Tenant) -> None:
    runs: list[UUID] = []

    def work(*, tenant_id: UUID, job_id: UUID) -> None:
        runs.append(job_id)
        if len(runs) == 1:
            queue.enqueue(name, tenant_id=tenant_id, key="k")
            raise ports.Unavailable("Away.")

    name = tenant_task(work)
    first = queue.enqueue(name, tenant_id=tenant.id, key="k")
    queue.run_pending()
    assert state_of(first).state is JobState.CANCELLED
    assert "newer" in state_of(first).problem
    assert len(runs) == 2
    assert state_of(runs[1]).state is JobState.DONE


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step(tenant: Tenant) -> None:
    steps: list[int] = []

    def work(*, job_id: UUID) -> None:
        for step in range(3):
            steps.append(step)
            if step == 1:
                queue.cancel(job_id, by=BY)
                queue.cancel(job_id, by=BY)
            queue.progress(job_id, step, 3)

    name = tenant_task(work)
    running, waiting = (queue.enqueue(name, tenant_id=tenant.id) for _ in range(2))
    queue.cancel(waiting, by=BY)
    queue.run_pending()
    assert (state_of(running).state, state_of(waiting).state) == (JobState.CANCELLED, JobState.CANCELLED)
    assert steps == [0, 1]
    assert Job.objects.get(pk=running).cancel_asked_by == BY.id
    queue.cancel(running, by=BY)


def test_what_is_over_cannot_be_cancelled(tenant: Tenant) -> None:
    job_id = queue.enqueue(tenant_task(lambda: None), tenant_id=tenant.id)
    queue.run_pending()
    with pytest.raises(queue.UnableToCancel):
        queue.cancel(job_id, by=BY)


def test_a_job_asked_to_stop_is_not_tried_again_when_it_fails(tenant: Tenant) -> None:
    def work(*, job_id: UUID) -> None:
        queue.cancel(job_id, by=BY)
        raise ports.Unavailable("Away.")

    job_id = queue.enqueue(tenant_task(work), tenant_id=tenant.id)
    queue.run_pending()
    assert state_of(job_id).state is JobState.CANCELLED


def test_a_job_gives_way_to_those_that_wait_and_goes_on_after_them(tenant: Tenant, rung: list[UUID]) -> None:
    order: list[str] = []

    def giant() -> None:
        order.append("giant")
        if order.count("giant") < 3:
            raise queue.GiveWay

    def behind() -> None:
        order.append("behind")

    def other() -> None:
        order.append("other")

    first = queue.enqueue(tenant_task(giant, max_attempts=1), tenant_id=tenant.id, lane="l", key="g")
    second = queue.enqueue(tenant_task(behind), tenant_id=tenant.id, lane="l")
    third = queue.enqueue(tenant_task(other), tenant_id=tenant.id)
    rung.clear()
    assert queue.run(job_id=first, tenant_id=tenant.id, heartbeat=False) is JobState.QUEUED
    assert rung == [first]
    assert (state_of(first).attempts, state_of(first).problem, state_of(second).state) == (0, "", JobState.QUEUED)
    queue.run(job_id=third, tenant_id=tenant.id, heartbeat=False)
    queue.run_pending()
    assert order == ["giant", "other", "giant", "giant", "behind"]
    assert state_of(first).state is JobState.DONE


def test_a_job_gives_way_until_a_moment_and_the_sweeper_rings_for_it_then(tenant: Tenant, rung: list[UUID]) -> None:
    until = now() + LATER
    done: list[int] = []

    def slow() -> None:
        done.append(1)
        if len(done) == 1:
            raise queue.GiveWay(until)

    job_id = queue.enqueue(tenant_task(slow, max_attempts=1), tenant_id=tenant.id)
    rung.clear()
    assert queue.run(job_id=job_id, tenant_id=tenant.id, heartbeat=False) is JobState.QUEUED
    assert (state_of(job_id).not_before, state_of(job_id).attempts, rung) == (until, 0, [])
    assert queue.run_pending() == 0
    queue.sweep(at=until)
    assert job_id in rung
    assert queue.run(job_id=job_id, tenant_id=tenant.id, at=until, heartbeat=False) is JobState.DONE


def test_a_job_that_gives_way_ends_where_it_was_to_be_cancelled_or_a_newer_one_waits(tenant: Tenant) -> None:
    def cancelled() -> None:
        queue.cancel(cancelling, by=BY)
        raise queue.GiveWay

    cancelling = queue.enqueue(tenant_task(cancelled), tenant_id=tenant.id)
    queue.run(job_id=cancelling, tenant_id=tenant.id, heartbeat=False)
    assert state_of(cancelling).state is JobState.CANCELLED

    newer: list[UUID] = []

    def repeated() -> None:
        if not newer:
            newer.append(queue.enqueue(name, tenant_id=tenant.id, key="k"))
            raise queue.GiveWay

    name = tenant_task(repeated)
    older = queue.enqueue(name, tenant_id=tenant.id, key="k")
    queue.run_pending()
    assert (state_of(older).state, state_of(newer[0]).state) == (JobState.CANCELLED, JobState.DONE)
