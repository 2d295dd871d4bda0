"""The demo's data on their way: runs and then a comparison for the airlines with a story, through queue and worker."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from accounts.queries import tenants
from backfills.queries import runs as moved
from backfills.services import runs
from core import queue, tenancy
from core.actor import Actor
from parity_reports.queries import reports as compared
from parity_reports.services import reports
from portal.demo.airlines import AIRLINES, Story

BY = Actor.system("loader")
PATIENCE = 900.0
"""Seconds after which a move that does not end is a failure of the demo."""


class UnfinishedError(RuntimeError):
    """A run or a comparison ended badly or not at all; the message names the airline."""


@dataclass
class Course:
    """One airline on its way."""

    name: str
    tenant_id: UUID
    told: set[str] = field(default_factory=set)


def move_and_compare(*, report: Callable[[str], None], patience: float = PATIENCE) -> None:
    """Start what has not run yet and wait for its end, telling each entity once it has moved.

    Safe to repeat: an airline that has been compared is left alone. Raises UnfinishedError.
    """
    with tenancy.staff_scope(by=BY, reason="demo: find the airlines"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
    courses = [Course(airline.name, ids[airline.code]) for airline in AIRLINES if airline.story is not Story.WAITING]
    waiting = [course for course in courses if _begin(course)]
    if waiting:
        report("Moving the data of three airlines, legacy → new, in checkpointed batches:")
    until = time.monotonic() + patience
    while waiting:
        waiting = [course for course in waiting if not _is_over(course, report=report)]
        if waiting and time.monotonic() > until:
            names = ", ".join(course.name for course in waiting)
            raise UnfinishedError(f"still moving after {patience:.0f} s: {names}; is the worker up?")
        time.sleep(0.25 if waiting else 0)


def _begin(course: Course) -> bool:
    """Start the runs unless there are some; say whether there is something to wait for."""
    with tenancy.scope(tenant_id=course.tenant_id):
        if compared.latest(tenant_id=course.tenant_id) is not None:
            return False
        if not moved.latest(tenant_id=course.tenant_id):
            runs.start(tenant_id=course.tenant_id, by=BY, at=timezone.now())
        return True


def _is_over(course: Course, *, report: Callable[[str], None]) -> bool:
    """Tell what has moved since; once all has, ask for the comparison, and be over when that is."""
    with tenancy.scope(tenant_id=course.tenant_id):
        moves = moved.moves(tenant_id=course.tenant_id)
        for row in moves.rows:
            if row.run and not row.is_active and row.spec.entity not in course.told:
                course.told.add(row.spec.entity)
                rejected = f", {row.rejected:,} rejected" if row.rejected else ""
                what = row.spec.title.lower()
                report(f"  {course.name}: {what}, {row.accounted:,} of {row.total:,} rows accounted for{rejected}")
        if moves.is_active or not moves.has_begun:
            return _alive(course)
        if compared.latest(tenant_id=course.tenant_id) is None:
            reports.request(tenant_id=course.tenant_id, by=BY, at=timezone.now())
            return False
        if compared.running(tenant_id=course.tenant_id) is not None:
            return _alive(course)
        report(f"  {course.name}: both platforms are compared")
        return True


def _alive(course: Course) -> bool:
    """Return False (not over) unless a job of the airline was given up."""
    for job in queue.jobs(course.tenant_id, limit=10):
        if job.state is queue.JobState.DEAD and job.error != "UnableToMove":
            raise UnfinishedError(f"{course.name}: {job.problem}")
    return False
