"""What has moved: every entity of a tenant, in the order in which they move."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet

from backfills.domain import wording
from backfills.domain.judgement import Fate
from backfills.domain.runs import RunState
from backfills.domain.spec import Spec
from backfills.domain.wording import Words
from backfills.models import UNRESOLVED, DeadLetter, OutcomeTotal, Retry, Run
from backfills.queries import mapping
from backfills.queries.runs.entities import EntityRow, Outcome, Rejects
from backfills.queries.runs.listed import ADVANCE, KEEP_UP, latest
from core import queue


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
    def legacy_rows(self) -> int:
        """Source rows of all entities, each once where a row of one table becomes several objects."""
        tables: dict[str, int] = {}
        for row in self.rows:
            tables[row.spec.source_table] = max(row.total, tables.get(row.spec.source_table, 0))
        return sum(tables.values())

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


def moves(*, tenant_id: UUID) -> Moves:
    """Return every entity of the mapping with its latest run, in the order in which they move.

    Five queries, and one for each entity that is being caught up.
    """
    runs = latest(tenant_id=tenant_id)
    standing = _standing(runs)
    totals: dict[UUID, list[OutcomeTotal]] = defaultdict(list)
    for total in OutcomeTotal.objects.filter(run__in=standing.values()):
        totals[total.run_id].append(total)
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
                outcomes(spec, totals[stands.pk]) if stands else [],
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
    return Rejects(rule, column, count, example if spec.has_public_key else "", words, newest)


def outcomes(spec: Spec | None, totals: Iterable[OutcomeTotal]) -> list[Outcome]:
    """Return how rows ended by fate, most first; without words where no mapping can say them."""
    return [
        Outcome(
            total.fate,
            total.rule,
            total.count,
            wording.of(spec, fate=total.fate, rule=total.rule) if spec else Words("", ""),
        )
        for total in sorted(totals, key=_rank)
    ]


def _rank(total: OutcomeTotal) -> tuple[int, int, str]:
    return list(Fate).index(Fate(total.fate)), -total.count, total.rule
