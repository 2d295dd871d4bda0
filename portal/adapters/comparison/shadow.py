"""Shadow reads of both platforms: the reads that people make, timed one by one, judged by the comparison.

Each read goes to either platform as a query of its own, by the native key or column so that the index serves it that
serves people; what came back is what is compared. Legacy is read through whatever engine moves its rows (`asked`).
"""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import batched

from backfills.domain import source
from backfills.domain.language import Ref
from backfills.domain.spec import Spec, Then
from core import tenancy
from core.comparison import Difference, Plan, Segment
from core.ports import Rejected
from core.shadowing import Answer, Read, Unasked
from parity_reports.domain.gate import Family
from portal.adapters.comparison import duck, expectation
from portal.adapters.comparison.asked import Legacy, OfEngine, OfServer
from portal.adapters.comparison.duck import Session, name, text
from portal.adapters.comparison.platforms import Sources
from portal.adapters.comparison.platforms.postgres import let_through
from portal.adapters.comparison.promising import KEY, SOURCE
from portal.adapters.comparison.reading import Reading, hold
from portal.adapters.comparison.typed import received
from portal.adapters.postgres import connected, is_postgres

RAW, HELD_ROWS = "shadow raw", "shadow held"
"""Relations of what the platforms answered; the names of a mapping hold no space."""

_KEYS_AT_ONCE = 100
"""Records that one statement reads by their keys."""

_PASS = 600
"""Seconds that a pass over an entity's keys may take."""

