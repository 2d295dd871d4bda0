"""What has moved: per entity the latest run, where every row ended, and what was rejected."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Length

from backfills.domain import wording
from backfills.domain.judgement import Fate
from backfills.domain.runs import ACTIVE, RunState, seconds_left
from backfills.domain.spec import Spec
from backfills.domain.wording import Words
from backfills.models import UNRESOLVED, Batch, DeadLetter, OutcomeTotal, Pace, Retry, Run
from backfills.queries import mapping
from core import queue
from core.queue import JobState, JobView

ADVANCE = "backfills.tasks.advance_run"
"""The task that moves a run; a job's key is the run's id."""


KEEP_UP = "backfills.tasks.keep_up_run"
"""The task that moves a run of a standing catch-up."""


HELP = "backfills.tasks.help_run"
"""The task that moves batches of a run beside it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows ended by one rule."""

    fate: str
    rule: str
    count: int
    words: Words

    @property
    def label(self) -> str:
        """The fate in words."""
        return wording.FATES[Fate(self.fate)]


@dataclass(frozen=True, slots=True)
class Rejects:
    """Rejected rows with one fix."""

    rule: str
    column: str
    count: int
    example: str
    words: Words
    newest: datetime
    """Since when the last of them is rejected."""


@dataclass(frozen=True, slots=True)
class EntityRow:
    """An entity of the mapping, its latest run and where that stands."""

    spec: Spec
    run: Run | None
    outcomes: list[Outcome] = field(default_factory=list)
    rejects: list[Rejects] = field(default_factory=list)
    job: JobView | None = None
    """The job that moves it, while its run is active."""
    retry: Retry | None = None
    """The latest time its rejected rows were judged again."""
    stands: Run | None = None
    """The run by which its rows stand: the latest, but a catch-up only from its end on."""

    @property
    def is_accounted(self) -> bool:
        """Whether every row has its one outcome.

        A catch-up under way takes nothing from that. One that failed does, unless nobody asked for it: the next one is
        minutes away, and how far behind legacy the rows are is told apart from this.
        """
        failed = self.run_state is RunState.FAILED and not (self.run and self.run.standing)
        return bool(self.stands and RunState(self.stands.state).is_accounted and not failed)

    @property
    def caught_up_to(self) -> datetime | None:
        """Up to when everything has arrived, if all rows are accounted for: what changed since may be missing."""
        return self.stands.arrived_until if self.stands and RunState(self.stands.state).was_accounted else None

    def seconds_left(self, pace: Pace, *, at: datetime) -> float | None:
        """Return how long its run still takes, None for a guess; a catch-up does not know how much there is to read."""
        if self.run is None or not self.is_active or self.run.since:
            return None
        measured = self.job.progress.time_left(at=at) if self.job and self.job.state is JobState.RUNNING else None
        return seconds_left(
            source_total=self.run.source_total,
            read=self.run.read,
            rows_per_second=pace.rows_per_second,
            measured=measured.total_seconds() if measured is not None else None,
        )

    @property
    def has_public_key(self) -> bool:
        """Whether a row's key in legacy may be shown."""
        return self.spec.source_columns[self.spec.key_column]

    @property
    def is_of_earlier_mapping(self) -> bool:
        """Whether its rows moved by another version of the mapping than the one in force."""
        stands = self.stands
        return stands is not None and stands.state != RunState.QUEUED and stands.spec != self.spec.label

    @property
    def failed_retry(self) -> Retry | None:
        """The latest retry, if it was not finished and nothing has been tried since."""
        return self.retry if self.retry and self.retry.state == Retry.State.FAILED and not self.is_active else None

    @property
    def may_catch_up(self) -> bool:
        """Whether reading only what changed is likely to do: all moved by the mapping in force, and nothing failed."""
        if self.spec.changed is None or self.stands is None or self.run_state is RunState.FAILED:
            return False
        return self.stands.watermark is not None and self.stands.spec == self.spec.label

    @property
    def is_catching_up(self) -> bool:
        """Whether its run reads only what changed."""
        return self.is_active and self.run is not None and self.run.since is not None

    @property
    def has_caught_up(self) -> bool:
        """Whether its run read only what changed, and accounts for every row."""
        state = self.run_state
        return bool(self.run and self.run.since and state and state.is_accounted)

    @property
    def is_stuck(self) -> bool:
        """Whether nothing moves it any more although its run has not ended: its job was given up."""
        return self.is_active and self.run_state is not RunState.PAUSED and (self.job is None or self.job.is_over)

    @property
    def trouble(self) -> str:
        """What went wrong at the last attempt, while its run is active; fit for the customer."""
        return self.job.problem if self.is_active and self.job else ""

    @property
    def run_state(self) -> RunState | None:
        """The state of its latest run."""
        return RunState(self.run.state) if self.run else None

    @property
    def state(self) -> str:
        """The state's name among the components."""
        if self.run is None:
            return "none"
        if self.run.state == RunState.STOPPED:
            return "block"
        if self.is_stuck:
            return "stuck"
        return {
            RunState.QUEUED: "queued",
            RunState.RUNNING: "running",
            RunState.RETRYING: "running",
            RunState.PAUSED: "stopped",
            RunState.SUCCEEDED: "done",
            RunState.FAILED: "fail",
        }[RunState(self.run.state)]

    @property
    def words(self) -> str:
        """The state in words, where they are not the component's own."""
        if self.run is None:
            return "Not moved yet"
        return {RunState.STOPPED: "Too many rejected", RunState.PAUSED: "Paused"}.get(RunState(self.run.state), "")

    @property
    def is_active(self) -> bool:
        """Whether its run is not over."""
        return self.run is not None and RunState(self.run.state) in ACTIVE

    @property
    def total(self) -> int:
        """Source rows, as last counted."""
        return (self.stands.source_total or 0) if self.stands else 0

    @property
    def moved(self) -> int:
        """Rows that have an object on the new platform, or are part of one."""
        return sum(one.count for one in self.outcomes if one.fate in ("migrated", "transformed", "merged"))

    @property
    def dropped(self) -> int:
        """Rows that a rule leaves behind."""
        return sum(one.count for one in self.outcomes if one.fate == Fate.DROPPED)

    @property
    def rejected(self) -> int:
        """Rows that were rejected."""
        return sum(one.count for one in self.outcomes if one.fate == Fate.QUARANTINED)

    @property
    def held(self) -> int:
        """Objects that are on the new platform although nothing of legacy asks for them: kept, not counted as rows."""
        return self.stands.held if self.stands else 0

    @property
    def accounted(self) -> int:
        """Rows that have their outcome."""
        return sum(one.count for one in self.outcomes)


