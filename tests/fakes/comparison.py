"""A verified fake of the comparison port: the same answers over rows in memory (one contract suite runs over both)."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zlib import crc32

from backfills.domain.evaluation import Value, World, evaluate
from backfills.domain.invariants import Invariant, Must
from backfills.domain.spec import Spec, Then
from core import tenancy
from core.comparison import (
    UNREADABLE,
    Checksums,
    ColumnDifference,
    Difference,
    Findings,
    Looked,
    Measures,
    Plan,
    Reckoned,
    Segment,
    Survey,
)
from core.ports import Rejected, Unavailable
from parity_reports.domain import checksums, encoding
from parity_reports.domain.checksums import Bucket
from tests.fakes.rows import rows_in_order

type Rows = list[dict[str, Any]]


@dataclass
class FakeComparison:
    """Legacy rows are texts, new rows typed values, per table; `failing` platforms do not answer.

    `fail_at` is a segment's number (from 0, over the fake's life) at which the legacy platform stops answering.
    """

    legacy: Mapping[str, Rows]
    new: Mapping[str, Rows]
    failing: set[str] = field(default_factory=set)
    fail_at: int | None = None
    compared: int = 0
    obstacle: str = ""

    def divide(self, plan: Plan, *, size: int) -> tuple[Segment, ...]:
        self._answer()
        rows = [
            row for row in self.legacy[plan.spec.source_table] if row[plan.spec.source_tenant] == plan.legacy_tenant
        ]
        count = -(-len(rows) // size) or 1
        return tuple(Segment(bucket=bucket, of=count) for bucket in range(count)) if count > 1 else (Segment(),)

    def compare(self, plan: Plan, *, segment: Segment, report: Callable[[Difference], None]) -> Findings:
        self._answer()
        if self.fail_at == self.compared:
            raise Unavailable("A platform stopped answering before everything was read.")
        self.compared += 1
        promised, dropped = self._promised(plan.spec, plan.others, plan.legacy_tenant)
        held = [row for row in self.new[plan.spec.target_table] if str(row[plan.spec.target_tenant]) == plan.new_tenant]
        expected = [item for item in promised if self._in(segment, item[0])]
        actual = [
            (str(row[plan.spec.target_key]), row) for row in held if self._in(segment, str(row[plan.spec.target_key]))
        ]
        aside = set(plan.on_hold) - {key for key, _, _ in promised}
        on_hold = sum(key in aside for key, _ in actual)
        actual = [(key, row) for key, row in actual if key not in aside]
        for difference in _differences(plan.spec, expected, actual):
            report(difference)
        keys = {key for key, _, _ in expected} | {key for key, _ in actual}
        sums = {
            column.name: (_sum(row[column.name] for _, row, _ in expected), _sum(row[column.name] for _, row in actual))
            for column in plan.spec.columns
            if column.type in ("smallint", "integer", "bigint") or column.type.startswith("numeric")
        }
        reckoned = {
            one.name: (
                _reckon(one, plan.spec, [row for _, row, _ in expected], self._others(one, plan, legacy=True)),
                _reckon(one, plan.spec, [row for _, row in actual], self._others(one, plan, legacy=False)),
            )
            for one in plan.spec.invariants
        }
        left = dropped if segment.bucket == 0 else {}
        return Findings(len(expected), len(actual), len(keys), left, sums, reckoned, on_hold=on_hold)

    def survey(self, plan: Plan) -> Survey:
        self._answer()
        legacy, new = len(self.legacy[plan.spec.source_table]), len(self.new[plan.spec.target_table])
        return Survey(legacy, 100 * legacy, new, 100 * new, obstacle=self.obstacle)

    def recheck(self, plan: Plan, *, report: Callable[[Difference], None]) -> Findings:
        found = self.compare(plan, segment=Segment(), report=report)
        return found if self.obstacle else replace(found, reckoned={}, exact=False)

    def look(self, plan: Plan, *, mark: str, report: Callable[[Difference], None]) -> Looked:
        self.compare(plan, segment=Segment(), report=report)
        held = f"{plan.spec.label} {plan.legacy_tenant} {plan.new_tenant}"
        return Looked("" if self.obstacle else held, whole=mark != held or bool(self.obstacle))

    def measure(self, plan: Plan) -> Measures:
        self._answer()
        spec = plan.spec
        new = [row for row in self.new[spec.target_table] if str(row[spec.target_tenant]) == plan.new_tenant]
        keys = Counter(row[spec.target_key] for row in new)
        orphans = {}
        for column in spec.columns:
            if column.references:
                other = plan.others[spec.lookups[column.references].entity]
                known = {
                    row[other.target_key]
                    for row in self.new[other.target_table]
                    if str(row[other.target_tenant]) == plan.new_tenant
                }
                orphans[column.name] = sum(
                    row[column.name] is not None and row[column.name] not in known for row in new
                )
        legacy = sum(row[spec.source_tenant] == plan.legacy_tenant for row in self.legacy[spec.source_table])
        return Measures(legacy, len(new), sum(count > 1 for count in keys.values()), orphans)

    def _others(self, one: Invariant, plan: Plan, *, legacy: bool) -> set[str]:
        """The values among which an invariant's references must be."""
        if one.must is not Must.EVERY:
            return set()
        other: Spec = plan.others[one.entity]
        rows: list[Mapping[str, Any]] = [
            row for row in self.new[other.target_table] if str(row[other.target_tenant]) == plan.new_tenant
        ]
        if legacy:
            promised, _ = self._promised(other, plan.others, plan.legacy_tenant)
            rows = [row for _, row, held in promised if not held]
        return {str(row[one.other or other.target_key]) for row in rows}

    def _answer(self) -> None:
        tenancy.forbid_transaction()
        for platform in sorted(self.failing):
            raise Unavailable(f"The {platform} platform's database does not answer.")

    @staticmethod
    def _in(segment: Segment, key: str) -> bool:
        return crc32((segment.seed + key).encode()) % segment.of == segment.bucket

    def _promised(
        self, spec: Spec, others: Mapping[str, Spec], tenant: str
    ) -> tuple[list[tuple[str, dict[str, Value], str]], dict[str, int]]:
        lookups = {}
        for alias, lookup in spec.lookups.items():
            rows, _ = self._promised(others[lookup.entity], others, tenant)
            lookups[alias] = {key: row for key, row, held in rows if not held}
        world = World(spec.tables, spec.sets, spec.zones, lookups)  # type: ignore[arg-type]  # fields are texts here
        found: list[tuple[str, dict[str, Value], str]] = []
        dropped: Counter[str] = Counter()
        seen: set[str] = set()
        for raw in rows_in_order(spec, self.legacy[spec.source_table], tenant):
            row: dict[str, Value] = dict(raw)
            bad = set()
            for name, node in spec.lets:
                reading = evaluate(node, row, world)
                row[name] = reading.value
                if reading.bad:
                    bad.add(name)
            rule = next(
                (
                    r
                    for r in spec.rules
                    if r.then is not Then.KEEP and r.when and evaluate(r.when, row, world).value is True
                ),
                None,
            )
            if rule and rule.then is Then.DROP:
                dropped[rule.name] += 1
                continue
            readings = {column.name: evaluate(column.expression, row, world) for column in spec.columns}
            key = readings[spec.target_key].value
            if spec.duplicates.then is Then.MERGE and str(key) in seen:
                dropped[spec.duplicates.name] += 1
                continue
            seen.add(str(key))
            unreadable = any(reading.bad for reading in readings.values())
            values = {name: UNREADABLE if reading.bad else reading.value for name, reading in readings.items()}
            lacking = any(column.required and values[column.name] is None for column in spec.columns)
            held = rule.name if rule else "value_not_accepted" if unreadable or lacking else ""
            found.append((str(key) if key is not None else f"\x01{raw[spec.key_column]}", values, held))
        supplied = [(str(extra[spec.target_key]), dict(extra), "") for extra in spec.supplements]
        return found + supplied, dict(dropped)