_KEYS = {
    Family.TEXT: re.compile(r"[^\x00]*"),
    Family.INTEGER: re.compile(r"-?[0-9]{1,19}"),
    Family.UUID: re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
"""What a key of the new platform looks like, by what it is compared as; others are not asked for."""


@dataclass(frozen=True, slots=True)
class DuckShadowReader:
    """Reads from both platforms, given by their addresses; see `core.ports.ShadowReader`. The new one is PostgreSQL.

    `clock` counts seconds and times each read. `settle` are the seconds after which answers that differ are read again;
    no read may take a PostgreSQL longer than `statement_timeout` seconds.
    """

    legacy: str = field(repr=False)
    new: str = field(repr=False)
    memory_limit: str = "300MB"
    settle: float = 1.0
    statement_timeout: int = 30
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.perf_counter

    def draw(self, plan: Plan, *, seed: str, wanted: int) -> tuple[str, ...]:
        """Draw records by the MD5 of seed and key, as legacy's server or engine computes it: one pass over the keys."""
        self._check(plan)
        spec: Spec = plan.spec
        if not is_postgres(self.legacy):
            with self._session({"legacy": self.legacy}) as session, session.reading("legacy"):
                return tuple(OfEngine(session, spec, plan.legacy_tenant).drawn(seed=seed, wanted=wanted))
        key = source.key(spec)
        query = (
            f"SELECT {key} {source.of_tenant(spec, plan.legacy_tenant)} AND NOT ({source.keyless(spec)})"
            f" ORDER BY md5({text(seed)} || {key}), 1 LIMIT {int(wanted)}"
        )
        with connected(self.legacy, platform="legacy", statement_timeout=_PASS) as connection:
            return tuple(str(row[0]) for row in connection.execute(query.encode()).fetchall())

    def ask(self, plan: Plan, *, read: Read, keys: Sequence[str]) -> tuple[Answer, ...]:
        """Make the reads; see `core.ports.ShadowReader`."""
        self._check(plan)
        with self._session({"legacy": self.legacy, "new": self.new}) as session:
            has_server = is_postgres(self.legacy)
            legacy: Legacy = (
                OfServer(plan.spec, plan.legacy_tenant)
                if has_server
                else OfEngine(session, plan.spec, plan.legacy_tenant)
            )
            for platform in ("legacy", "new") if has_server else ("new",):
                limit = f"set_config('statement_timeout', '{self.statement_timeout}s', true)"
                session.ask(platform, f"SELECT {limit} AS s")
            reading = _Shadow(session, plan, read, legacy=legacy, clock=self.clock)
            first = reading.answers(list(dict.fromkeys(keys)))
            doubtful = [one.key for one in first if one.differences]
            if not doubtful:
                return tuple(first)
            self.sleep(self.settle)
            session.renew()
            again = {one.key: one for one in reading.answers(doubtful)}
        return tuple(_settled(one, again[one.key]) if one.key in again else one for one in first)

    def _check(self, plan: Plan) -> None:
        spec: Spec = plan.spec
        if not is_postgres(self.new):
            raise Rejected("Shadow reads need PostgreSQL as the new platform, or a reader of your own: integrating.md.")
        if spec.duplicates.then is Then.MERGE:
            raise Rejected(
                f"Records of {spec.title.lower()} may be made of several rows of legacy, so that a single row does not"
                " tell what is promised. They are compared as a whole only."
            )

    @contextmanager
    def _session(self, platforms: Mapping[str, str]) -> Iterator[Session]:
        tenancy.forbid_transaction()
        with duck.session(platforms, memory_limit=self.memory_limit, threads=1) as session:
            yield session


def _settled(first: Answer, again: Answer) -> Answer:
    """Return an answer as the second reading found it; what it took is what the first one took."""
    if again.unasked:  # it went away meanwhile, or grew too long: nothing is said of it
        return Answer(first.key, first.about, unasked=again.unasked)
    return Answer(
        first.key,
        first.about,
        legacy=first.legacy,
        new=first.new,
        records=again.records,
        differences=again.differences,
        settled=not again.differences,
    )


@dataclass(slots=True)
class _Asked:
    """One read while it is made."""

    key: str
    about: str = ""
    legacy: float = 0.0
    new: float = 0.0
    unasked: Unasked | None = None


class _Shadow(Reading):
    """Some reads of one entity, made and judged."""

    def __init__(self, session: Session, plan: Plan, read: Read, *, legacy: Legacy, clock: Callable[[], float]) -> None:
        super().__init__(session, plan, Segment())
        self._read, self._legacy, self._clock = read, legacy, clock
        self._key_family = self.gate[self._spec.target_key].family
        if self._key_family not in _KEYS:
            raise Rejected(
                f"The new platform's key {self._spec.target_key} is a {self._key_family}; shadow reads ask by text,"
                " whole numbers and uuid only."
            )

    def answers(self, keys: Sequence[str]) -> list[Answer]:
        """Make the reads and return their answers, in order; records of one list answer once."""
        asked = self._ask_legacy(keys)
        expectation.expect(
            self._session,
            others=self._plan.others,
            relation="expected",
            sources=Sources(self._spec, self._plan.legacy_tenant),
            by_number=self.judging.by_number,
            rows=name(RAW),
        )
        promised = self._promised()
        self._ask_new(asked, promised)
        hold(self._session, self._spec, self.gate, name(HELD_ROWS), by_number=self.judging.by_number)
        # What the mapping itself adds was not asked for, except where a list shows it.
        self._session.run(
            f"DELETE FROM expected WHERE {name(SOURCE)} IS NULL AND {name(KEY)} NOT IN (SELECT {name(KEY)} FROM actual)"
        )
        self.judging.settle()
        return self._answered(asked, promised)

    def _ask_legacy(self, keys: Sequence[str]) -> list[_Asked]:
        """Fill `RAW` with what legacy answers."""
        legacy = self._legacy
        self._fetch("legacy", RAW, legacy.nothing, create=True)
        if not self._read.by:
            asked = [_Asked(key) for key in keys]
            for one in asked:
                found, one.legacy = self._fetch("legacy", RAW, partial(legacy.of_keys, [one.key]))
                one.unasked = None if found else Unasked.GONE
            return asked
        column, values = self._source_column(), self._values(keys)
        asked = [_Asked(key, values.get(key) or "", unasked=_why_not(key, values)) for key in keys]
        lists = {one.about: one for one in reversed(asked) if not one.unasked}  # of one list the first is asked
        asked = [one for one in asked if one.unasked or lists[one.about] is one]
        for one in asked:
            if one.unasked:
                continue
            rows = partial(legacy.of_list, column, one.about, at_most=self._read.at_most + 1)
            found, one.legacy = self._fetch("legacy", RAW, rows)
            if found > self._read.at_most:
                one.unasked = Unasked.TOO_MANY
                self._drop(RAW, column, one.about)
        return asked

    def _ask_new(self, asked: Sequence[_Asked], promised: Mapping[str, str]) -> None:
        """Fill `HELD_ROWS` with what the new platform answers to the same reads."""
        self._fetch("new", HELD_ROWS, partial(self._of_new, "FALSE"), create=True)
        for one in asked:
            if one.unasked:
                continue
            if not self._read.by:
                one.about = promised.get(one.key, "")
                if one.key not in promised:
                    one.unasked = Unasked.LEFT_BEHIND
                    continue
                _, one.new = self._fetch("new", HELD_ROWS, partial(self._of_new, self._among([one.about])))
                continue
            # Of a list that is longer here than all that may stand in it, one record too many is among these.
            limit = self._read.at_most + len(self._spec.supplements) + 1
            rows = partial(self._of_new, f"{name(self._read.by)} = {text(one.about)} LIMIT {limit}")
            _, one.new = self._fetch("new", HELD_ROWS, rows)
        if self._read.by:
            self._fetch_what_lists_lack(promised)

    def _fetch_what_lists_lack(self, promised: Mapping[str, str]) -> None:
        """Read records by their key that legacy's lists hold and the new ones did not show.

        They may stand in another list, or in this one behind what was read of it.
        """
        there = received(self.gate[self._spec.target_key], self._spec.target_key, relation=HELD_ROWS)
        held = {str(row[0]) for row in self._session.rows(f"SELECT {there.text} FROM {name(HELD_ROWS)}")}
        left = {str(row[0]) for row in self._session.rows(f"SELECT {self.judging.key_text('expected')} FROM expected")}
        for keys in batched(sorted(left & set(promised.values()) - held), _KEYS_AT_ONCE):
            self._fetch("new", HELD_ROWS, partial(self._of_new, self._among(keys)))

    def _answered(self, asked: Sequence[_Asked], promised: Mapping[str, str]) -> list[Answer]:
        """Judge what came back, and give each read its part of it."""
        places = self._places(promised)
        records = {about: len(keys) for about, keys in places["expected"].items()}
        owners: dict[str, set[str]] = defaultdict(set)
        for relation in places.values():
            for about, keys in relation.items():
                for key in keys:
                    owners[key].add(about)
        differing: dict[str, list[Difference]] = defaultdict(list)
        for difference in self.judging.differences():
            for about in owners[difference.key]:
                differing[about].append(difference)
        return [
            Answer(one.key, one.about, unasked=one.unasked)
            if one.unasked
            else Answer(one.key, one.about, one.legacy, one.new, records.get(one.about, 0), tuple(differing[one.about]))
            for one in asked
        ]

    def _places(self, promised: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
        """Return for either side which records, by their keys, each read is about."""
        found: dict[str, dict[str, list[str]]] = {"expected": defaultdict(list), "actual": defaultdict(list)}
        for relation, places in found.items():
            key = self.judging.key_text(relation)
            about = f"{relation}.{name(self._read.by)}::VARCHAR" if self._read.by else key
            for record, place in self._session.rows(f"SELECT {key}, {about} FROM {relation}"):
                places[str(place)].append(str(record))
        return found

    def _promised(self) -> dict[str, str]:
        """Return the key of each promised record by its key in legacy."""
        rows = self._session.rows(
            f"SELECT {name(SOURCE)}, {self.judging.key_text('expected')} FROM expected WHERE {name(SOURCE)} IS NOT NULL"
        )
        return {str(key): str(promised) for key, promised in rows}

    def _fetch(
        self, platform: str, relation: str, answer: Callable[[], str], *, create: bool = False
    ) -> tuple[int, float]:
        """Add what a platform answers to a relation; return the number of rows and the seconds it took."""
        to = f"CREATE OR REPLACE TABLE {name(relation)} AS" if create else f"INSERT INTO {name(relation)}"
        began = self._clock()
        with self._session.reading(platform):
            rows = self._session.rows(f"{to} SELECT * FROM {answer()}")
        return int(rows[0][0]) if rows else 0, self._clock() - began

    def _of_new(self, condition: str) -> str:
        spec = self._spec
        return let_through(
            "new",
            self.gate,
            f"FROM {name(spec.target_table)} WHERE {name(spec.target_tenant)} = "
            f"{text(self._plan.new_tenant)} AND {condition}",
        )

    def _among(self, keys: Sequence[str]) -> str:
        """Return the condition that a key is one of these; what cannot be a key there is none."""
        sound = [key for key in keys if _KEYS[self._key_family].fullmatch(key)]
        values = [str(int(key)) if self._key_family is Family.INTEGER else text(key) for key in sound]
        return f"{name(self._spec.target_key)} IN ({', '.join(values)})" if values else "FALSE"

    def _source_column(self) -> str:
        """Return the column of legacy that a list goes by, as the mapping calls it."""
        expression = self._spec.column(self._read.by).expression
        if not isinstance(expression, Ref) or expression.name not in self._spec.source_columns:
            raise Rejected(f"The mapping does not take {self._read.by} over as it is, so no list can go by it.")
        return expression.name

    def _values(self, keys: Sequence[str]) -> dict[str, str | None]:
        """Return what the sampled records hold in the column that lists go by; those that are gone are missing."""
        rows = self._legacy.of_keys(keys)
        column = name(self._source_column())
        return dict(self._session.rows(f"SELECT {name(self._spec.key_column)}, {column} FROM {rows}"))

    def _drop(self, relation: str, column: str, value: str) -> None:
        self._session.run(f"DELETE FROM {name(relation)} WHERE {name(column)}::VARCHAR = {text(value)}")


def _why_not(key: str, values: Mapping[str, str | None]) -> Unasked | None:
    if key not in values:
        return Unasked.GONE
    return Unasked.NO_VALUE if values[key] is None else None
