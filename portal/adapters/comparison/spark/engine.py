"""The comparison engine on a Spark cluster: both platforms read in parts, joined by buckets of their keys."""

import dataclasses
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

from backfills.domain.spec import Spec
from core import tenancy
from core.comparison import Difference, Findings, Looked, Measures, Plan, Reckoned, Segment, Survey
from core.ports import Unavailable
from parity_reports.domain import invariants
from portal.adapters.comparison import duck, expectation
from portal.adapters.comparison.duck import Session
from portal.adapters.comparison.engine import DuckComparison
from portal.adapters.comparison.judging import together
from portal.adapters.comparison.platforms import Rows, Sources
from portal.adapters.comparison.reading import PUSHED_KEYS, Reading, keeps_key
from portal.adapters.comparison.spark import cluster, parcels, tasks
from portal.adapters.comparison.spark.cluster import Cluster
from portal.adapters.comparison.spark.parcels import Parcel, Unpacking
from portal.adapters.comparison.spark.tasks import Heard, Judged, Order, Part, Trouble
from portal.adapters.postgres import is_postgres

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SparkComparison:
    """Compares entities of two platforms as `DuckComparison` does, with the work spread over a cluster.

    `cluster` is its address (`cluster.Address`). `memory_limit` is what one task may take, outside of Java;
    `records` are those of one task. Every machine has this release in the same place and reaches both platforms.
    """

    legacy: str = field(repr=False)
    new: str = field(repr=False)
    cluster: str
    memory_limit: str = "600MB"
    records: int = 500_000
    settle: float = 1.0
    sleep: Callable[[float], None] = time.sleep

    def divide(self, plan: Plan, *, size: int) -> tuple[Segment, ...]:
        """Leave an entity whole: its parts are the cluster's."""
        return (Segment(),)

    def compare(self, plan: Plan, *, segment: Segment, report: Callable[[Difference], None]) -> Findings:
        """Compare an entity; every difference that stands a second reading goes to `report`, one by one."""
        if segment != Segment():
            return self._alone.compare(plan, segment=segment, report=report)
        tenancy.forbid_transaction()
        with (
            tempfile.TemporaryDirectory(prefix="crossing-exchange-") as exchange,
            duck.session(self.addresses, memory_limit=self.memory_limit, threads=2, exchange=exchange) as session,
            cluster.opened(self.cluster) as machines,
        ):
            comparing = _Comparing(self, plan, session, Path(exchange), machines)
            findings = comparing.first()
            if comparing.suspects:
                self.sleep(self.settle)
                for difference in comparing.again():
                    report(difference)
                return dataclasses.replace(findings, reckoned=comparing.reckoned)
            return findings

    def survey(self, plan: Plan) -> Survey:
        """Say how much there is to compare."""
        return self._alone.survey(plan)

    def look(self, plan: Plan, *, mark: str, report: Callable[[Difference], None]) -> Looked:
        """Tell what differs now, reading what was written since, which is little."""
        return self._alone.look(plan, mark=mark, report=report)

    def recheck(self, plan: Plan, *, report: Callable[[Difference], None]) -> Findings:
        """Compare at least cost, which is the databases' own work."""
        return self._alone.recheck(plan, report=report)

    def measure(self, plan: Plan) -> Measures:
        """Count on the platforms' own servers."""
        return self._alone.measure(plan)

    @property
    def addresses(self) -> Mapping[str, str]:
        """The platforms by name."""
        return {"legacy": self.legacy, "new": self.new}

    @property
    def _alone(self) -> DuckComparison:
        return DuckComparison(self.legacy, self.new, self.memory_limit, settle=self.settle, sleep=self.sleep)


