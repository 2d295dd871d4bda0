"""A verified fake of the shadow reader: the same reads over rows in memory (one contract suite runs over both)."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from backfills.domain import keys as source_keys
from backfills.domain.language import Ref
from backfills.domain.spec import Spec, Then
from core import tenancy
from core.comparison import Difference, Plan, Segment
from core.ports import Rejected, Unavailable
from core.shadowing import Answer, Read, Unasked
from tests.fakes.comparison import FakeComparison

type Rows = list[dict[str, Any]]


@dataclass
class FakeShadowReader:
    """Legacy rows are texts, new rows typed values, per table; `failing` platforms do not answer."""

    legacy: Mapping[str, Rows]
    new: Mapping[str, Rows]
    failing: set[str] = field(default_factory=set)
    sleep: Callable[[float], None] = lambda seconds: None
    clock: Callable[[], float] = time.perf_counter
    settle: float = 1.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(name of the read, key) of every read that was made."""

    def draw(self, plan: Plan, *, seed: str, wanted: int) -> tuple[str, ...]:
        self._answer(plan.spec)
        keys = self._rows(plan)
        return tuple(sorted(keys, key=lambda key: (md5((seed + key).encode()).hexdigest(), key))[:wanted])

    def ask(self, plan: Plan, *, read: Read, keys: Sequence[str]) -> tuple[Answer, ...]:
        self._answer(plan.spec)
        self.asked += [(read.name, key) for key in keys]
        first = self._answers(plan, read, list(dict.fromkeys(keys)))
        doubtful = [one.key for one in first if one.differences]
        if not doubtful:
            return tuple(first)
        self.sleep(self.settle)
        again = {one.key: one for one in self._answers(plan, read, doubtful)}
        return tuple(_settled(one, again[one.key]) if one.key in again else one for one in first)

    def _answers(self, plan: Plan, read: Read, keys: list[str]) -> list[Answer]:
        found, lists = [], set()
        for key in keys:
            about = self._about(plan, read, key)
            if not isinstance(about, Unasked) and about in lists:
                continue
            lists.add(about)
            found.append(
                Answer(key, unasked=about) if isinstance(about, Unasked) else self._one(plan, read, key, about)
            )
        return found

    def _about(self, plan: Plan, read: Read, key: str) -> str | Unasked:
        spec, row = plan.spec, self._rows(plan).get(key)
        if row is None:
            return Unasked.GONE
        if not read.by:
            promised = self._promised(plan, [row])
            return promised[0] if promised else Unasked.LEFT_BEHIND
        expression = spec.column(read.by).expression
        assert isinstance(expression, Ref)
        value = row[expression.name]
        return Unasked.NO_VALUE if value is None else str(value)

    def _one(self, plan: Plan, read: Read, key: str, about: str) -> Answer:
        spec: Spec = plan.spec
        theirs = [row for row in self.new[spec.target_table] if str(row[spec.target_tenant]) == plan.new_tenant]
        began = self.clock()
        rows = self._rows(plan)
        old = [rows[key]]
        if read.by:
            column = spec.column(read.by).expression.name  # type: ignore[union-attr]  # as `_about` has it
            old = [row for row in rows.values() if row[column] == about]
        legacy = self.clock() - began
        if len(old) > read.at_most:
            return Answer(key, about, unasked=Unasked.TOO_MANY)
        began = self.clock()
        new = [row for row in theirs if str(row[read.by or spec.target_key]) == about]
        took = self.clock() - began
        promised = self._promised(plan, old)
        there = {str(row[spec.target_key]) for row in new}
        new += [row for row in theirs if str(row[spec.target_key]) in set(promised) - there]
        return Answer(key, about, legacy, took, len(promised), tuple(self._differences(plan, old, new)))

    def _promised(self, plan: Plan, rows: Rows) -> list[str]:
        supplied = {str(row[plan.spec.target_key]) for row in plan.spec.supplements}
        comparison = FakeComparison({**self.legacy, plan.spec.source_table: rows}, self.new)
        promised, _ = comparison._promised(plan.spec, plan.others, plan.legacy_tenant)
        return [key for key, _, _ in promised if key not in supplied]

    def _differences(self, plan: Plan, old: Rows, new: Rows) -> list[Difference]:
        spec, found = plan.spec, list[Difference]()
        comparison = FakeComparison({**self.legacy, spec.source_table: old}, {**self.new, spec.target_table: new})
        comparison.compare(plan, segment=Segment(), report=found.append)
        supplied = {str(row[spec.target_key]) for row in spec.supplements}
        return [one for one in found if not (one.kind == "missing" and one.key in supplied)]

    def _rows(self, plan: Plan) -> dict[str, dict[str, Any]]:
        spec: Spec = plan.spec
        rows = [row for row in self.legacy[spec.source_table] if row[spec.source_tenant] == plan.legacy_tenant]
        found = {source_keys.written(spec, row): row for row in rows}
        return {key: row for key, row in found.items() if key is not None}

    def _answer(self, spec: Spec) -> None:
        tenancy.forbid_transaction()
        for platform in sorted(self.failing):
            raise Unavailable(f"The {platform} platform's database does not answer.")
        if spec.duplicates.then is Then.MERGE:
            raise Rejected(f"Records of {spec.title.lower()} may be made of several rows of legacy.")


def _settled(first: Answer, again: Answer) -> Answer:
    if again.unasked:
        return again
    settled = not again.differences
    return Answer(first.key, first.about, first.legacy, first.new, again.records, again.differences, settled=settled)
