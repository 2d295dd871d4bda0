"""Standing catch-ups: switched on once, for a time; then what changes in legacy arrives by itself until the cutover."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction

from backfills import barriers
from backfills.domain import lag
from backfills.domain.runs import MOVING, RunState
from backfills.models import Pace, Run
from backfills.models.pace import LONGEST_EVERY
from backfills.queries import lag as lags
from backfills.queries import movements
from backfills.queries import standing as queries
from backfills.queries.runs import KEEP_UP
from backfills.services import asking, runs, steps
from core import ledger, queue, toggles
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

FASTEST = 1_000_000
"""Rows per second beyond which a limit limits nothing."""


class UnableToKeepUp(UseCaseError):
    """Nothing can be brought over by itself."""


class UnableToLimit(UseCaseError):
    """The speed cannot be limited like this."""


def switch_on(*, tenant_id: UUID, every: int, until: datetime, by: Actor, at: datetime) -> None:
    """Have a tenant caught up every so many minutes, from the end of its first full run to the cutover or `until`.

    Raises UnableToKeepUp where that would do harm or cannot be, and toggles.UnableToSwitch where it is on already or
    would be for too long.
    """
    by.require(Permission.MANAGE_RUNS, tenant_id=tenant_id)
    if reason := barriers.why_shut(tenant_id=tenant_id):
        raise UnableToKeepUp(reason)
    if not queries.followed():
        raise UnableToKeepUp("The mapping does not name the column of legacy that tells when a row changed.")
    if not 1 <= every <= LONGEST_EVERY:
        raise UnableToKeepUp(f"It runs every 1 to {LONGEST_EVERY} minutes, not every {every}.")
    with transaction.atomic(durable=True):
        toggles.switch_on(
            queries.NAME,
            tenant_id=tenant_id,
            expires_at=until,
            reason=f"What changes in legacy is brought over every {every} minutes until the cutover.",
            by=by,
            at=at,
            durable=False,
        )
        _set(tenant_id, by=by, at=at, every=every)
        Pace.objects.filter(tenant_id=tenant_id).update(due_at=at, trying_since=None)


def switch_off(*, tenant_id: UUID, by: Actor, at: datetime) -> bool:
    """Bring nothing over by itself any more; say whether that was on. What is under way ends. Safe to repeat."""
    return toggles.switch_off(queries.NAME, tenant_id=tenant_id, by=by, at=at)


def limit(*, tenant_id: UUID, rows_per_second: int | None, by: Actor, at: datetime) -> None:
    """Let a tenant's runs move so many rows per second at most (None: as fast as it goes). Staff alone may.

    A run that waits because of the limit before goes on at once.
    """
    by.require(Permission.MANAGE_RUNS)
    if rows_per_second is not None and not 1 <= rows_per_second <= FASTEST:
        raise UnableToLimit(f"Give 1 to {FASTEST:,} rows per second, or none for no limit.")
    with transaction.atomic(durable=True):
        _set(tenant_id, by=by, at=at, rows_per_second=rows_per_second)
        Pace.objects.filter(tenant_id=tenant_id).update(free_at=None)
        moving = Run.objects.filter(tenant_id=tenant_id, state__in=[state.value for state in MOVING])
        for run in moving.order_by("requested_at", "id"):
            steps.ring(run, by)


def request_due(*, by: Actor, at: datetime) -> int:
    """Enqueue a catch-up for every tenant whose standing one is due; return for how many. Needs a staff scope."""
    by.require(Permission.MANAGE_RUNS)
    tenant_ids = queries.due(at=at)
    for tenant_id in tenant_ids:
        queue.enqueue(queries.TASK, tenant_id=tenant_id, key="standing", by=by)
    return len(tenant_ids)


def end_given_up(*, by: Actor, at: datetime) -> None:
    """End standing catch-ups whose job was given up, for nobody lets them go on. Needs a staff scope; safe to repeat.

    The next one that is due begins anew. A run that somebody asked for waits for somebody: the page says that it stands
    still.
    """
    by.require(Permission.MANAGE_RUNS)
    for run in Run.objects.filter(standing=True, state__in=[RunState.QUEUED.value, RunState.RUNNING.value]):
        job = next(iter(queue.jobs(run.tenant_id, task=KEEP_UP, key=str(run.pk), limit=1)), None)
        if job is None or job.is_over:
            problem = job.problem if job else ""
            runs.fail(run, f"{_GIVEN_UP} {problem}".strip(), by=by, at=at)


_GIVEN_UP = "It was tried several times and given up; the next one begins anew."


def catch_up(*, tenant_id: UUID, by: Actor, at: datetime) -> list[Run]:
    """Start what a standing catch-up is due to start; nothing while something moves, is paused, or forbids it.

    Safe to repeat. From the cutover on it is switched off, and while the line is stopped it rests. An entity that
    cannot be caught up is left to people: the check and the page say so.
    """
    standing = queries.of_tenant(tenant_id=tenant_id, at=at)
    if not standing.is_on:
        return []
    if barriers.why_shut(tenant_id=tenant_id):
        switch_off(tenant_id=tenant_id, by=by, at=at)
        return []
    behind = lags.behind(tenant_id=tenant_id, at=at)
    _note(standing, behind, at=at)
    started: list[Run] = []
    if not standing.resting and not movements.is_moving(tenant_id=tenant_id):
        with suppress(runs.UnableToStart):  # until somebody moves them in full
            started = runs.start(tenant_id=tenant_id, by=by, at=at, catch_up=True, standing=True)
    asking.ask_anew(tenant_id=tenant_id, behind=behind, by=by, at=at)
    return started


def _note(standing: queries.Standing, behind: lags.Behind, *, at: datetime) -> None:
    """Remember when the next one is due, and since when each one was due in vain.

    A gap (an outage of ours) begins anew, and so does what read legacy for the entity that waited longest.
    """
    pace = standing.pace
    trying = pace.trying_since
    if standing.resting:
        trying = None
    elif trying is None or pace.asked_at is None or at - pace.asked_at > lag.LIMIT:
        trying = at
    elif behind.unread and behind.unread.read_at:
        trying = max(trying, behind.unread.read_at)
    kept = {"asked_at": at, "trying_since": trying, "due_at": queries.next_due(pace, at=at)}
    Pace.objects.update_or_create(tenant_id=pace.tenant_id, defaults=kept)


def _set(tenant_id: UUID, *, by: Actor, at: datetime, **values: int | None) -> None:
    """Set what people decide of the pace; inside a transaction. What stands so already leaves no entry."""
    before = queries.pace(tenant_id=tenant_id)
    kept, _ = Pace.objects.update_or_create(tenant_id=tenant_id, defaults=values)
    changed = {name: value for name, value in values.items() if getattr(before, name) != value}
    if changed:
        ledger.record("backfills.pace.set", by=by, at=at, tenant_id=tenant_id, subject=kept, data=changed)