@dataclass(frozen=True, slots=True)
class Moves:
    """All entities of a tenant."""

    rows: list[EntityRow]

    @property
    def is_active(self) -> bool:
        """Whether something moves or waits to move by itself."""
        return any(row.is_active and row.run_state is not RunState.PAUSED and not row.is_stuck for row in self.rows)

    @property
    def is_stuck(self) -> bool:
        """Whether somebody must let it go on."""
        return any(row.is_stuck for row in self.rows) and not self.is_active

    @property
    def is_catching_up(self) -> bool:
        """Whether all that moves are catch-ups."""
        return self.is_active and all(row.is_catching_up for row in self.rows if row.is_active)

    @property
    def may_catch_up(self) -> bool:
        """Whether there is something of which only what changed need be read."""
        return any(row.may_catch_up for row in self.rows)

    @property
    def has_begun(self) -> bool:
        """Whether there is a run at all."""
        return any(row.run for row in self.rows)

    @property
    def total(self) -> int:
        """Source rows of all entities."""
        return sum(row.total for row in self.rows)

    @property
    def accounted(self) -> int:
        """Rows with their outcome."""
        return sum(row.accounted for row in self.rows)

    @property
    def rejected(self) -> int:
        """Rejected rows of all entities."""
        return sum(row.rejected for row in self.rows)

    @property
    def held(self) -> int:
        """Objects of all entities that are held."""
        return sum(row.held for row in self.rows)

    @property
    def is_conserved(self) -> bool:
        """Whether every row of every entity has its one outcome."""
        return all(row.is_accounted for row in self.rows)

    @property
    def caught_up_to(self) -> datetime | None:
        """Up to when everything has arrived that there was to arrive; None where that is not known of an entity."""
        known = [row.caught_up_to for row in self.rows]
        return min(moment for moment in known if moment) if known and None not in known else None

    @property
    def news(self) -> str:
        """One sentence for the live region, once nothing moves any more."""
        if self.is_active or not self.has_begun:
            return ""
        return f"{self.accounted:,} of {self.total:,} rows accounted for, {self.rejected:,} rejected"