@dataclass
class FakeChecksummer:
    """Sums typed rows in memory by the published encoding; `unencodable` tables are refused."""

    new: Mapping[str, Rows]
    unencodable: set[str] = field(default_factory=set)

    def sum(self, plan: Plan, *, code: str, buckets: int) -> Checksums:
        tenancy.forbid_transaction()
        spec: Spec = plan.spec
        if spec.target_table in self.unencodable:
            raise Rejected("A value has no canonical encoding.")
        kinds = {column.name: _kind(column.type) for column in spec.columns}
        found = [Bucket() for _ in range(buckets)]
        for row in self.new[spec.target_table]:
            if str(row[spec.target_tenant]) == plan.new_tenant:
                key = encoding.record([kinds[spec.target_key]], [row[spec.target_key]], code=code)
                whole = encoding.record(list(kinds.values()), [row[name] for name in kinds], code=code)
                number, name = checksums.place(key, buckets)
                found[number].add(digest=encoding.digest_of(whole), name=name)
        return Checksums(spec.target_key, tuple(kinds.items()), tuple(bucket.sums for bucket in found))


def _kind(declared: str) -> str:
    if match := re.fullmatch(r"numeric\(\d+,(\d+)\)", declared):
        return f"decimal({match[1]})"
    if declared.endswith("int") or declared == "integer":
        return "integer"
    return {"timestamptz": "timestamp", "enum": "text", "numeric": "number"}.get(declared, declared)


