"""The comparison pushed down: digests summed per bucket inside each database, and only what differs comes out.

Of an entity without differences, a few thousand sums travel. Of buckets that differ, keys and digests do; of keys that
differ, records, which the typed comparison judges as it judges its own suspects. So nothing is reported here that the
typed comparison would not report; that two records with one digest are equal rests on the digest.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backfills.domain import source
from backfills.domain.spec import Spec
from core.comparison import Findings, Plan, Survey
from parity_reports.domain.gate import Family, Passage, passage
from portal.adapters.comparison import catalogue, mapping, sides
from portal.adapters.comparison.forms import Form, forms, key_form, obstacle
from portal.adapters.comparison.quoting import name, text
from portal.adapters.comparison.servers import Database, Databases
from portal.adapters.comparison.sides import Digesting
from portal.adapters.postgres import translated

log = logging.getLogger(__name__)

STREAM_ABOVE = 0.35
"""Where more than this share of the buckets differs, reading everything is cheaper."""

PER_BUCKET, MOST_BUCKETS = 256, 4_096
"""As many groups as a server keeps in little memory, and in the caches of its processor."""
_LISTED, _FINER = 20_000, 64
"""Where the buckets that differ hold more records than so many, each is divided so often before they are listed."""
_DIVIDED_ABOVE = 0.8
"""As `STREAM_ABOVE`, of buckets that are divided: summing most of the records once more costs less than reading all."""
_UNKNOWN_ROWS = 1_000_000

_PROBE = """
SELECT hash_record_extended(ROW(42::bigint, 'é'::text COLLATE "C", true, 1.50::numeric, date '2013-02-28',
                                timestamptz '2013-02-28 12:00:00.5+00', NULL::text), {0}),
       hashint8extended(42, {0}), hashtextextended('é' COLLATE "C", {0})
"""
"""A record of every hashed type: servers of another version or another byte order would answer otherwise."""


class NotPushable(Exception):
    """The comparison is the typed one's to make; the text says why, to follow “because”."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """Records whose digests differ, by key and legacy key, and the counts of everything that was digested."""

    found: list[tuple[str, str | None]]
    findings: Findings


@dataclass(frozen=True, slots=True)
class _Summed:
    buckets: dict[int, tuple[int, int]]
    gone: dict[str, int]
    totals: list[str]

    @property
    def records(self) -> int:
        return sum(count for count, _ in self.buckets.values())


