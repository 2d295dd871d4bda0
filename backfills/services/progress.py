"""Mirrors what the new platform has committed into our own rows; safe to repeat."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum

from backfills.models import UNRESOLVED, Batch, DeadLetter, OutcomeTotal, Pace, Run
from core import holds, queue
from core.moving import BatchDone, RunPosition

_WHOLE = 2_000
"""Dead letters written at a time."""


def mirror(run: Run, position: RunPosition, *, job_id: UUID | None = None) -> None:
    """Write batches, totals and dead letters of a position that are not here yet, in one short transaction.

    With a job, the transaction also proves that the job's lease still holds: a worker that was given up for dead
    writes nothing.
    """
    with transaction.atomic():
        here = Run.objects.select_for_update().get(pk=run.pk)  # several workers may mirror one run
        known = set(Batch.objects.filter(run=run).values_list("number", flat=True))
        for batch in position.batches:
            if batch.number not in known:
                _write(run, batch)
        if position.read >= here.read:  # else another has told of more meanwhile
            replace_totals(run, position)
        figures = Batch.objects.filter(run=run).aggregate(changed=Sum("changed"))
        Run.objects.filter(pk=run.pk).update(
            read=max(here.read, position.read),
            batches=max([here.batches, *(batch.number for batch in position.batches)]),
            changed=figures["changed"] or 0,
            supplemented=position.supplemented,
            **({"moved_at": position.batches[-1].at} if position.batches else {}),
        )
        queue.progress(
            job_id,
            position.read,
            position.source_total,
            f"{run.entity.replace('_', ' ').capitalize()}: {position.read:,} rows{_limited(run)}",
        )
    run.refresh_from_db()


def _limited(run: Run) -> str:
    rows = Pace.objects.filter(tenant_id=run.tenant_id).values_list("rows_per_second", flat=True).first()
    return f", limited to {rows:,} rows per second" if rows else ""


def replace_totals(run: Run, position: RunPosition) -> None:
    """Let the run's totals be those of the position."""
    OutcomeTotal.objects.filter(run=run).delete()
    OutcomeTotal.objects.bulk_create(
        OutcomeTotal(tenant_id=run.tenant_id, run=run, fate=fate, rule=rule, count=count)
        for (fate, rule), count in position.totals.items()
    )


def _write(run: Run, batch: BatchDone) -> None:
    Batch.objects.create(
        tenant_id=run.tenant_id,
        run=run,
        number=batch.number,
        first_key=batch.first_key,
        last_key=batch.last_key,
        rows=batch.rows,
        changed=batch.changed,
        committed_at=batch.at,
    )
    DeadLetter.objects.bulk_create(
        (
            DeadLetter(
                tenant_id=run.tenant_id,
                run=run,
                entity=run.entity,
                source_key=letter.source_key,
                state=DeadLetter.State.OPEN,
                rule=letter.rule,
                sqlstate=letter.sqlstate,
                column=letter.column,
                spec=letter.spec,
                attempts=letter.attempts,
                first_at=letter.first_at,
                last_at=letter.last_at,
                payload=letter.payload,
            )
            for letter in batch.letters
        ),
        batch_size=_WHOLE,
        update_conflicts=True,
        unique_fields=("tenant", "entity", "source_key"),
        update_fields=(
            *("run", "state", "rule", "sqlstate", "column", "spec"),
            *("attempts", "first_at", "last_at", "payload"),
        ),
    )
    if batch.settled:
        letters = DeadLetter.objects.filter(entity=run.entity, tenant_id=run.tenant_id, source_key__in=batch.settled)
        settle(letters, tenant_id=run.tenant_id, at=batch.at, last_at=batch.at)


def settle_others(run: Run, *, at: datetime) -> None:
    """Resolve what other runs rejected: this one has judged every row that legacy still has."""
    letters = DeadLetter.objects.filter(tenant_id=run.tenant_id, entity=run.entity)
    preserves = settle(letters.filter(state__in=UNRESOLVED).exclude(run=run), tenant_id=run.tenant_id, at=at)
    if not preserves:  # what a legal hold kept
        letters.filter(state=DeadLetter.State.RESOLVED).exclude(payload=b"").update(payload=b"")


def settle(letters: QuerySet[DeadLetter], *, tenant_id: UUID, at: datetime, **also: object) -> bool:
    """Resolve rejected rows inside the caller's transaction; say whether a legal hold keeps their copies."""
    preserves = holds.is_held_until_commit(tenant_id=tenant_id, at=at)
    emptied = {} if preserves else {"payload": b""}  # perhaps the last copy there is
    letters.update(state=DeadLetter.State.RESOLVED, **emptied, **also)
    return preserves


__all__ = ["mirror", "replace_totals", "settle", "settle_others"]
