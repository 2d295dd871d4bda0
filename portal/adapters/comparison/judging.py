"""What is said of promised and actual records that lie side by side: where they disagree, and what they sum up to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import batched

from backfills.domain.spec import Column, Spec
from core.comparison import ColumnDifference, Difference, Findings, Plan, Reckoned
from parity_reports.domain.gate import Family, Passage
from portal.adapters.comparison import expectation, mapping
from portal.adapters.comparison.duck import Session, name, text
from portal.adapters.comparison.promising import HELD, KEY, SOURCE
from portal.adapters.comparison.reckoning import Reckoning
from portal.adapters.comparison.typed import Value, differs, received

_LISTED = 5_000
"""Keys that one statement tells the engine."""

_NUMBERS = frozenset({Family.INTEGER, Family.NUMERIC})


class Judging:
    """Judges the relations `expected` and `actual` of a session; `gate` is what the new platform's columns passed.

    Call `settle` once both are there, and again whenever they were filled anew.
    """

    def __init__(self, session: Session, plan: Plan, gate: Mapping[str, Passage]) -> None:
        self._session, self._gate = session, gate
        self._spec: Spec = plan.spec
        self._held, self._on_hold = plan.on_hold, 0
        self.by_number = gate[self._spec.target_key].family is Family.INTEGER and mapping.fits_number(self._spec)
        """Whether records are joined by whole numbers of 64 bits, so that no key becomes text but those that differ."""
        self.reckoning = Reckoning(plan, gate)
        self.suspects = 0
        """Records that differed in the first reading."""
        self.reckoned: dict[str, tuple[Reckoned, Reckoned]] = {}
        """What both sides say to declared invariants; after a second reading, of what differed by that one."""
        self._any_repeated = False
        self._marked: dict[str, frozenset[str]] = {}
        """Per relation, the columns in which some value is marked; the others are compared without their marks."""

    def settle(self) -> None:
        """Set aside what is held, and find out which keys stand more than once: their records are not joined."""
        key = name(KEY)
        self._on_hold = self._set_aside()
        repeated = (
            f"SELECT {key} AS k FROM {side} WHERE {key} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
            for side in ("expected", "actual")
        )
        self._session.run(f"CREATE OR REPLACE TEMP TABLE repeated AS {' UNION '.join(repeated)}")
        self._any_repeated = bool(self._session.rows("FROM repeated LIMIT 1"))
        guarded = [column for column, passage in self._gate.items() if passage.native and passage.guard]
        self._marked = {
            "expected": self._with_marks("expected", [column.name for column in self._spec.columns], "bool_or({})"),
            "actual": self._with_marks("actual", guarded, "count({}) > 0"),
        }

    def findings(self, dropped: Mapping[str, int]) -> Findings:
        """Remember which records differ, in the relation `suspects`, and return the counts."""
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
        self.reckoned = self.reckoning.results(self._session)
        compared = int(once + unpromised)
        return Findings(
            int(expected), int(actual), compared, dropped, self._sums(), self.reckoned, on_hold=self._on_hold
        )

    def settled(self) -> dict[str, tuple[Reckoned, Reckoned]]:
        """Return what the records that did not differ say to declared invariants, as long as they are there."""
        if not self.reckoned:
            return {}
        sides = ("expected", "actual")
        only = {side: f"({self.key_text(side)} IN (SELECT k FROM suspects)) IS NOT TRUE" for side in sides}
        return self.reckoning.results(self._session, only)

    def suspect(self, found: Iterable[tuple[str, str | None]]) -> None:
        """Remember records, by key and legacy key, that were found to differ in another way than by `findings`."""
        self._session.run("CREATE OR REPLACE TEMP TABLE suspects (k VARCHAR, source VARCHAR)")
        for some in batched(found, _LISTED):
            rows = ", ".join(f"({text(key)}, {'NULL' if source is None else text(source)})" for key, source in some)
            self._session.run(f"INSERT INTO suspects VALUES {rows}")
            self.suspects += len(some)

    def narrow(self) -> None:
        """Leave nothing but the suspects."""
        for relation in ("expected", "actual", "repeated"):
            key = "k::VARCHAR" if relation == "repeated" else self.key_text(relation)
            self._session.run(f"DELETE FROM {relation} WHERE {key} NOT IN (SELECT k FROM suspects)")

    def differences(self) -> Iterator[Difference]:
        """Yield what differs of all that is there."""
        statement = f"SELECT * EXCLUDE (source) FROM ({self._judged(with_texts=True)}) WHERE kind IS NOT NULL"
        for key, kind, held, *values in self._session.stream(statement):
            columns = tuple(
                ColumnDifference(column.name, *values[3 * index + 1 : 3 * index + 3])
                for index, column in enumerate(self._spec.columns)
                if kind == "different" and values[3 * index]
            )
            yield Difference(key, kind, columns, because=held or "" if kind == "missing" else "")

    def key_text(self, relation: str) -> str:
        """Return the SQL of a record's key as text, in either relation."""
        if relation == "expected":
            return expectation.key_text(relation, by_number=self.by_number)
        return f"{relation}.{name(KEY)}::VARCHAR"

    def _set_aside(self) -> int:
        """Take out of `actual` what is held and not promised, and return how much it is."""
        key, gone = name(KEY), 0
        for some in batched(self._held, _LISTED):
            listed = ", ".join(map(text, some))
            (removed,) = self._session.rows(
                f"DELETE FROM actual WHERE {self.key_text('actual')} IN ({listed}) "
                f"AND NOT EXISTS (FROM expected WHERE expected.{key} = actual.{key})"
            )
            gone += int(removed[0])
        return gone

    def _with_marks(self, relation: str, columns: Sequence[str], any_of: str) -> frozenset[str]:
        """Return the columns of a relation in which some value is marked; of a million records mostly none is."""
        if not columns:
            return frozenset()
        asked = ", ".join(any_of.format(name(f"{column}!")) for column in columns)
        (found,) = self._session.rows(f"SELECT {asked} FROM {relation}")
        return frozenset(column for column, has_any in zip(columns, found, strict=True) if has_any)

    def _sides(self, column: Column) -> tuple[Value, Value]:
        """Return a column's promised and actual values, with marks only where there are any."""
        expected, passage = expectation.value(self._spec, column, relation="expected"), self._gate[column.name]
        if column.name not in self._marked["expected"]:
            expected = replace(expected, mark="")
        if column.name not in self._marked["actual"]:
            passage = replace(passage, guard="")
        return expected, received(passage, column.name, relation="actual")

    def _once(self, relation: str) -> str:
        """Return a side's records whose key stands once on both."""
        if not self._any_repeated:
            return relation
        return f"(FROM {relation} ANTI JOIN repeated ON {relation}.{name(KEY)} = repeated.k) AS {relation}"

    def _judged(self, *, with_texts: bool = False) -> str:
        """Return the SELECT of every key k: kind, held by, source; with texts also, per column, if it differs and both.

        Turning values into text costs more than comparing them, so it is done for the few that differ.
        """
        tests, texts = [], []
        for index, column in enumerate(self._spec.columns):
            expected, actual = self._sides(column)
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
        named = f"coalesce(actual.{key}::VARCHAR, {self.key_text('expected')})"
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
            expected, actual = self._sides(column)
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


def together(
    one: Mapping[str, tuple[Reckoned, Reckoned]], two: Mapping[str, tuple[Reckoned, Reckoned]]
) -> dict[str, tuple[Reckoned, Reckoned]]:
    """Return what two parts of the records say to declared invariants."""
    nothing = (Reckoned(0, 0), Reckoned(0, 0))
    both = {name: (one.get(name, nothing), two.get(name, nothing)) for name in {**one, **two}}
    return {name: (left[0] + right[0], left[1] + right[1]) for name, (left, right) in both.items()}


def _fitted(column: Column, expected: Value, actual: Value) -> Value:
    """Let a column that the mapping leaves empty on purpose be compared as what the new platform holds."""
    if column.expression.type == "null":
        return Value(sql="NULL", family=actual.family, native=True)
    return expected