class Pushdown:
    """One entity's records digested by both servers, each in one snapshot (`servers.opened`)."""

    def __init__(self, plan: Plan, databases: Databases) -> None:
        self._plan, self._databases = plan, databases
        self._legacy, self._new = databases.legacy, databases.new
        self._relations: dict[str, Callable[[str], str]] = {}
        self._native: dict[str, str] = {}
        self._spec: Spec = plan.spec

    def survey(self) -> Survey:
        """Say how much there is to compare, as the planners expect, and what keeps it from being digested there."""
        spec, plan = self._spec, self._plan
        raw = mapping.raw(spec, plan.legacy_tenant, "")
        columns = ", ".join(name(column.name) for column in spec.columns)
        there = f"SELECT {columns} FROM {name(spec.target_table)} "
        there += f"WHERE {name(spec.target_tenant)} = {text(plan.new_tenant)}"
        with translated("legacy"):
            legacy = catalogue.estimate(self._legacy.connection, raw)
        with translated("new"):
            new = catalogue.estimate(self._new.connection, there)
        try:
            self._forms()
        except NotPushable as refusal:
            return Survey(*legacy, *new, obstacle=str(refusal))
        return Survey(*legacy, *new)

    def suspects(self) -> Suspects:
        """Return the records whose digests differ. Raises NotPushable where reading everything is the better way."""
        columns, key = self._forms()
        order = list(columns.values())
        rows = self.survey().new_rows or _UNKNOWN_ROWS
        buckets = max(1, min(MOST_BUCKETS, rows // PER_BUCKET))
        how = self._digesting(order, key)
        self._prepare(columns, key)
        digest, bucket = how.record(order), how.bucket(key, "k", buckets)
        rules = {"legacy": mapping.leaving(self._spec), "new": []}
        one, two = self._databases.both(
            lambda one: _summed(
                one.ask(sides.sums(self._relations[one.title](""), digest, bucket, order, rules[one.title])),
                rules[one.title],
            )
        )
        twice = self._repeated(bucket)
        differing = {
            number
            for number in one.buckets.keys() | two.buckets.keys()
            if one.buckets.get(number) != two.buckets.get(number)
        } | twice
        if sides.UNREADABLE in one.buckets or sides.UNREADABLE in two.buckets:
            raise NotPushable("a key cannot be read")
        divides = len(differing) * max(one.records, two.records) > _LISTED * buckets
        most = max(STREAM_ABOVE, _DIVIDED_ABOVE) if divides else STREAM_ABOVE
        if len(differing) > most * len(one.buckets.keys() | two.buckets.keys()):
            raise NotPushable("more than a third of it differs")
        sums = self._sums(one, two)
        if not differing:
            return Suspects([], Findings(one.records, two.records, one.records, one.gone, sums, exact=False))
        coarse = sorted(differing)

        def among(one: Database) -> str:
            """Return the records of the buckets that differ, and where the native key does not tell, all."""
            native = self._native.get(one.title)
            return self._relations[one.title](sides.among(how.bucket(key, native, buckets), coarse) if native else "")

        finer, chosen = bucket, coarse
        if divides:
            finer = how.bucket(key, "k", buckets * _FINER)
            few, others = self._databases.both(
                lambda one: set(one.ask(sides.sums_among(among(one), digest, bucket, coarse, finer)))
            )
            chosen = sorted({int(str(number)) for number, *_ in few ^ others} | _parts_of(twice, buckets))
        promised, held = self._databases.both(lambda one: one.ask(sides.listed(among(one), digest, finer, chosen)))
        return _told(promised, held, expected=one, actual=two, sums=sums)

    def _forms(self) -> tuple[dict[str, Form], Form]:
        gate = digestible(self._plan, self._databases)
        key = key_form(self._spec, gate)
        assert key is not None
        return {column: form for column, form in forms(self._spec, gate).items() if form}, key

    def _digesting(self, order: list[Form], key: Form) -> Digesting:
        """Choose PostgreSQL's own hash where it tells all values apart and both servers compute the same one."""
        seed = 1 + secrets.randbits(62)  # never 0, which would hash NaN as it hashes NULL
        fast = all(form.fast for form in (*order, key))
        if fast:
            one, two = self._databases.both(lambda one: one.ask(_PROBE.format(seed)))
            fast = one == two
        return Digesting(seed=seed, code=secrets.token_hex(16), fast=fast)

    def _prepare(self, columns: dict[str, Form], key: Form) -> None:
        spec, plan = self._spec, self._plan
        self._relations = {
            "legacy": lambda where: sides.promised(spec, columns, key, tenant=plan.legacy_tenant, where=where),
            "new": lambda where: sides.held(spec, columns, key, tenant=plan.new_tenant, where=where),
        }
        self._native = {"new": key.actual.format(name(spec.target_key))}
        declared = self._legacy.declared(spec.source_table)
        family = passage(declared.get(mapping.native_key(spec), "")).family
        wanted = Family.INTEGER if key.kind == "integer" else Family.TEXT
        if family is wanted and mapping.is_taken_over(spec, family):
            self._native["legacy"] = key.actual.format(source.native(spec)[0])

    def _repeated(self, bucket: str) -> set[int]:
        """Return the buckets in which a key stands twice on the new platform.

        Where one stands twice in legacy alone, the sums differ; where it does on both, they may not.
        """
        spec = self._spec
        with translated("new"):
            if catalogue.is_unique(self._new.connection, spec.target_table, [spec.target_tenant, spec.target_key]):
                return set()
        return {int(str(number)) for (number,) in self._new.ask(sides.repeated(self._relations["new"](""), bucket))}

    def _sums(self, one: _Summed, two: _Summed) -> dict[str, tuple[str, str]]:
        columns, _ = self._forms()
        numbers = [column for column, form in columns.items() if form.is_number]
        return {
            column: (expected, actual)
            for column, expected, actual in zip(numbers, one.totals, two.totals, strict=True)
            if column != self._spec.target_key
        }


def _parts_of(coarse: set[int], buckets: int) -> set[int]:
    """Return the numbers of the finer buckets into which some of so many `buckets` are divided."""
    return {number + part * buckets for number in coarse for part in range(_FINER)}


def digestible(plan: Plan, databases: Databases) -> dict[str, Passage]:
    """Return what the new platform's columns are, all of which both servers can bring into one form.

    Raises NotPushable where there is one that they cannot.
    """
    spec: Spec = plan.spec
    gate = {column: passage(kind) for column, kind in databases.new.declared(spec.target_table).items()}
    if any(column.name not in gate for column in spec.columns):
        raise NotPushable("the new platform lacks a column")  # which the typed comparison names
    if reason := obstacle(spec, gate, legacy=databases.legacy.server, new=databases.new.server):
        raise NotPushable(reason)
    return gate


def _summed(rows: list[tuple[object, ...]], rules: Sequence[str]) -> _Summed:
    names = {sides.left_by(place): rule for place, rule in enumerate(rules)}
    buckets: dict[int, tuple[int, int]] = {}
    gone: dict[str, int] = {}
    totals: list[str] = []
    for bucket, count, digests, numbers in rows:
        if bucket is None:
            assert isinstance(numbers, list)
            totals = numbers
        elif rule := names.get(int(str(bucket))):
            gone[rule] = int(str(count))
        else:
            buckets[int(str(bucket))] = int(str(count)), int(str(digests))
    return _Summed(buckets, gone, totals)


def _told(
    promised: list[tuple[object, ...]],
    held: list[tuple[object, ...]],
    *,
    expected: _Summed,
    actual: _Summed,
    sums: dict[str, tuple[str, str]],
) -> Suspects:
    """Compare the records of the buckets that differ; count keys as the typed comparison does."""
    left, right = Counter(str(row[0]) for row in promised), Counter(str(row[0]) for row in held)
    twice = {key for counted in (left, right) for key, count in counted.items() if count > 1}
    digests = {str(key): digest for key, _, digest in held}
    found: list[tuple[str, str | None]] = [(key, None) for key in twice]
    found += [
        (str(key), None if origin is None else str(origin))
        for key, origin, digest in promised
        if str(key) not in twice and digests.get(str(key)) != digest
    ]
    extra = [key for key in right if key not in left and key not in twice]
    found += [(key, None) for key in extra]
    once = expected.records - sum(left[key] for key in twice)
    compared = once + len(extra) + len(twice)
    return Suspects(found, Findings(expected.records, actual.records, compared, expected.gone, sums, exact=False))
