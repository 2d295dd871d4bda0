"""Single runs of a tenant, and what is listed of one: its batches, its rejected rows, its retries."""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Length

from backfills.domain.runs import RunState
from backfills.models import UNRESOLVED, Batch, DeadLetter, Retry, Run
from backfills.queries.runs.entities import EntityRow

ADVANCE = "backfills.tasks.advance_run"
"""The task that moves a run; a job's key is the run's id."""

KEEP_UP = "backfills.tasks.keep_up_run"
"""The task that moves a run of a standing catch-up."""

HELP = "backfills.tasks.help_run"
"""The task that moves batches of a run beside it."""


def latest(*, tenant_id: UUID) -> dict[str, Run]:
    """Return the latest run of each entity; one that was cancelled while it waited for its turn left all as it was."""
    rows = Run.objects.filter(tenant_id=tenant_id).exclude(state=RunState.CANCELLED, started_at=None)
    return {run.entity: run for run in rows.order_by("entity", "-requested_at", "-id").distinct("entity")}


def letters(row: EntityRow) -> QuerySet[DeadLetter]:
    """Return the rejected rows of an entity, in key order; without their payload."""
    found = DeadLetter.objects.filter(run__in={one for one in (row.run, row.stands) if one}, state__in=UNRESOLVED)
    # Native order without casting: a number's text is longer the greater it is.
    by_key = (Length("source_key"), "source_key") if row.spec.key_type == "bigint" else ("source_key",)
    return found.defer("payload").order_by("rule", *by_key)


def batches(row: EntityRow, *, limit: int = 10) -> QuerySet[Batch]:
    """Return the latest batches of an entity's run, newest first."""
    return Batch.objects.filter(run=row.run).order_by("-number")[:limit]


def retries(row: EntityRow, *, limit: int = 10) -> QuerySet[Retry]:
    """Return the latest times that a run's rejected rows were judged again, newest first."""
    return Retry.objects.filter(run=row.run)[:limit]


def history(*, tenant_id: UUID) -> QuerySet[Run]:
    """Return every run of the tenant; of standing catch-ups that moved nothing, the latest alone is kept."""
    return Run.objects.filter(tenant_id=tenant_id)


def find(*, tenant_id: UUID, run_id: UUID) -> Run | None:
    """Return a run of the tenant."""
    return Run.objects.filter(tenant_id=tenant_id, pk=run_id).first()
