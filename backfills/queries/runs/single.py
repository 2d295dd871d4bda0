"""Single runs, the latest and earlier ones: where the rows of each ended, and how long one still takes."""

from dataclasses import dataclass, field
from datetime import datetime

from backfills.models import OutcomeTotal, Run
from backfills.queries import mapping, standing
from backfills.queries.runs.entities import EntityRow, Outcome
from backfills.queries.runs.listed import ADVANCE, KEEP_UP
from backfills.queries.runs.moves import outcomes
from core import queue
from core.domain.declared import SpecError


@dataclass(frozen=True, slots=True)
class Told:
    """A run. Outcomes are without words where its entity is not mapped any more, and then nothing moves it."""

    run: Run
    outcomes: list[Outcome] = field(default_factory=list)
    seconds_left: float | None = None
    """None for a guess."""
    is_stuck: bool = False
    """Whether somebody must let it go on."""
    trouble: str = ""
    """What went wrong at the last attempt, while it is active; fit for the customer."""


def told(run: Run, *, at: datetime) -> Told:
    """Return a run with all that is known of it; four queries."""
    try:
        spec = mapping.specs().get(run.entity)
    except SpecError:  # it still tells how many rows ended how
        spec = None
    found = outcomes(spec, OutcomeTotal.objects.filter(run=run))
    if spec is None:
        return Told(run, found)
    job = next(iter(queue.jobs(run.tenant_id, tasks=(ADVANCE, KEEP_UP), key=str(run.pk), limit=1)), None)
    row = EntityRow(spec, run, found, job=job, stands=run)
    left = row.seconds_left(standing.pace(tenant_id=run.tenant_id), at=at)
    return Told(run, found, left, row.is_stuck, row.trouble)
