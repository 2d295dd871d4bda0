"""An entity read in full, or by some of its keys, and judged value by value in one DuckDB session."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

from backfills.domain.spec import Column, Spec
from core.comparison import Difference, Findings, Measures, Plan, Segment
from portal.adapters.comparison import duck
from portal.adapters.comparison.duck import Session
from portal.adapters.comparison.platforms import Rows, Sources
from portal.adapters.comparison.reading import Reading, keeps_key

type Report = Callable[[Difference], None]


class Full:
    """One entity in one session. Use `opened`."""

    def __init__(self, plan: Plan, session: Session) -> None:
        self._plan, self._session = plan, session
        self._spec: Spec = plan.spec

    def divide(self, *, size: int) -> tuple[Segment, ...]:
        """Divide the entity into segments of about `size` records."""
        spec, session = self._spec, self._session
        legacy, sources = session.platform("legacy"), Sources(spec, self._plan.legacy_tenant)
        count = legacy.count_sources(session, sources)
        if count <= size:
            return (Segment(),)
        if not keeps_key(session, spec):
            buckets = -(-count // size)
            return tuple(Segment(bucket=number, of=buckets) for number in range(buckets))
        edges = [None, *legacy.bounds(session, sources, size=size), None]
        return tuple(Segment(after, upto) for after, upto in pairwise(edges))

    def compare(self, segment: Segment, *, report: Report, wait: Callable[[], None]) -> Findings:
        """Compare a segment; what differs is read again after `wait`, and reported if it still does."""
        reading = Reading(self._session, self._plan, segment)
        findings = reading.first()
        if reading.judging.suspects:
            wait()
            self._session.renew()
            for difference in reading.again():
                report(difference)
            return replace(findings, reckoned=reading.judging.reckoned)
        return findings

    def judge(self, found: Iterable[tuple[str, str | None]], *, report: Report) -> None:
        """Report which records, given by key and legacy key, differ now."""
        reading = Reading(self._session, self._plan, Segment())
        reading.judging.suspect(found)
        for difference in reading.again():
            report(difference)

    def counted(self) -> tuple[int, int]:
        """Count the rows of legacy and of the new platform."""
        sources = Sources(self._spec, self._plan.legacy_tenant)
        legacy = self._session.platform("legacy").count_sources(self._session, sources)
        return legacy, self._session.platform("new").count(self._session, self._rows(self._spec))

    def measure(self) -> Measures:
        """Count on the platforms' own servers, or in their files again, what the comparison must agree with."""
        spec, new = self._spec, self._session.platform("new")
        legacy_rows, new_rows = self.counted()
        return Measures(
            legacy_rows=legacy_rows,
            new_rows=new_rows,
            repeated=new.repeated(self._session, self._rows(spec), spec.target_key),
            orphans={column.name: self._orphans(column) for column in spec.columns if column.references},
        )

    def _rows(self, spec: Spec) -> Rows:
        return Rows(spec.target_table, spec.target_tenant, self._plan.new_tenant)

    def _orphans(self, column: Column) -> int:
        """Count the records whose reference points to nothing on the new platform."""
        other: Spec = self._plan.others[self._spec.lookups[column.references].entity]
        new, rows = self._session.platform("new"), self._rows(self._spec)
        return new.orphans(self._session, rows, column.name, of=self._rows(other), key=other.target_key)


@contextmanager
def opened(plan: Plan, *, legacy: str, new: str, memory_limit: str, threads: int) -> Iterator[Full]:
    """Open a session over both platforms; see `duck.session`."""
    with duck.session({"legacy": legacy, "new": new}, memory_limit=memory_limit, threads=threads) as session:
        yield Full(plan, session)
