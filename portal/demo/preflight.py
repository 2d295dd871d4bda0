"""The demo's first preflight: every tenant's checks through the real queue and worker, watched from the outside."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from accounts.queries import tenants
from core import queue, readiness, tenancy
from core.actor import Actor

BY = Actor.system("demo")
PATIENCE = 600.0
"""Seconds after which a preflight that does not end is a failure of the demo."""


class UnfinishedError(RuntimeError):
    """A preflight failed or did not end; the message names the tenant and what the queue knows."""


@dataclass(frozen=True, slots=True)
class Course:
    """How far the preflight of one tenant is."""

    tenant_id: UUID
    name: str
    done: int
    total: int
    message: str
    is_over: bool
    problem: str

    def bar(self, *, width: int = 24) -> str:
        """The course as one line of text."""
        share = self.done / self.total if self.total else float(self.is_over)
        filled = round(share * width)
        words = self.problem or (f"{self.total} checks answered" if self.is_over else self.message or "waiting")
        return f"{self.name[:22]:<22} {'█' * filled}{'░' * (width - filled)} {share:>4.0%}  {words[:48]}"


@contextmanager
def every_tenant(reason: str) -> Iterator[None]:
    """See all tenants' rows, as the house itself."""
    with tenancy.staff_scope(by=BY, reason=reason):
        yield


def request_all() -> dict[UUID, tuple[str, UUID]]:
    """Ask for every tenant's checks; each tenant's name and job by its id, in the tenants' order."""
    with every_tenant("demo: list the tenants"):
        listed = [(tenant.id, tenant.name) for tenant in tenants.every()]
    jobs: dict[UUID, tuple[str, UUID]] = {}
    for tenant_id, name in listed:
        with tenancy.scope(tenant_id=tenant_id):
            jobs[tenant_id] = (name, readiness.request(tenant_id=tenant_id, by=BY))
    return jobs


def look(jobs: Mapping[UUID, tuple[str, UUID]]) -> list[Course]:
    """How far each of these preflights is now; needs a scope that sees them all."""
    courses = []
    for tenant_id, (name, job_id) in jobs.items():
        job = queue.job(job_id)
        if job is None:
            courses.append(Course(tenant_id, name, 0, 0, "", is_over=True, problem="its job is gone"))
            continue
        failed = job.is_over and job.state is not queue.JobState.DONE
        courses.append(
            Course(
                tenant_id,
                name,
                job.progress.done,
                job.progress.total or 0,
                job.message,
                is_over=job.is_over,
                problem=(job.problem or f"ended as {job.state.value}") if failed else "",
            )
        )
    return courses


def watch(
    jobs: Mapping[UUID, tuple[str, UUID]], *, show: Callable[[Sequence[Course]], None], patience: float = PATIENCE
) -> None:
    """Show the courses until all are over.

    Raises UnfinishedError if one failed, or is not over after `patience` seconds.
    """
    until = time.monotonic() + patience
    with every_tenant("demo: watch the preflight"):
        while True:
            courses = look(jobs)
            show(courses)
            if failed := [course for course in courses if course.problem]:
                raise UnfinishedError("; ".join(f"{course.name}: {course.problem}" for course in failed))
            if all(course.is_over for course in courses):
                return
            if time.monotonic() > until:
                waiting = ", ".join(course.name for course in courses if not course.is_over)
                raise UnfinishedError(f"still running after {patience:.0f} s: {waiting}; is the worker up?")
            time.sleep(0.25)


def table(jobs: Mapping[UUID, tuple[str, UUID]]) -> list[str]:
    """Every tenant × check with its outcome, as lines of text with a legend."""
    with every_tenant("demo: show the answers"):
        answers = readiness.latest_of_many(tenant_ids=[*jobs])
    checks = sorted(readiness.CHECKS.values(), key=lambda check: check.id)
    lines = ["tenant".ljust(24) + "".join(f"{number:>9}" for number, _ in enumerate(checks, 1))]
    for tenant_id, (name, _) in jobs.items():
        found = answers.get(tenant_id, {})
        outcomes = [found[check.id].finding.outcome.value if check.id in found else "-" for check in checks]
        lines.append(name[:22].ljust(24) + "".join(f"{outcome:>9}" for outcome in outcomes))
    legend = [f"{number:>4}  {check.id}: {check.title}" for number, check in enumerate(checks, 1)]
    return [*lines, "", *legend]