def _differences(
    spec: Spec, expected: list[tuple[str, dict[str, Value], str]], actual: list[tuple[str, dict[str, Any]]]
) -> list[Difference]:
    left, right = Counter(key for key, _, _ in expected), Counter(key for key, _ in actual)
    repeated = {key for counted in (left, right) for key, count in counted.items() if count > 1}
    found = [Difference(key, "duplicate") for key in repeated]
    there = {key: row for key, row in actual if key not in repeated}
    for key, row, held in expected:
        if key in repeated:
            continue
        if key not in there:
            found.append(Difference(key, "missing", because=held))
            continue
        other = there.pop(key)
        columns = tuple(
            ColumnDifference(column.name, _text(row[column.name]), _text(other[column.name]))
            for column in spec.columns
            if row[column.name] != other[column.name]
        )
        if columns:
            found.append(Difference(key, "different", columns))
    return found + [Difference(key, "extra") for key in there]


def _reckon(one: Invariant, spec: Spec, rows: list[Mapping[str, Any]], known: set[str]) -> Reckoned:
    untold = [any(row[column] == UNREADABLE for column in one.reads) for row in rows]
    if one.must is Must.EVERY:
        there = [
            (str(row[one.column]), bad) for row, bad in zip(rows, untold, strict=True) if row[one.column] is not None
        ]
        return Reckoned(len(there), sum(bad or key not in known for key, bad in there))
    assert one.test is not None
    world = World(spec.tables, spec.sets, spec.zones, {})
    readings = [evaluate(one.test, dict(row), world) for row, bad in zip(rows, untold, strict=True) if not bad]
    failed = sum(untold) + sum(reading.bad for reading in readings)
    match one.must:
        case Must.HOLDS:
            return Reckoned(len(rows), failed + sum(not (reading.bad or reading.value is True) for reading in readings))
        case Must.COUNT:
            return Reckoned(len(rows), failed, str(sum(reading.value is True for reading in readings)))
        case _:
            return Reckoned(len(rows), failed, _sum(reading.value for reading in readings))


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value.normalize(), "f")
        case datetime():
            shown = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            return shown.rstrip("0").rstrip(".") + "+00"
    return str(value)


def _sum(values: Any) -> str:
    return str(sum((Decimal(value) for value in values if isinstance(value, int | Decimal)), Decimal(0)))
