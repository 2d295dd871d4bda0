"""The queue's jobs as a customer watches them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import queue
from core.queue import JobState, JobView

TITLES = {
    "core.tasks.evaluate_readiness": "Preflight checks",
    "backfills.tasks.advance_run": "Moving your data",
    "backfills.tasks.inspect": "Checking your data before it moves",
    "backfills.tasks.help_run": "Moving your data, a second pair of hands",
    "parity_reports.tasks.advance_report": "Comparing both platforms",
    "parity_reports.tasks.reconcile": "Putting records right",
    "accounts.tasks.check_domain": "Looking up your domain",
    "accounts.tasks.map_people": "Mapping your people",
    "accounts.tasks.write_down_access": "Writing down who has access, for a review",
    "accounts.tasks.apply_provisioning": "Going by what your directory says of people",
    "entitlements.tasks.refresh": "Reading your plan from both platforms",
    "integrations.tasks.run_harness": "Trying your webhook receiver",
    "integrations.tasks.deliver": "Sending a test event",
    "compliance.tasks.carry_out": "Deleting what was copied for the move",
}
"""What the work is called that a customer watches; a test fails on a tenant's task that is in neither list."""

PLUMBING = frozenset(
    {
        "accounts.tasks.read_metadata",
        "accounts.tasks.warn_of_certificate",
        "accounts.tasks.warn_of_enforcement",
        "backfills.tasks.catch_up",
        "backfills.tasks.keep_up_run",
        "comms.tasks.issue_mailing",
        "comms.tasks.send_mailing",
        "comms.tasks.tend_case",
        "compliance.tasks.erase",
        "core.tasks.deliver",
        "cutover.tasks.ask_for_fresh_proof",
        "cutover.tasks.recheck_request",
        "cutover.tasks.watch_line",
        "parity_reports.tasks.recheck",
        "parity_reports.tasks.shadow",
    }
)
"""Tasks that move messages along or look every few minutes whether all is well: nothing to watch."""

SILENT = timedelta(minutes=2)
"""After this long without a sign of life a waiting job says that it waits."""


@dataclass(frozen=True, slots=True)
class Row:
    """One job on the page."""

    id: UUID
    title: str
    detail: str
    state: str
    """A state of `core.templatetags.crossing`; `incomplete` (some of it stands) is not `fail` (none does)."""
    done: int
    total: int | None
    seconds_left: float | None
    per_second: float | None
    began_at: datetime
    ended_at: datetime | None
    attempt: str

    @property
    def is_over(self) -> bool:
        """Say whether nothing moves any more."""
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class Jobs:
    """What runs, and what ran."""

    live: list[Row]
    past: list[Row]

    @property
    def news(self) -> str:
        """One sentence for the live region, once nothing runs any more."""
        return f"{self.past[0].title}: {self.past[0].state}" if self.past and not self.live else ""


def read(*, tenant_id: UUID, at: datetime, limit: int = 40) -> Jobs:
    """Return the tenant's jobs, newest first."""
    rows = [_row(job, at=at) for job in queue.jobs(tenant_id, tasks=TITLES, limit=limit)]
    return Jobs([row for row in rows if not row.is_over], [row for row in rows if row.is_over])


def watched(*, tenant_id: UUID, before: UUID | None = None, limit: int) -> list[JobView]:
    """Return the jobs that a customer watches, newest first; only those older than `before`, if given."""
    return queue.jobs(tenant_id, tasks=TITLES, before=before, limit=limit)


def find(*, tenant_id: UUID, job_id: UUID) -> JobView | None:
    """Return one job that a customer watches."""
    found = queue.job(job_id)
    return found if found and found.tenant_id == tenant_id and found.task in TITLES else None


def unfinished(tenant_id: UUID) -> list[JobView]:
    """Return the jobs that run or wait, newest first."""
    return queue.jobs(tenant_id, tasks=TITLES, unfinished=True, limit=20)


def live(jobs: Sequence[JobView], *, at: datetime) -> list[Row]:
    """Return unfinished jobs as the page shows them."""
    return [_row(job, at=at) for job in jobs]


def running(tenant_id: UUID) -> int:
    """Return how many jobs run or wait, for the sidebar."""
    return len(unfinished(tenant_id))


def _row(job: JobView, *, at: datetime) -> Row:
    progress = job.progress
    left = progress.time_left(at=at) if job.state is JobState.RUNNING else None
    retried = job.attempts > 1 and not job.is_over
    return Row(
        id=job.id,
        title=TITLES[job.task],
        detail=_detail(job, at=at),
        state=_state(job),
        done=progress.done,
        total=progress.total,
        seconds_left=None if left is None else left.total_seconds(),
        per_second=progress.rate(at=at) if job.state is JobState.RUNNING else None,
        began_at=job.started_at or job.created_at,
        ended_at=job.finished_at if job.is_over else None,
        attempt=f"attempt {job.attempts} of {job.max_attempts}" if retried else "",
    )


def _state(job: JobView) -> str:
    match job.state:
        case JobState.DONE:
            return "done"
        case JobState.RUNNING:
            return "running"
        case JobState.QUEUED:
            return "queued"
        case JobState.CANCELLED:
            return "stopped"
    return "incomplete" if job.progress.done else "fail"


def _detail(job: JobView, *, at: datetime) -> str:
    if job.state is JobState.QUEUED and job.problem:
        return f"{job.problem} It is tried again by itself."
    if job.state is JobState.QUEUED and job.not_before > at:
        return f"{job.message}. It goes on by itself.".removeprefix(". ")
    if job.state is JobState.QUEUED:
        silent = at - job.created_at > SILENT
        return "It has waited for a while: all workers are busy." if silent else "It begins when a worker is free."
    if job.state is JobState.DEAD:
        return job.problem or "It was given up after several attempts; our staff has been told."
    return job.problem or job.message
