"""What the machines of a cluster do: some read a part of a platform each, others judge the records of a bucket each.

Both are the comparison's own engine over its own SQL. What they yield travels through the cluster as bytes, so no
value is ever one of the cluster's; what goes wrong travels as an answer, in words without values.
"""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from backfills.domain.spec import Spec
from core.comparison import Difference, Findings, Plan, Reckoned
from core.ports import Rejected, Unavailable
from parity_reports.domain.gate import Passage
from portal.adapters.comparison import duck, expectation, reading
from portal.adapters.comparison.duck import Session, name
from portal.adapters.comparison.judging import Judging
from portal.adapters.comparison.platforms import Keys, Sources
from portal.adapters.comparison.promising import KEY
from portal.adapters.comparison.spark import parcels
from portal.adapters.comparison.spark.parcels import Parcel, Unpacking

RELEASE = Path(__file__).parents[4]
"""Where this release of Crossing is; on every machine of the cluster the same place."""

LOST = "The cluster lost records on their way, so not everything was compared."
_MEANING = ("backfills/domain", "core", "parity_reports/domain", "portal/adapters/comparison")
"""Folders whose code says what a record is worth and when two differ."""


@cache
def release() -> str:
    """Return what tells this release and its engine from every other: two of them must not judge one comparison."""
    told = hashlib.sha256(f"{duckdb.__version__} {sys.version_info[:2]}".encode())
    for folder in _MEANING:
        for file in sorted((RELEASE / folder).rglob("*.py")):
            told.update(file.read_bytes())
    return told.hexdigest()


@dataclass(frozen=True, slots=True)
class Order:
    """What every task of one comparison knows.

    `shared` are the relations that records are looked up in, whole: they are few or narrow, and every task needs them.
    """

    plan: Plan
    gate: Mapping[str, Passage]
    addresses: Mapping[str, str] = field(repr=False)
    release: str
    buckets: int
    by_number: bool
    shared: tuple[Parcel, ...]
    memory_limit: str
    wanted: frozenset[int] | None = None
    """In the second reading, the buckets in which something differed."""

    def wants(self, bucket: int) -> bool:
        """Tell whether a bucket is judged at all."""
        return self.wanted is None or bucket in self.wanted


@dataclass(frozen=True, slots=True)
class Part:
    """A range of one platform's native keys; the `first` of a platform also tells what its records look like."""

    platform: str
    after: str | None = None
    upto: str | None = None
    first: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """A part was wholly read: how many of its records were sent on, and what the mapping left behind, by rule."""

    relation: str
    records: int
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be read, in the port's words."""

    text: str
    is_final: bool

    def error(self) -> Rejected | Unavailable:
        """Return it as what the port raises."""
        return (Rejected if self.is_final else Unavailable)(self.text)


@dataclass(frozen=True, slots=True)
class Judged:
    """A bucket's counts in the first reading, the records that differ in it, and what the others say to invariants."""

    bucket: int
    findings: Findings
    differing: int
    suspects: Parcel
    settled: Mapping[str, tuple[Reckoned, Reckoned]]


@dataclass(frozen=True, slots=True)
class Heard:
    """The last word of a bucket: how many records came in, by relation, and which parts are done.

    One that is not wanted may have heard of parts all the same; nothing arrived there, not even no records. After a
    second reading, `reckoned` is what the suspects say to declared invariants.
    """

    bucket: int
    arrived: Mapping[str, int]
    done: tuple[Done, ...]
    reckoned: Mapping[str, tuple[Reckoned, Reckoned]] = field(default_factory=dict)


type Item = Parcel | Done | Trouble
type Said = Judged | Difference | Heard | Trouble


