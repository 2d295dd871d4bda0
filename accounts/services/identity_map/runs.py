"""Reading the people of both platforms batch by batch, and judging all of them at once."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

from accounts.domain.identity_map import reading
from accounts.domain.identity_map.guids import LEGACY, NEW
from accounts.models import LegacyPerson, MapRun, NewPerson, Tenant, TenantLink
from core import ledger, outbox, ports, queue
from core.actor import Actor
from core.people import Person
from core.permissions import Permission

TASK = "accounts.tasks.map_people"
BATCH = 5_000
"""People read, kept and checkpointed at once; memory is bounded by it."""

MATCHING = Path(__file__).with_name("matching.sql").read_text(encoding="utf-8")
_COLUMNS = tuple(field.name for field in fields(reading.Row))
_TYPES = {"id": "uuid", "is_owner": "boolean", "is_active": "boolean"}


def request(*, tenant_id: UUID, by: Actor, at: datetime) -> MapRun:
    """Have the people of both platforms read and judged, and return the run. Safe to repeat: one runs at a time.

    A run that was left unfinished goes on where it stopped.
    """
    by.require(Permission.MAP_PEOPLE, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        link(tenant_id=tenant_id, by=by, at=at)
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

    def of_new(after: str | None) -> Sequence[Person]:
        return people.of_new(account_id=known.account_id, after=after, limit=BATCH)

    def of_legacy(after: str | None) -> Sequence[Person]:
        return people.of_legacy(tenant_ref=known.legacy_ref, after=after, limit=BATCH)

    try:
        _read_all(run, side=NEW, tenant=str(known.account_id), fetch=of_new, job_id=job_id)
        _read_all(run, side=LEGACY, tenant=known.legacy_ref, fetch=of_legacy, job_id=job_id)
    except (ports.Rejected, reading.Unreadable) as refusal:
        return _fail(run, problem=str(refusal), by=by, at=now())
    return _close(run, by=by, at=now(), job_id=job_id)


def _enqueue(run: MapRun, *, by: Actor) -> None:
    queue.enqueue(TASK, tenant_id=run.tenant_id, key=str(run.pk), by=by, run_id=run.pk)


def _read_all(
    run: MapRun, *, side: str, tenant: str, fetch: Callable[[str | None], Sequence[Person]], job_id: UUID | None
) -> None:
    while not getattr(run, f"is_{side}_read"):
        found = fetch(getattr(run, f"{side}_after") or None)
        rows = [reading.read(person, system=side, tenant=tenant) for person in found]
        moved: dict[str, Any] = {f"{side}_read": getattr(run, f"{side}_read") + len(rows)}
        if rows:
            moved[f"{side}_after"] = rows[-1].key
        if len(rows) < BATCH:
            moved[f"is_{side}_read"] = True
        with transaction.atomic(durable=True):
            if len({row.id for row in rows}) < len(rows) or _keep(run, rows, side=side) < len(rows):
                raise reading.Unreadable(f"The {side} platform tells of somebody twice: each key must come once.")
            held = MapRun.objects.filter(
                pk=run.pk, state=MapRun.State.RUNNING, **{f"{side}_read": getattr(run, f"{side}_read")}
            )
            if not held.update(**moved):
                raise queue.LeaseLost
            queue.progress(job_id, run.new_read + run.legacy_read + len(rows), message=f"Reading the {side} platform")
        for name, value in moved.items():
            setattr(run, name, value)


def _keep(run: MapRun, rows: list[reading.Row], *, side: str) -> int:
    """Write a batch and return how many people it was; whoever was read by this run already does not count."""
    if not rows:
        return 0
    own = "'pending', '', t.id" if side == LEGACY else ""
    names = ", outcome, rule, person_id" if side == LEGACY else ""
    table = LegacyPerson._meta.db_table if side == LEGACY else NewPerson._meta.db_table
    listed, kept = ", ".join(_COLUMNS), ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    arrays = ", ".join(f"%s::{_TYPES.get(name, 'text')}[]" for name in _COLUMNS)
    statement = (
        f"INSERT INTO {table} AS p (tenant_id, seen_in, {listed}{names}) "  # noqa: S608 - names of ours
        f"SELECT %s, %s, t.*{', ' + own if own else ''} FROM unnest({arrays}) AS t ({listed}) "
        f"ON CONFLICT (id) DO UPDATE SET seen_in = excluded.seen_in, gone_at = NULL, {kept} "
        "WHERE p.seen_in <> excluded.seen_in"
    )
    with connection.cursor() as cursor:
        columns = zip(*map(astuple, rows), strict=True)
        cursor.execute(statement, [run.tenant_id, run.pk, *map(list, columns)])
        return int(cursor.rowcount)


def _close(run: MapRun, *, by: Actor, at: datetime, job_id: UUID | None) -> MapRun:
    """Judge everybody and close the run; the database refuses it unless each person read has one outcome."""
    gone = {"tenant_id": run.tenant_id, "gone_at": None}
    with transaction.atomic(durable=True):
        link(tenant_id=run.tenant_id, by=by, at=at)
        queue.progress(job_id, run.new_read + run.legacy_read, message="Judging everybody")
        for model in (NewPerson, LegacyPerson):
            model.objects.filter(**gone).exclude(seen_in=run.pk).update(gone_at=at)
        _judge(run)
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


def _judge(run: MapRun) -> None:
    with connection.cursor() as cursor:
        # The rows are newer than the planner's statistics of them; a loop over loops would take hours.
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'")
        cursor.execute(MATCHING, {"tenant": run.tenant_id, "run": run.pk})
        cursor.execute("SET LOCAL enable_nestloop = on")


def count(*, tenant_id: UUID) -> dict[str, int]:
    """Return how many people of legacy ended where."""
    rows = LegacyPerson.objects.filter(tenant_id=tenant_id).values_list("outcome").annotate(count=Count("pk"))
    return dict(rows.order_by("outcome"))


def _fail(run: MapRun, *, problem: str, by: Actor, at: datetime) -> MapRun:
    with transaction.atomic(durable=True):
        failed = {"state": MapRun.State.FAILED, "finished_at": at, "problem": problem[:500]}
        if MapRun.objects.filter(pk=run.pk, state=MapRun.State.RUNNING).update(**failed):
            outbox.publish("accounts.people.mapped", tenant_id=run.tenant_id)
            ledger.record("accounts.people.mapping_failed", by=by, at=at, tenant_id=run.tenant_id, subject=run)
    run.refresh_from_db()
    return run


__all__ = ["BATCH", "TASK", "advance", "count", "link", "request"]