def latest(*, tenant_id: UUID) -> dict[str, Run]:
    """Return the latest run of each entity."""
    rows = Run.objects.filter(tenant_id=tenant_id).order_by("entity", "-requested_at", "-id").distinct("entity")
    return {run.entity: run for run in rows}


def moves(*, tenant_id: UUID) -> Moves:
    """Return every entity of the mapping with its latest run, in the order in which they move.

    Five queries, and one for each entity that is being caught up.
    """
    runs = latest(tenant_id=tenant_id)
    standing = _standing(runs)
    outcomes: dict[UUID, list[OutcomeTotal]] = defaultdict(list)
    for total in OutcomeTotal.objects.filter(run__in=standing.values()).order_by("fate", "rule"):
        outcomes[total.run_id].append(total)
    rejects = _rejects(DeadLetter.objects.filter(run__in=[*runs.values(), *standing.values()]))
    jobs = {
        job.key: job
        for job in reversed(queue.jobs(tenant_id, tasks=(ADVANCE, KEEP_UP), limit=4 * len(mapping.specs())))
    }
    retried = {one.run_id: one for one in reversed(Retry.objects.filter(run__in=runs.values()))}
    rows = []
    for spec in mapping.specs().values():
        run, stands = runs.get(spec.entity), standing.get(spec.entity)
        rows.append(
            EntityRow(
                spec,
                run,
                [_outcome(spec, total) for total in sorted(outcomes[stands.pk], key=_rank)] if stands else [],
                [_named(spec, row) for row in rejects.get(spec.entity, ())],
                jobs.get(str(run.pk)) if run else None,
                retried.get(run.pk) if run else None,
                stands,
            )
        )
    return Moves(rows)


def left_out(*, tenant_id: UUID, begun: Collection[Run]) -> str:
    """Say which entities a full run of all left to the runs that were under way; nothing where it left none."""
    ours, runs = {run.pk for run in begun}, latest(tenant_id=tenant_id)
    titles = [spec.title for spec in mapping.specs().values() if (run := runs.get(spec.entity)) and run.pk not in ours]
    if not titles:
        return ""
    return f"Not begun, since another run of these is under way: {', '.join(titles)}. Move them when it has ended."


def _standing(runs: dict[str, Run]) -> dict[str, Run]:
    """Return the runs by which rows stand: until a catch-up is at its end, they stand as they did before it."""
    standing = dict(runs)
    for entity, run in runs.items():
        if run.is_catch_up and not RunState(run.state).was_accounted:
            accounted = [state.value for state in RunState if state.is_accounted]
            before = Run.objects.filter(tenant_id=run.tenant_id, entity=entity, state__in=accounted)
            standing[entity] = before.order_by("-requested_at", "-id").first() or run
    return standing


def of_entity(*, tenant_id: UUID, entity: str) -> EntityRow | None:
    """Return one entity with its latest run; None where the mapping does not know it."""
    return next((row for row in moves(tenant_id=tenant_id).rows if row.spec.entity == entity), None)


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


def find(*, tenant_id: UUID, run_id: UUID) -> Run | None:
    """Return a run of the tenant."""
    return Run.objects.filter(tenant_id=tenant_id, pk=run_id).first()


type _Group = tuple[str, str, int, str, datetime]


def _rejects(letters: QuerySet[DeadLetter]) -> dict[str, list[_Group]]:
    found: dict[str, list[_Group]] = defaultdict(list)
    grouped = letters.filter(state__in=UNRESOLVED).values("entity", "rule", "column")
    counted = grouped.annotate(count=Count("id"), example=Min("source_key"), newest=Max("first_at"))
    for row in counted.order_by("-count", "rule", "column"):
        found[row["entity"]].append((row["rule"], row["column"], row["count"], row["example"], row["newest"]))
    return found


def _named(spec: Spec, group: _Group) -> Rejects:
    rule, column, count, example, newest = group
    words = wording.of(spec, fate=Fate.QUARANTINED, rule=rule, column=column)
    return Rejects(rule, column, count, example if spec.source_columns.get(spec.key_column) else "", words, newest)


def _outcome(spec: Spec, total: OutcomeTotal) -> Outcome:
    return Outcome(total.fate, total.rule, total.count, wording.of(spec, fate=total.fate, rule=total.rule))


def _rank(total: OutcomeTotal) -> tuple[int, int]:
    return list(Fate).index(Fate(total.fate)), -total.count