def read(order: Order, part: Part) -> Iterator[tuple[int, Item]]:
    """Yield the records of a part by bucket, each side under the name of its relation."""
    try:
        addresses = {part.platform: order.addresses[part.platform]}
        with _session(order, addresses) as (session, exchange):
            if part.platform == "legacy":
                relation, dropped = "expected", _promise(session, order, part)
            else:
                relation, dropped = "actual", _hold(session, order, part)
            if part.first:
                told = Parcel(relation, parcels.shape(session, relation))
                yield from ((number, told) for number in range(order.buckets) if order.wants(number))
            wanted = "" if order.wanted is None else f" WHERE {_bucket(order)} IN ({', '.join(map(str, order.wanted))})"
            ((records,),) = session.rows(f"SELECT count(*) FROM {relation}{wanted}")
            for number, parcel in parcels.divided(session, relation, exchange, bucket=_bucket(order)):
                if order.wants(number):
                    yield number, parcel
        # Only now it is known that no file changed while it was read.
        yield 0, Done(relation, records, dropped)
    except (Rejected, Unavailable) as problem:
        yield 0, Trouble(str(problem), isinstance(problem, Rejected))


def judge(order: Order, bucket: int, items: Iterable[tuple[int, Item]]) -> Iterator[Said]:
    """Judge a bucket's records: yield its counts or, in the second reading, the differences of its suspects.

    The last word is what came in.
    """
    try:
        with _session(order, {}) as (session, exchange):
            unpacking, done = Unpacking(exchange), []
            for _, item in items:
                if isinstance(item, Trouble):
                    yield item
                    return
                if isinstance(item, Done):
                    done.append(item)
                else:
                    unpacking.take(item)
            if not order.wants(bucket):
                yield Heard(bucket, {}, tuple(done))
                return
            relations = unpacking.relations(session)
            if not {"expected", "actual"} <= relations:
                yield Trouble(LOST, is_final=False)
                return
            arrived = {one: session.rows(f"SELECT count(*) FROM {one}")[0][0] for one in ("expected", "actual")}
            merged = expectation.complete(
                session,
                order.plan.spec,
                relation="expected",
                keep=f"{_bucket(order)} = {bucket}",
                by_number=order.by_number,
            )
            judging = Judging(session, order.plan, order.gate)
            judging.settle()
            reckoned: Mapping[str, tuple[Reckoned, Reckoned]] = {}
            if order.wanted is None:
                left_behind = sum((Counter(one.dropped) for one in done), Counter(merged))
                findings = judging.findings(dict(left_behind))
                suspects, settled = parcels.packed(session, "suspects", exchange), judging.settled()
                yield Judged(bucket, findings, judging.suspects, suspects, settled)
            elif "suspects" in relations:
                judging.narrow()
                reckoned = judging.reckoning.results(session)
                yield from judging.differences()
            else:
                yield Trouble(LOST, is_final=False)
            yield Heard(bucket, arrived, tuple(done), reckoned)
    except (Rejected, Unavailable) as problem:
        yield Trouble(str(problem), isinstance(problem, Rejected))


@contextmanager
def _session(order: Order, addresses: Mapping[str, str]) -> Iterator[tuple[Session, Path]]:
    """Open the engine as one task uses it, with what is looked up in its place."""
    if order.release != release():
        raise Rejected("The machines of the cluster have different releases of Crossing, so nothing was compared.")
    with (
        TemporaryDirectory(prefix="crossing-exchange-") as exchange,
        duck.session(addresses, memory_limit=order.memory_limit, threads=1, exchange=exchange) as session,
    ):
        unpacking = Unpacking(Path(exchange))
        for parcel in order.shared:
            unpacking.take(parcel)
        session.built.update(unpacking.relations(session))
        yield session, Path(exchange)


def _promise(session: Session, order: Order, part: Part) -> dict[str, int]:
    plan = order.plan
    return expectation.map_rows(
        session,
        sources=Sources(plan.spec, plan.legacy_tenant, part.after, part.upto),
        others=plan.others,
        relation="expected",
        by_number=order.by_number,
    )


def _hold(session: Session, order: Order, part: Part) -> dict[str, int]:
    spec: Spec = order.plan.spec
    keys = Keys(spec.target_key, spec.key_type == "bigint", part.after, part.upto)
    rows = reading.held(session, order.plan, order.gate, keys)
    reading.hold(session, spec, order.gate, rows, by_number=order.by_number)
    return {}


def _bucket(order: Order) -> str:
    return reading.bucket_of(name(KEY), order.buckets)
