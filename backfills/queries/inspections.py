"""What an inspection foretells: per entity how its rows would end, and what is to be put right, by fix."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from backfills.domain import wording
from backfills.domain.judgement import Fate
from backfills.domain.runs import are_too_many
from backfills.domain.spec import Spec
from backfills.domain.wording import Words
from backfills.models import InspectedEntity, InspectedFault, Inspection
from backfills.queries import mapping
from backfills.queries.runs import Outcome
from core import queue
from core.queue import JobView

INSPECT = "backfills.tasks.inspect"
"""The task that carries an inspection out; a job's key is the inspection's id."""
RUN_TAKES = 2.5
"""How much longer a run takes than reading and judging alone: it writes objects, outcomes and provenance too."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows of one entity with one fault."""

    spec: Spec
    rule: str
    column: str
    count: int
    examples: list[tuple[str, str | None]]
    words: Words

    @property
    def shown(self) -> list[tuple[str, str | None]]:
        """Examples of which something is public: the row's key, or the value."""
        return [(key, value) for key, value in self.examples if key or value is not None]


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing to put right, and the rows it is for."""

    fix: str
    faults: list[Fault]

    @property
    def count(self) -> int:
        """How many rows, counted per kind of fault."""
        return sum(fault.count for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Foretold:
    """An entity and how its rows would end; nothing is known of one that was not read yet."""

    spec: Spec
    seen: InspectedEntity | None = None
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_current(self) -> bool:
        """Whether it was judged by the mapping of now."""
        return self.seen is not None and self.seen.spec == self.spec.label

    @property
    def moves(self) -> int:
        """Rows that would have an object on the new platform, or be part of one."""
        return self._of(Fate.MIGRATED, Fate.TRANSFORMED, Fate.MERGED)

    @property
    def dropped(self) -> int:
        """Rows that a rule would leave behind."""
        return self._of(Fate.DROPPED)

    @property
    def outcomes(self) -> list[Outcome]:
        """How its rows would end, by rule."""
        rows = self.seen.outcomes if self.seen else []
        ranked = sorted(rows, key=lambda row: (list(Fate).index(Fate(row[0])), -row[2]))
        return [Outcome(fate, rule, count, wording.of(self.spec, fate=fate, rule=rule)) for fate, rule, count in ranked]

    @property
    def is_over_limit(self) -> bool:
        """Whether a run would stop the line: more rejected rows than the mapping allows."""
        limit = self.spec.stop_above_percent
        seen = self.seen
        return seen is not None and are_too_many(seen.rejected, rows=seen.rows, stop_above_percent=limit)

    @property
    def takes(self) -> timedelta:
        """About how long a run would take."""
        return timedelta(seconds=self.seen.seconds * RUN_TAKES) if self.seen else timedelta(0)

    @property
    def takes_about(self) -> str:
        """The same in words."""
        return _about(self.takes)

    def _of(self, *fates: Fate) -> int:
        return sum(count for fate, _, count in self.seen.outcomes if fate in fates) if self.seen else 0


@dataclass(frozen=True, slots=True)
class Found:
    """An inspection, entity by entity; none yet, where nobody has asked for one."""

    inspection: Inspection | None
    rows: list[Foretold]
    job: JobView | None = None

    @property
    def is_running(self) -> bool:
        """Whether something reads, or waits to read, by itself."""
        return self._is_open and self.job is not None and not self.job.is_over

    @property
    def is_stuck(self) -> bool:
        """Whether it is unfinished and nothing works on it any more."""
        return self._is_open and not self.is_running

    @property
    def trouble(self) -> str:
        """What went wrong at the last attempt, while it is unfinished; fit for the customer."""
        return self.job.problem if self._is_open and self.job else ""

    @property
    def _is_open(self) -> bool:
        return self.inspection is not None and self.inspection.state == Inspection.State.RUNNING

    @property
    def is_done(self) -> bool:
        """Whether it came to its end."""
        return self.inspection is not None and self.inspection.state == Inspection.State.DONE

    @property
    def is_current(self) -> bool:
        """Whether every entity of the mapping was judged by the mapping of now."""
        return self.is_done and all(row.is_current for row in self.rows)

    @property
    def total(self) -> int:
        """Rows that were read."""
        return sum(row.seen.rows for row in self.rows if row.seen)

    @property
    def size(self) -> int:
        """Bytes that were read."""
        return sum(row.seen.size for row in self.rows if row.seen)

    @property
    def rejected(self) -> int:
        """Rows that would be rejected."""
        return sum(row.seen.rejected for row in self.rows if row.seen)

    @property
    def takes(self) -> timedelta:
        """About how long all runs would take, one after the other."""
        return sum((row.takes for row in self.rows), timedelta(0))

    @property
    def takes_about(self) -> str:
        """The same in words."""
        return _about(self.takes)

    @property
    def over_limit(self) -> list[Foretold]:
        """Entities of which a run would be stopped."""
        return [row for row in self.rows if row.is_over_limit]

    @property
    def repairs(self) -> list[Repair]:
        """What is to be put right, what helps most first."""
        by_fix: dict[str, list[Fault]] = defaultdict(list)
        for row in self.rows:
            for fault in row.faults:
                by_fix[fault.words.fix].append(fault)
        return sorted((Repair(fix, found) for fix, found in by_fix.items()), key=lambda one: (-one.count, one.fix))

    @property
    def removes(self) -> int:
        """Objects of the new platform that the move would remove, as far as it can be told."""
        return sum(row.seen.gone or 0 for row in self.rows if row.seen)

    @property
    def news(self) -> str:
        """One sentence for the live region, once it has ended."""
        return f"{self.total:,} rows checked, {self.rejected:,} would be rejected" if self.is_done else ""


def history(*, tenant_id: UUID) -> QuerySet[Inspection]:
    """Return every inspection of a tenant."""
    return Inspection.objects.filter(tenant_id=tenant_id)


def latest(*, tenant_id: UUID) -> Found:
    """Return the latest inspection with every entity of the mapping, in the order in which they move; four queries."""
    inspection = history(tenant_id=tenant_id).first()
    return of(inspection) if inspection else Found(None, [Foretold(spec) for spec in mapping.specs().values()])


def of(inspection: Inspection) -> Found:
    """Return an inspection likewise; three queries. Of an earlier one nothing is kept once a later one is done."""
    seen = {one.entity: one for one in InspectedEntity.objects.filter(inspection=inspection)}
    faults: dict[UUID, list[InspectedFault]] = defaultdict(list)
    for fault in InspectedFault.objects.filter(inspected__inspection=inspection).order_by("-count", "rule", "column"):
        faults[fault.inspected_id].append(fault)
    rows = []
    for spec in mapping.specs().values():
        one = seen.get(spec.entity)
        rows.append(Foretold(spec, one, [_told(spec, fault) for fault in faults[one.pk]] if one else []))
    job = next(iter(queue.jobs(inspection.tenant_id, task=INSPECT, key=str(inspection.pk), limit=1)), None)
    return Found(inspection, rows, job)


def figures(inspection: Inspection) -> dict[str, int]:
    """Return what the ledger keeps of an inspection: how many rows, and how many would be rejected."""
    found = InspectedEntity.objects.filter(inspection=inspection).aggregate(
        entities=Count("id"), rows=Sum("rows", default=0), rejected=Sum("rejected", default=0)
    )
    return {name: int(number) for name, number in found.items()}


def _about(length: timedelta) -> str:
    """Say how long something takes, rounded up to what an estimate is worth."""
    minutes = -(-int(length.total_seconds()) // 60)
    if minutes <= 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} minutes"
    hours = -(-minutes // 30) / 2
    return f"about {hours:g} hour{'' if hours == 1 else 's'}"


def _told(spec: Spec, fault: InspectedFault) -> Fault:
    words = wording.of(spec, fate=Fate.QUARANTINED, rule=fault.rule, column=fault.column)
    examples = [(key, value) for key, value in fault.examples]
    return Fault(spec, fault.rule, fault.column, fault.count, examples, words)
