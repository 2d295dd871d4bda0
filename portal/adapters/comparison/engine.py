"""The comparison engine: a typed full join in DuckDB of what the mapping promises and what the new platform holds."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

from backfills.domain.spec import Column, Spec
from core import tenancy
from core.comparison import Difference, Findings, Measures, Plan, Segment, Survey
from core.ports import Rejected
from portal.adapters.comparison import duck, pushdown
from portal.adapters.comparison.duck import Session
from portal.adapters.comparison.platforms import Rows, Sources
from portal.adapters.comparison.pushdown import NotPushable
from portal.adapters.comparison.reading import Reading, keeps_key
from portal.adapters.postgres import is_postgres

log = logging.getLogger(__name__)

_ROW_BYTES = 200
"""How long a record is taken to be where no planner can be asked."""


@dataclass(frozen=True, slots=True)
class DuckComparison:
    """Compares entities of two platforms, each given by its address (`platforms` lists what can be read).

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
            legacy, sources = session.platform("legacy"), Sources(spec, plan.legacy_tenant)
            count = legacy.count_sources(session, sources)
            if count <= size:
                return (Segment(),)
            if not keeps_key(session, spec):
                buckets = -(-count // size)
                return tuple(Segment(bucket=number, of=buckets) for number in range(buckets))
            edges = [None, *legacy.bounds(session, sources, size=size), None]
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
                return replace(findings, reckoned=reading.reckoned)
            return findings

    def survey(self, plan: Plan) -> Survey:
        """Say how much there is to compare, without reading it, and why a re-check would have to read it all."""
        if self._is_in_postgres:
            with pushdown.opened(plan, legacy=self.legacy, new=self.new) as pushed:
                return pushed.survey()
        with self._session() as session:
            legacy = session.platform("legacy").count_sources(session, Sources(plan.spec, plan.legacy_tenant))
            new = session.platform("new").count(session, _new_rows(plan, plan.spec))
        obstacle = "one of the platforms is no PostgreSQL"
        return Survey(legacy, legacy * _ROW_BYTES, new, new * _ROW_BYTES, obstacle=obstacle)

    def recheck(self, plan: Plan, *, report: Callable[[Difference], None]) -> Findings:
        """Compare a whole entity by digests that the platforms compute themselves, and in full what differs by them.

        Where that is not possible or not worth while, everything is compared value by value (`Findings.exact`).
        """
        if not self._is_in_postgres:
            return self.compare(plan, segment=Segment(), report=report)
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
        """Count on the platforms' own servers, or in their files again, what the comparison must agree with."""
        spec: Spec = plan.spec
        with self._session() as session:
            new, rows = session.platform("new"), _new_rows(plan, spec)
            return Measures(
                legacy_rows=session.platform("legacy").count_sources(session, Sources(spec, plan.legacy_tenant)),
                new_rows=new.count(session, rows),
                repeated=new.repeated(session, rows, spec.target_key),
                orphans={column.name: _orphans(session, plan, column) for column in spec.columns if column.references},
            )

    @property
    def _is_in_postgres(self) -> bool:
        """Whether both platforms have servers that digest."""
        return is_postgres(self.legacy) and is_postgres(self.new)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        tenancy.forbid_transaction()
        platforms = {"legacy": self.legacy, "new": self.new}
        with duck.session(platforms, memory_limit=self.memory_limit, threads=self.threads) as session:
            yield session


def _new_rows(plan: Plan, spec: Spec) -> Rows:
    return Rows(spec.target_table, spec.target_tenant, plan.new_tenant)


def _orphans(session: Session, plan: Plan, column: Column) -> int:
    """Count the records whose reference points to nothing on the new platform."""
    spec: Spec = plan.spec
    other: Spec = plan.others[spec.lookups[column.references].entity]
    new, of = session.platform("new"), _new_rows(plan, other)
    return new.orphans(session, _new_rows(plan, spec), column.name, of=of, key=other.target_key)