class _Comparing:
    """One entity on its way through the cluster. The session is this process's own, for what it asks and looks up."""

    def __init__(self, how: SparkComparison, plan: Plan, session: Session, exchange: Path, machines: Cluster) -> None:
        self._how, self._plan, self._session, self._exchange, self._machines = how, plan, session, exchange, machines
        self._reading = Reading(session, plan, Segment())
        self._spec: Spec = plan.spec
        self._buckets = 0
        self._parcels: dict[int, Parcel] = {}
        self._settled: dict[str, tuple[Reckoned, Reckoned]] = {}
        self.suspects = 0
        """Records that differed in the first reading."""
        self.reckoned: dict[str, tuple[Reckoned, Reckoned]] = {}
        """After a second reading, what both sides say to declared invariants."""

    def first(self) -> Findings:
        """Read everything and return the counts of all buckets together."""
        parts, order = self._ordered()
        found = Findings(0, 0, 0)
        for said in self._run(order, parts):
            assert isinstance(said, Judged)  # every other answer is the second reading's
            found, self.suspects = _added(found, said.findings), self.suspects + said.differing
            self._settled = together(self._settled, said.settled)
            if said.differing:
                self._parcels[said.bucket] = said.suspects
        return found

    def again(self) -> Iterator[Difference]:
        """Read the differing records once more and yield those that still differ.

        Where the platforms can be asked for these alone, this process does that; otherwise everything is read again.
        """
        self._session.renew()
        if self.suspects <= PUSHED_KEYS:
            unpacking = Unpacking(self._exchange)
            for parcel in self._parcels.values():
                unpacking.take(parcel)
            unpacking.relations(self._session)
            if self._reading.pushed() is not None:
                yield from self._reading.again(self._settled)
                self.reckoned = self._reading.judging.reckoned
                return
        parts, order = self._ordered()
        wanted = dataclasses.replace(order, wanted=frozenset(self._parcels))
        self.reckoned = self._settled
        for said in self._run(wanted, parts, beside=list(self._parcels.items())):
            assert isinstance(said, Difference)
            yield said

    def _run(
        self, order: Order, parts: list[Part], *, beside: list[tuple[int, Parcel]] | None = None
    ) -> Iterator[Judged | Difference]:
        read, judge, heard = partial(tasks.read, order), partial(tasks.judge, order), []
        for said in self._machines.run(parts, read, judge, buckets=order.buckets, beside=beside or []):
            if isinstance(said, Trouble):
                raise said.error()
            if isinstance(said, Heard):
                heard.append(said)
                self.reckoned = together(self.reckoned, said.reckoned)
            else:
                yield said
        _demand_all(heard, parts=len(parts), buckets=order.wanted or range(order.buckets))

    def _ordered(self) -> tuple[list[Part], Order]:
        """Divide the work and make what every task looks things up in, out of one snapshot of each platform."""
        session, plan, how, spec = self._session, self._plan, self._how, self._spec
        sources = Sources(spec, plan.legacy_tenant)
        legacy, new = session.platform("legacy"), session.platform("new")
        held = new.count(session, Rows(spec.target_table, spec.target_tenant, plan.new_tenant))
        count = legacy.count_sources(session, sources)
        ranges: list[tuple[str | None, str | None]] = [(None, None)]
        if count > how.records and (not spec.key_is_made or is_postgres(how.legacy)):
            size = how.records
            if not is_postgres(how.legacy):  # each part reads the whole file
                size = max(size, -(-count // self._machines.slots))
            ranges = list(pairwise([None, *legacy.bounds(session, sources, size=size), None]))
        parts = [Part("legacy", *one, first=not number) for number, one in enumerate(ranges)]
        if keeps_key(session, spec):
            parts += [Part("new", *one, first=not number) for number, one in enumerate(ranges)]
        else:
            parts.append(Part("new", first=True))
        # The second reading looks for suspects where the first one found them, however many records there are by then.
        self._buckets = self._buckets or max(1, -(-max(count, held) // how.records))
        order = Order(
            plan=plan,
            gate=self._reading.gate,
            addresses=how.addresses,
            release=tasks.release(),
            buckets=self._buckets,
            by_number=self._reading.judging.by_number,
            shared=tuple(self._shared()),
            memory_limit=how.memory_limit,
        )
        session.renew()  # nobody's transaction stays open while the cluster works
        return parts, order

    def _shared(self) -> Iterator[Parcel]:
        session, plan, reckoning = self._session, self._plan, self._reading.judging.reckoning
        for entity in {one.entity for one in self._spec.lookups.values()}:
            expectation.promised(session, spec=plan.others[entity], others=plan.others, tenant=plan.legacy_tenant)
            yield parcels.packed(session, expectation.lookup_relation(entity), self._exchange)
        reckoning.promise(session)
        reckoning.hold(session)
        for relation in reckoning.relations():
            yield parcels.packed(session, relation, self._exchange)


def _demand_all(heard: list[Heard], *, parts: int, buckets: Collection[int]) -> None:
    """Raise Unavailable unless every part was read, every bucket judged once, and every record sent has arrived."""
    done = [part for one in heard for part in one.done]
    judged = [one for one in heard if one.arrived]
    sent, arrived = Counter[str](), Counter[str]()
    for part in done:
        sent[part.relation] += part.records
    for one in judged:
        arrived.update(one.arrived)
    if len(done) != parts or sorted(one.bucket for one in judged) != sorted(buckets) or sent != arrived:
        logger.error("comparison cluster: %s sent, %s arrived, %s of %s parts", sent, arrived, len(done), parts)
        raise Unavailable(tasks.LOST)


def _added(one: Findings, two: Findings) -> Findings:
    """Return what two buckets say together, exactly."""
    return Findings(
        one.expected + two.expected,
        one.actual + two.actual,
        one.compared + two.compared,
        dict(Counter(one.dropped) + Counter(two.dropped)),
        invariants.added(one.sums, two.sums),
        together(one.reckoned, two.reckoned),
        on_hold=one.on_hold + two.on_hold,
    )
