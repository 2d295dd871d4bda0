"""Judging without moving, in memory, nothing beside; held to its word by `tests/contract/test_inspection.py`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from backfills.domain import inspection, keys
from backfills.domain.judgement import DUPLICATE, Fate, Verdict, judge, verdicts
from backfills.domain.spec import Spec, Then
from core import tenancy
from core.inspecting import Example, Found, Inspected
from core.moving import SourceRows
from core.ports import Rejected
from tests.fakes.rows import decode


class FakeInspector:
    """Judges with the language's Python side."""

    @contextmanager
    def session(self, *, specs: Mapping[str, Spec], account_id: UUID) -> Iterator["FakeSession"]:
        """Begin as `core.ports.Inspector` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        yield FakeSession(specs)


class FakeSession:
    """What an entity's rows would be, by target key."""

    def __init__(self, specs: Mapping[str, Spec]) -> None:
        self.moves: dict[str, dict[str, Mapping[str, str | None]]] = {name: {} for name in specs}
        for name, spec in specs.items():
            for row in spec.supplements:
                self.moves[name][str(row[spec.target_key])] = {key: str(value) for key, value in row.items()}
        self.first: dict[str, set[str]] = {name: set() for name in specs}
        self.totals: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in specs}
        self.rows: dict[str, dict[tuple[str, str], list[Example]]] = {name: {} for name in specs}

    def judge(self, *, spec: Spec, rows: SourceRows) -> None:
        """Judge as `core.ports.InspectionSession` promises."""
        world = spec.world({name: self.moves[lookup.entity] for name, lookup in spec.lookups.items()})
        found = decode(spec, rows)
        if len({row[spec.key_column] for row in found}) < len(found):
            raise Rejected(keys.not_unique(spec))
        for row in found:
            judged = judge(spec, row, world)
            verdict, key = judged.verdict, str(row[spec.key_column])
            kinds = {
                (verdicts(spec)[number].rule, verdicts(spec)[number].column): row
                for number in inspection.find(spec, row, world)
            }
            for kind in kinds:
                self._note(spec, kind, key, row.get(kind[1]))
            if verdict.fate.moves:
                target = str(judged.values[spec.target_key])
                if target in self.first[spec.entity]:
                    verdict = self._duplicate(spec, key)
                else:
                    self.first[spec.entity].add(target)
                    self.moves[spec.entity][target] = {
                        name: None if value is None else str(value) for name, value in judged.values.items()
                    }
            self.totals[spec.entity][verdict.fate.value, verdict.rule] += 1

    def finish(self, *, spec: Spec) -> Inspected:
        """Tell as `core.ports.InspectionSession` promises."""
        found = (
            Found(rule, column, len(rows), tuple(rows[: inspection.EXAMPLES]))
            for (rule, column), rows in self.rows[spec.entity].items()
        )
        return Inspected(dict(self.totals[spec.entity]), tuple(found))

    def _note(self, spec: Spec, kind: tuple[str, str], key: str, value: str | None) -> None:
        shown = value[:60] if value is not None and spec.source_columns.get(kind[1]) else None
        example = Example(key if spec.source_columns[spec.key_column] else "", shown)
        self.rows[spec.entity].setdefault(kind, []).append(example)

    def _duplicate(self, spec: Spec, key: str) -> Verdict:
        rule = spec.duplicates
        if rule.then is Then.MERGE:
            return Verdict(Fate.MERGED, rule.name)
        column = spec.source_of_column(spec.column(spec.target_key))
        self._note(spec, (rule.name, column), key, None)
        return Verdict(Fate.QUARANTINED, rule.name, DUPLICATE, column)
