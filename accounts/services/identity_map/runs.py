"""Reading the people of both platforms batch by batch, and judging all of them at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

from accounts.domain.identity_map import reading
from accounts.domain.identity_map.guids import LEGACY, NEW
from accounts.domain.identity_map.reading import Row
from accounts.models import LegacyPerson, MapRun, Tenant, TenantLink
from accounts.queries import identity_map as queries
from accounts.services.identity_map import batches
from core import ledger, outbox, ports, queue
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

TASK = "accounts.tasks.map_people"
BATCH = 5_000
"""People read, kept and checkpointed at once; memory is bounded by it."""

MATCHING = Path(__file__).with_name("matching.sql").read_text(encoding="utf-8")
HERE = "crossing"
"""The system whose members are people of the new platform to be."""


class UnableToMap(UseCaseError):
    """People cannot be mapped any more."""


def request(*, tenant_id: UUID, by: Actor, at: datetime) -> MapRun:
    """Have the people of both platforms read and judged, and return the run. Safe to repeat: one runs at a time.

    A run that was left unfinished goes on where it stopped.
    """
    by.require(Permission.MAP_PEOPLE, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        if link(tenant_id=tenant_id, by=by, at=at).erased_at is not None:
            raise UnableToMap(
                "The move is over, and the names of your people were erased.", fix="What became of each of them stays."
            )
        run = MapRun.objects.filter(tenant_id=tenant_id, state=MapRun.State.RUNNING).first()
        if run is None:
            run = MapRun.objects.create(tenant_id=tenant_id, requested_at=at, requested_by=by.known_id)
            ledger.record("accounts.people.mapping_requested", by=by, at=at, tenant_id=tenant_id, subject=run)
        _enqueue(run, by=by)
    return run


def take_up(*, by: Actor, at: datetime) -> None:
    """Go on with what no job works on any more, and end as failed what a job gave up. Needs a staff scope."""
    by.require(Permission.MAP_PEOPLE)
    for run in MapRun.objects.filter(state=MapRun.State.RUNNING):
        job = next(iter(queue.jobs(run.tenant_id, tasks=[TASK], limit=1)), None)
        if job is None or job.state is queue.JobState.DONE:
            with transaction.atomic():
                _enqueue(run, by=by)
        elif job.is_over:
            _fail(run, problem=job.problem or "It was given up.", by=by, at=at)


def link(*, tenant_id: UUID, by: Actor, at: datetime) -> TenantLink:
    """Return the tenant's link, locked until the caller's transaction ends; the first time, link the two platforms."""
    found = TenantLink.objects.select_for_update().filter(tenant_id=tenant_id).first()
    if found is not None:
        return found
    reference = Tenant.objects.get(pk=tenant_id).legacy_ref
    made = TenantLink.objects.create(
        tenant_id=tenant_id, legacy_ref=reference, account_id=tenant_id, linked_at=at, linked_by=by.known_id
    )
    ledger.record(
        "accounts.tenant.linked", by=by, at=at, tenant_id=tenant_id, subject=made,
        data={"legacy_ref": reference, "account_id": tenant_id},
    )  # fmt: skip
    return made


def advance(*, run_id: UUID, by: Actor, now: Callable[[], datetime], job_id: UUID | None = None) -> MapRun | None:
    """Carry a run on to its end from wherever it stands; nothing is left to do for one that ended.

    Raises `ports.Unavailable` where a platform does not answer: the run stays, and goes on later.
    """
    run = MapRun.objects.filter(pk=run_id, state=MapRun.State.RUNNING).first()
    if run is None:
        return None
    people, known = ports.people(), TenantLink.objects.get(tenant_id=run.tenant_id)

    def of_members(after: str | None) -> list[Row]:
        found = queries.members(tenant_id=run.tenant_id, after=after, limit=BATCH)
        return [
            replace(reading.read(person, system=HERE, tenant=str(run.tenant_id)), id=pk) for pk, person in found.items()
        ]

    def of_new(after: str | None) -> list[Row]:
        found = people.of_new(account_id=known.account_id, after=after, limit=BATCH)
        return [reading.read(person, system=NEW, tenant=str(known.account_id)) for person in found]

    def of_legacy(after: str | None) -> list[Row]:
        found = people.of_legacy(tenant_ref=known.legacy_ref, after=after, limit=BATCH)
        return [reading.read(person, system=LEGACY, tenant=known.legacy_ref) for person in found]

    try:
        for side, fetch in ((batches.MEMBERS, of_members), (NEW, of_new), (LEGACY, of_legacy)):
            _read_all(run, side=side, fetch=fetch, job_id=job_id)
        return _close(run, by=by, at=now(), job_id=job_id)
    except (ports.Rejected, reading.Unreadable) as refusal:
        return _fail(run, problem=str(refusal), by=by, at=now())


def _enqueue(run: MapRun, *, by: Actor) -> None:
    queue.enqueue(TASK, tenant_id=run.tenant_id, key=str(run.pk), by=by, run_id=run.pk)


def _read_all(run: MapRun, *, side: str, fetch: Callable[[str | None], Sequence[Row]], job_id: UUID | None) -> None:
    while not getattr(run, f"is_{side}_read"):
        rows = fetch(getattr(run, f"{side}_after") or None)
        moved: dict[str, Any] = {f"{side}_read": getattr(run, f"{side}_read") + len(rows)}
        if rows:
            moved[f"{side}_after"] = rows[-1].key
        if len(rows) < BATCH:
            moved[f"is_{side}_read"] = True
        with transaction.atomic(durable=True):
            batches.keep(run, rows, side=side)
            held = MapRun.objects.filter(
                pk=run.pk, state=MapRun.State.RUNNING, **{f"{side}_read": getattr(run, f"{side}_read")}
            )
            if not held.update(**moved):
                raise queue.LeaseLost
            queue.progress(job_id, run.read + len(rows), message=f"Reading {batches.TELLS[side].lower()}")
        is_first = not getattr(run, f"{side}_read")
        for name, value in moved.items():
            setattr(run, name, value)
        if getattr(run, f"{side}_read") >= BATCH and (is_first or getattr(run, f"is_{side}_read")):
            batches.analyze()


def _close(run: MapRun, *, by: Actor, at: datetime, job_id: UUID | None) -> MapRun:
    """Judge everybody and close the run; the database refuses it unless each person read has one outcome."""
    with transaction.atomic(durable=True):
        link(tenant_id=run.tenant_id, by=by, at=at)
        queue.progress(job_id, run.read, message="Judging everybody")
        _judge(run, at=at)
        batches.drop(run)
        ended = count(tenant_id=run.tenant_id)
        held = MapRun.objects.filter(pk=run.pk, state=MapRun.State.RUNNING)
        if not held.update(state=MapRun.State.DONE, finished_at=at, outcomes=ended):
            raise queue.LeaseLost
        with connection.cursor() as cursor:  # judged here already, and not only at the commit
            cursor.execute("SET CONSTRAINTS accounts_maprun_conserved IMMEDIATE")
        outbox.publish("accounts.people.mapped", tenant_id=run.tenant_id)
        ledger.record(
            "accounts.people.mapped", by=by, at=at, tenant_id=run.tenant_id, subject=run,
            data={"people": run.legacy_read, "outcomes": ended},
        )  # fmt: skip
    run.refresh_from_db()
    return run


def _judge(run: MapRun, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        # The rows are newer than the planner's statistics of them; a loop over loops would take hours.
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'")
        batches.count_out(run, at=at)
        cursor.execute(MATCHING, {"tenant": run.tenant_id})
        cursor.execute("SET LOCAL enable_nestloop = on")


def count(*, tenant_id: UUID) -> dict[str, int]:
    """Return how many people of legacy ended where."""
    rows = LegacyPerson.objects.filter(tenant_id=tenant_id).values_list("outcome").annotate(count=Count("pk"))
    return dict(rows.order_by("outcome"))


def _fail(run: MapRun, *, problem: str, by: Actor, at: datetime) -> MapRun:
    with transaction.atomic(durable=True):
        failed = {"state": MapRun.State.FAILED, "finished_at": at, "problem": problem[:500]}
        if MapRun.objects.filter(pk=run.pk, state=MapRun.State.RUNNING).update(**failed):
            batches.drop(run)
            outbox.publish("accounts.people.mapped", tenant_id=run.tenant_id)
            ledger.record("accounts.people.mapping_failed", by=by, at=at, tenant_id=run.tenant_id, subject=run)
    run.refresh_from_db()
    return run


__all__ = ["BATCH", "TASK", "advance", "count", "link", "request"]
