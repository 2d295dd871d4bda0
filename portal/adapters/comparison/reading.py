"""One segment read from both platforms, each by a thread of its own, and judged; what differs is read once more."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from backfills.domain.spec import Spec
from core.comparison import Difference, Findings, Plan, Reckoned, Segment
from parity_reports.domain.gate import Family, Passage
from portal.adapters.comparison import digests, expectation, mapping
from portal.adapters.comparison.digests import Engine
from portal.adapters.comparison.duck import Session, name
from portal.adapters.comparison.judging import Judging, together
from portal.adapters.comparison.platforms import Keys, Rows, Sources
from portal.adapters.comparison.promising import KEY
from portal.adapters.comparison.typed import check_arrival, received

PUSHED_KEYS = 50_000
"""Up to so many keys, the second reading asks the platforms for these records alone."""


def keeps_key(session: Session, spec: Spec) -> bool:
    """Whether both platforms hold the same key in the same order, so that a range of it means the same on both."""
    if spec.key_is_made:
        return False
    native, wanted = {mapping.native_key(spec): spec.key_type}, {spec.target_key: spec.column(spec.target_key).type}
    legacy = session.platform("legacy").gate(session, spec.source_table, native)[mapping.native_key(spec)].family
    new = session.platform("new").gate(session, spec.target_table, wanted)[spec.target_key].family
    if legacy is not new or not mapping.is_taken_over(spec, legacy):
        return False
    # A server orders texts by its own bytes, which are in another order where they are not UTF-8.
    return legacy is not Family.TEXT or _are_unicode(session)


def _are_unicode(session: Session) -> bool:
    return all(session.platform(side).is_unicode(session) for side in ("legacy", "new"))


def passages(session: Session, spec: Spec) -> dict[str, Passage]:
    """Return how each column of the new platform passes the type gate."""
    wanted = {column.name: column.type for column in spec.columns}
    return session.platform("new").gate(session, spec.target_table, wanted)


def held(session: Session, plan: Plan, gate: Mapping[str, Passage], keys: Keys | None) -> str:
    """Return the relation of what the new platform holds."""
    rows = Rows(plan.spec.target_table, plan.spec.target_tenant, plan.new_tenant, keys)
    return session.platform("new").values(session, rows, gate)


def hold(session: Session, spec: Spec, gate: Mapping[str, Passage], rows: str, *, by_number: bool) -> None:
    """Build `actual` of a relation of the new platform's rows, once they are known to have arrived as they were.

    Each record has its key as text or, `by_number`, as a whole number.
    """
    key = received(gate[spec.target_key], spec.target_key, relation="actual")
    with session.reading("new"):
        session.run(
            f"CREATE OR REPLACE TABLE actual AS SELECT *, {f'{key.sql}::BIGINT' if by_number else key.text} AS "
            f"{name(KEY)} FROM {rows} AS actual"
        )
    for column, kind in session.rows("SELECT column_name, column_type FROM (DESCRIBE actual)"):
        if column in gate:
            check_arrival(gate[column], str(kind), column=column)
    expectation.check_keys(session, "actual", KEY, platform="new", column=spec.target_key)


def bucket_of(key: str, buckets: int) -> str:
    """Return the SQL of the bucket into which a key falls; the same on every machine with this engine."""
    return f"(hash({key}::VARCHAR) % {buckets})"


class Reading:
    """A segment as both platforms hold it in one pair of snapshots."""

    def __init__(self, session: Session, plan: Plan, segment: Segment) -> None:
        self._session, self._plan, self._segment = session, plan, segment
        self._spec: Spec = plan.spec
        self.gate = passages(session, self._spec)
        self.judging = Judging(session, plan, self.gate)
        self._is_sampled_there = bool(segment.seed) and keeps_key(session, self._spec) and _are_unicode(session)

    def first(self) -> Findings:
        """Read everything; remember which records differ and return the counts."""
        return self.judging.findings(self._load(reckon=True))

    def again(self, settled: Mapping[str, tuple[Reckoned, Reckoned]] | None = None) -> Iterator[Difference]:
        """Read the differing records once more and yield those that still differ.

        `settled` is what the others say to declared invariants, where these records were not judged here.
        """
        settled = self.judging.settled() if settled is None else settled
        self._load(self.pushed(), reckon=bool(settled) and self.judging.reckoning.looks_up)
        self.judging.narrow()
        if settled:
            self.judging.reckoned = together(settled, self.judging.reckoning.results(self._session))
        yield from self.judging.differences()

    def pushed(self) -> tuple[Sources, Keys] | None:
        """Return the suspects alone, by their native keys; None where these cannot say it all.

        A record that legacy seemed to lack may have come in there since, and of a repeated key the rows are not
        known: unless the legacy key is the same, everything is read again then.
        """
        spec = self._spec
        rows = self._session.rows(f"SELECT source, k FROM suspects LIMIT {PUSHED_KEYS + 1}")
        if not rows or len(rows) > PUSHED_KEYS:
            return None
        if any(origin is None for origin, _ in rows):
            if not keeps_key(self._session, spec):
                return None
            rows = [(key if origin is None else origin, key) for origin, key in rows]
        sources, keys = (tuple(str(row[place]) for row in rows) for place in (0, 1))
        family = self.gate[spec.target_key].family
        by_number = family is Family.INTEGER
        if not (by_number or family is Family.TEXT) or (by_number and not all(map(_is_whole, keys))):
            return None
        return Sources(spec, self._plan.legacy_tenant, among=sources), Keys(spec.target_key, by_number, among=keys)

    def _load(self, pushed: tuple[Sources, Keys] | None = None, *, reckon: bool = False) -> dict[str, int]:
        """Fill `expected`, `actual` and `repeated`, both sides at once; return what the mapping left behind."""
        session, spec = self._session, self._spec
        sources, new_keys = pushed or (self._sources(), self._range(spec.target_key))
        with session.beside() as other, ThreadPoolExecutor(1) as pool:
            loading = pool.submit(self._load_actual, other, new_keys, reckon=reckon)
            try:
                dropped = expectation.expect(
                    session,
                    others=self._plan.others,
                    relation="expected",
                    sources=sources,
                    keep=self._kept(),
                    by_number=self.judging.by_number,
                )
                if reckon:
                    self.judging.reckoning.promise(session)
            except BaseException:
                other.interrupt()
                raise
            loading.result()
        # Both sides are read: from here on their snapshots are needed no more, and what the other thread made is.
        session.renew()
        self.judging.settle()
        return dropped

    def _load_actual(self, session: Session, keys: Keys, *, reckon: bool) -> None:
        rows = held(session, self._plan, self.gate, keys)
        hold(session, self._spec, self.gate, rows, by_number=self.judging.by_number)
        if kept := self._kept():
            session.run(f"DELETE FROM actual WHERE NOT ({kept})")
        if reckon:
            self.judging.reckoning.hold(session)

    @property
    def _by_number(self) -> bool:
        return bool(self._spec.key_type == "bigint")

    def _kept(self) -> str:
        """Return the engine's own condition that a record's key is the segment's."""
        segment = self._segment
        if segment.seed:
            return digests.sampled(Engine.DUCKDB, f"{name(KEY)}::VARCHAR", segment)
        if segment.of > 1:
            return f"{bucket_of(name(KEY), segment.of)} = {segment.bucket}"
        key = f"TRY_CAST({name(KEY)} AS HUGEINT)" if self._by_number else name(KEY)
        return self._range(KEY).condition(key)

    def _range(self, column: str) -> Keys:
        """Return the segment as a range of native keys, or as a sample of them where the servers can draw it."""
        segment = self._segment
        sample = segment if self._is_sampled_there else None
        return Keys(column, self._by_number, segment.after, segment.upto, sample=sample)

    def _sources(self) -> Sources:
        """Return the source rows of the segment."""
        spec, segment = self._spec, self._segment
        sample = segment if self._is_sampled_there else None
        return Sources(spec, self._plan.legacy_tenant, segment.after, segment.upto, sample=sample)


def _is_whole(value: str) -> bool:
    return value.removeprefix("-").isdecimal() and value.isascii()
