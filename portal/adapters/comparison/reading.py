"""One segment read from both platforms: promised and actual records side by side, and where they disagree."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched

from backfills.domain.spec import Column, Spec
from core.comparison import ColumnDifference, Difference, Findings, Plan, Reckoned, Segment
from parity_reports.domain.gate import Family
from portal.adapters.comparison import digests, expectation, mapping
from portal.adapters.comparison.digests import Engine
from portal.adapters.comparison.duck import Session, name, text
from portal.adapters.comparison.expectation import HELD, KEY, SOURCE
from portal.adapters.comparison.platforms import Keys, Rows, Sources
from portal.adapters.comparison.reckoning import Reckoning
from portal.adapters.comparison.typed import Value, check_arrival, differs, received

_PUSHED_KEYS = 50_000
"""Up to so many keys, the second reading asks the platforms for these records alone."""
_LISTED = 5_000
"""Keys that one statement tells the engine."""

_NUMBERS = frozenset({Family.INTEGER, Family.NUMERIC})


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


class Reading:
    """A segment as both platforms hold it in one pair of snapshots."""

    def __init__(self, session: Session, plan: Plan, segment: Segment) -> None:
        self._session, self._plan, self._segment = session, plan, segment
        self._spec: Spec = plan.spec
        wanted = {column.name: column.type for column in self._spec.columns}
        self._gate = session.platform("new").gate(session, self._spec.target_table, wanted)
        key = self._gate[self._spec.target_key]
        self._joined_by_number = key.family is Family.INTEGER and mapping.fits_number(self._spec)
        self.suspects = 0
        """Records that differed in the first reading."""
        self.reckoned: dict[str, tuple[Reckoned, Reckoned]] = {}
        """What both sides say to declared invariants; after `again`, of those records by the second reading."""
        self._any_repeated = False
        self._reckoning = Reckoning(plan, self._gate)
        self._is_sampled_there = bool(segment.seed) and keeps_key(session, self._spec) and _are_unicode(session)

    def first(self) -> Findings:
        """Read everything; remember which records differ and return the counts."""
        dropped = self._load(reckon=True)
        self._session.run(
            f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT k, source, kind FROM ({self._judged()}) "
            "WHERE kind IS NOT NULL"
        )
        expected, actual, once, self.suspects, unpromised = self._session.rows(
            f"SELECT (SELECT count(*) FROM expected), (SELECT count(*) FROM actual), "
            f"(SELECT count(*) FROM {self._once('expected')}), count(*), "
            "count(*) FILTER (kind IN ('extra', 'duplicate')) FROM suspects"
        )[0]
        # Every key is one of the promised that stand once, or one of those found to be extra or repeated.
        self.reckoned = self._reckoning.results(self._session)
        return Findings(int(expected), int(actual), int(once + unpromised), dropped, self._sums(), self.reckoned)

    def suspect(self, found: Iterable[tuple[str, str | None]]) -> None:
        """Remember records, by key and legacy key, that were found to differ in another way than by `first`."""
        self._session.run("CREATE OR REPLACE TEMP TABLE suspects (k VARCHAR, source VARCHAR)")
        for some in batched(found, _LISTED):
            rows = ", ".join(f"({text(key)}, {'NULL' if source is None else text(source)})" for key, source in some)
            self._session.run(f"INSERT INTO suspects VALUES {rows}")
            self.suspects += len(some)

    def again(self) -> Iterator[Difference]:
        """Read the differing records once more and yield those that still differ."""
        settled = self._settled()
        self._load(self._pushed(), reckon=bool(settled) and self._reckoning.looks_up)
        for relation in ("expected", "actual", "repeated"):
            key = "k::VARCHAR" if relation == "repeated" else self._key_text(relation)
            self._session.run(f"DELETE FROM {relation} WHERE {key} NOT IN (SELECT k FROM suspects)")
        if settled:
            for invariant, (legacy, new) in self._reckoning.results(self._session).items():
                settled[invariant] = (settled[invariant][0] + legacy, settled[invariant][1] + new)
            self.reckoned = settled
        yield from self._differences()

    def _settled(self) -> dict[str, tuple[Reckoned, Reckoned]]:
        """Return what the records that did not differ say to declared invariants, as long as they are loaded."""
        if not self.reckoned:
            return {}
        sides = ("expected", "actual")
        only = {side: f"({self._key_text(side)} IN (SELECT k FROM suspects)) IS NOT TRUE" for side in sides}
        return self._reckoning.results(self._session, only)

    def _differences(self) -> Iterator[Difference]:
        """Yield what differs of all that is loaded."""
        statement = f"SELECT * EXCLUDE (source) FROM ({self._judged(with_texts=True)}) WHERE kind IS NOT NULL"
        for key, kind, held, *values in self._session.stream(statement):
            columns = tuple(
                ColumnDifference(column.name, *values[3 * index + 1 : 3 * index + 3])
                for index, column in enumerate(self._spec.columns)
                if kind == "different" and values[3 * index]
            )
            yield Difference(key, kind, columns, because=held or "" if kind == "missing" else "")

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
                    by_number=self._joined_by_number,
                )
                if reckon:
                    self._reckoning.promise(session)
            except BaseException:
                other.interrupt()
                raise
            loading.result()
        # Both sides are read: from here on their snapshots are needed no more, and what the other thread made is.
        session.renew()
        self._find_repeated()
        return dropped

    def _find_repeated(self) -> None:
        session, key = self._session, name(KEY)
        repeated = (
            f"SELECT {key} AS k FROM {side} WHERE {key} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
            for side in ("expected", "actual")
        )
        session.run(f"CREATE OR REPLACE TEMP TABLE repeated AS {' UNION '.join(repeated)}")
        self._any_repeated = bool(session.rows("FROM repeated LIMIT 1"))

    def _load_actual(self, session: Session, keys: Keys, *, reckon: bool) -> None:
        spec, new = self._spec, session.platform("new")
        rows = Rows(spec.target_table, spec.target_tenant, self._plan.new_tenant, keys)
        with session.reading("new"):
            self._hold(session, new.values(session, rows, self._gate))
        if kept := self._kept():
            session.run(f"DELETE FROM actual WHERE NOT ({kept})")
        if reckon:
            self._reckoning.hold(session)

    def _hold(self, session: Session, rows: str) -> None:
        """Make `actual` of a relation of the new platform's rows, once they are known to have arrived as they were."""
        spec, key = self._spec, self._new_key()
        session.run(
            f"CREATE OR REPLACE TABLE actual AS SELECT *, "
            f"{f'{key.sql}::BIGINT' if self._joined_by_number else key.text} AS {name(KEY)} FROM {rows} AS actual"
        )
        for column, kind in session.rows("SELECT column_name, column_type FROM (DESCRIBE actual)"):
            if column in self._gate:
                check_arrival(self._gate[column], str(kind), column=column)
        expectation.check_keys(session, "actual", KEY, platform="new", column=spec.target_key)

    def _new_key(self) -> Value:
        key = self._spec.target_key
        return received(self._gate[key], key, relation="actual")

    def _key_text(self, relation: str) -> str:
        by_number = self._joined_by_number
        if relation == "expected":
            return expectation.key_text(relation, by_number=by_number)
        return f"{relation}.{name(KEY)}::VARCHAR"

    def _once(self, relation: str) -> str:
        """Return a side's records whose key stands once on both."""
        if not self._any_repeated:
            return relation
        return f"(FROM {relation} ANTI JOIN repeated ON {relation}.{name(KEY)} = repeated.k) AS {relation}"

    @property
    def _by_number(self) -> bool:
        return bool(self._spec.key_type == "bigint")

    def _kept(self) -> str:
        """Return the engine's own condition that a record's key is the segment's."""
        segment = self._segment
        if segment.seed:
            return digests.sampled(Engine.DUCKDB, f"{name(KEY)}::VARCHAR", segment)
        if segment.of > 1:
            return f"hash({name(KEY)}::VARCHAR) % {segment.of} = {segment.bucket}"
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

    def _pushed(self) -> tuple[Sources, Keys] | None:
        """Return the suspects alone, by their native keys; None where these cannot say it all.

        A record that legacy seemed to lack may have come in there since, and of a repeated key the rows are not
        known: unless the legacy key is the same, everything is read again then.
        """
        spec = self._spec
        rows = self._session.rows(f"SELECT source, k FROM suspects LIMIT {_PUSHED_KEYS + 1}")
        if not rows or len(rows) > _PUSHED_KEYS:
            return None
        if any(origin is None for origin, _ in rows):
            if not keeps_key(self._session, spec):
                return None
            rows = [(key if origin is None else origin, key) for origin, key in rows]
        sources, keys = (tuple(str(row[place]) for row in rows) for place in (0, 1))
        family = self._gate[spec.target_key].family
        by_number = family is Family.INTEGER
        if not (by_number or family is Family.TEXT) or (by_number and not all(map(_is_whole, keys))):
            return None
        return Sources(spec, self._plan.legacy_tenant, among=sources), Keys(spec.target_key, by_number, among=keys)

    def _judged(self, *, with_texts: bool = False) -> str:
        """Return the SELECT of every key k: kind, held by, source; with texts also, per column, if it differs and both.

        Turning values into text costs more than comparing them, so it is done for the few that differ.
        """
        tests, texts = [], []
        for index, column in enumerate(self._spec.columns):
            expected = expectation.value(self._spec, column, relation="expected")
            actual = received(self._gate[column.name], column.name, relation="actual")
            expected = _fitted(column, expected, actual)
            tests.append(differs(expected, actual, column=column.name))
            texts += [f"{tests[-1]} AS d{index}", f"{expected.text} AS e{index}", f"{actual.text} AS a{index}"]
        key = name(KEY)
        kind = (
            f"CASE WHEN actual.{key} IS NULL THEN 'missing' WHEN expected.{key} IS NULL THEN 'extra' "
            f"WHEN {' OR '.join(tests)} THEN 'different' END AS kind"
        )
        origin = f"expected.{name(HELD)} AS held, expected.{name(SOURCE)} AS source"
        # A promised record whose key cannot be read has a text all the same, so what is only there comes first.
        named = f"coalesce(actual.{key}::VARCHAR, {self._key_text('expected')})"
        listed = [f"{named} AS k", kind, origin, *(texts if with_texts else ())]
        joined = f"{self._once('expected')} FULL JOIN {self._once('actual')} ON expected.{key} = actual.{key}"
        return (
            f"SELECT {', '.join(listed)} FROM {joined} "
            "UNION ALL BY NAME SELECT k::VARCHAR AS k, 'duplicate' AS kind FROM repeated"
        )

    def _sums(self) -> dict[str, tuple[str, str]]:
        """Return the exact sums of every number column on both sides."""
        names, parts = [], []
        for column in self._spec.columns:
            expected = expectation.value(self._spec, column, relation="expected")
            actual = received(self._gate[column.name], column.name, relation="actual")
            if {expected.family, actual.family} <= _NUMBERS and actual.native and column.name != self._spec.target_key:
                names.append(column.name)
                parts += [
                    f"(SELECT coalesce(sum({expected.sql}), 0)::VARCHAR FROM expected)",
                    f"(SELECT coalesce(sum({actual.sql}), 0)::VARCHAR FROM actual)",
                ]
        if not parts:
            return {}
        row = self._session.rows(f"SELECT {', '.join(parts)}")[0]
        return {column: (str(row[2 * i]), str(row[2 * i + 1])) for i, column in enumerate(names)}


def _is_whole(value: str) -> bool:
    return value.removeprefix("-").isdecimal() and value.isascii()


def _fitted(column: Column, expected: Value, actual: Value) -> Value:
    """Let a column that the mapping leaves empty on purpose be compared as what the new platform holds."""
    if column.expression.type == "null":
        return Value(sql="NULL", family=actual.family, native=True)
    return expected
