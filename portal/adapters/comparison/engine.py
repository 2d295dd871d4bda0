"""The comparison engine: a typed full join in DuckDB of what the mapping promises and what the new platform holds."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from backfills.domain import source
from backfills.domain.spec import Column, Spec
from core import tenancy
from core.comparison import Difference, Findings, Measures, Plan, Segment, Survey
from core.ports import Rejected
from portal.adapters.comparison import duck, pushdown
from portal.adapters.comparison.duck import Session, name, text
from portal.adapters.comparison.pushdown import NotPushable
from portal.adapters.comparison.reading import Reading, keeps_key

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DuckComparison:
    """Compares entities of two PostgreSQL platforms.

    `settle` are the seconds after which differing records are read again before they are reported: what was in
    flight on a live platform has arrived by then.
    """

    legacy: str = field(repr=False)
    new: str = field(repr=False)
    memory_limit: str = "600MB"
    threads: int = 2
    settle: float = 1.0
    sleep: Callable[[float], None] = time.sleep

    def divide(self, plan: Plan, *, size: int) -> tuple[Segment, ...]:
        """Divide an entity into segments of about `size` records; at least one.

        By ranges of the native key where the mapping takes the key over as it is, otherwise by a digest of the
        record's key, which each segment computes on all of the entity's rows.
        """
        spec: Spec = plan.spec
        with self._session() as session:
            rows = source.of_tenant(spec, plan.legacy_tenant)
            count = int(session.ask("legacy", f"SELECT count(*) AS n {rows}")[0][0])
            if count <= size:
                return (Segment(),)
            if not keeps_key(session, spec):
                buckets = -(-count // size)
                return tuple(Segment(bucket=number, of=buckets) for number in range(buckets))
            numbered = f"SELECT {source.key(spec)} AS k, row_number() OVER (ORDER BY {source.order(spec)}) AS n {rows}"
            bounds = session.ask("legacy", f"SELECT k FROM ({numbered}) AS r WHERE n % {size} = 0 ORDER BY n")
            edges = [None, *(str(row[0]) for row in bounds), None]
            return tuple(Segment(after, upto) for after, upto in pairwise(edges))

    def compare(self, plan: Plan, *, segment: Segment, report: Callable[[Difference], None]) -> Findings:
        """Compare one segment; every difference that stands a second reading goes to `report`, one by one."""
        with self._session() as session:
            reading = Reading(session, plan, segment)
            findings = reading.first()
            if reading.suspects:
                self.sleep(self.settle)
                session.renew()
                for difference in reading.again():
                    report(difference)
            return findings

    def survey(self, plan: Plan) -> Survey:
        """Say how much there is to compare, without reading it, and why a re-check would have to read it all."""
        with pushdown.opened(plan, legacy=self.legacy, new=self.new) as pushed:
            return pushed.survey()

    def recheck(self, plan: Plan, *, report: Callable[[Difference], None]) -> Findings:
        """Compare a whole entity by digests that the platforms compute themselves, and in full what differs by them.

        Where that is not possible or not worth while, everything is compared value by value (`Findings.exact`).
        """
        try:
            with pushdown.opened(plan, legacy=self.legacy, new=self.new) as pushed:
                suspects = pushed.suspects()
        except (NotPushable, Rejected) as refusal:
            # Whatever keeps a server from digesting, the typed comparison decides whether anything is wrong.
            log.info("parity.recheck_in_full entity=%s: %s", plan.entity, refusal)
            return self.compare(plan, segment=Segment(), report=report)
        if suspects.found:
            self.sleep(self.settle)
            with self._session() as session:
                reading = Reading(session, plan, Segment())
                reading.suspect(suspects.found)
                for difference in reading.again():
                    report(difference)
        return suspects.findings

    def measure(self, plan: Plan) -> Measures:
        """Count on the platforms' own servers what the comparison must agree with."""
        spec: Spec = plan.spec
        with self._session() as session:
            legacy = source.of_tenant(spec, plan.legacy_tenant)
            new = f"FROM {name(spec.target_table)} WHERE {name(spec.target_tenant)} = {text(plan.new_tenant)}"
            key = name(spec.target_key)
            repeated = f"SELECT count(*) AS n FROM (SELECT {key} {new} GROUP BY {key} HAVING count(*) > 1) AS r"
            return Measures(
                legacy_rows=_number(session.ask("legacy", f"SELECT count(*) AS n {legacy}")),
                new_rows=_number(session.ask("new", f"SELECT count(*) AS n {new}")),
                repeated=_number(session.ask("new", repeated)),
                orphans={
                    column.name: _number(session.ask("new", _orphans(plan, column)))
                    for column in spec.columns
                    if column.references
                },
            )

    @contextmanager
    def _session(self) -> Iterator[Session]:
        tenancy.forbid_transaction()
        platforms = {"legacy": self.legacy, "new": self.new}
        with duck.session(platforms, memory_limit=self.memory_limit, threads=self.threads) as session:
            yield session


def _number(rows: list[tuple[int]]) -> int:
    return int(rows[0][0])


def _orphans(plan: Plan, column: Column) -> str:
    """Return the query that counts the records whose reference points to nothing on the new platform."""
    spec: Spec = plan.spec
    other: Spec = plan.others[spec.lookups[column.references].entity]
    return (
        f"SELECT count(*) AS n FROM {name(spec.target_table)} AS one WHERE one.{name(spec.target_tenant)} = "
        f"{text(plan.new_tenant)} AND one.{name(column.name)} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
        f"{name(other.target_table)} AS other WHERE other.{name(other.target_tenant)} = one.{name(spec.target_tenant)} "
        f"AND other.{name(other.target_key)} = one.{name(column.name)})"
    )
