"""The repairing side of the new platform in memory, held to its word by `tests/contract/test_reconciler.py`."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from backfills.domain.judgement import judge
from backfills.domain.merging import OnDrift
from backfills.domain.spec import Spec, Then
from core import tenancy
from core.moving import LoadOrder
from core.ports import Committing, Unavailable
from core.reconciling import Field, Foreseen, Outcome, Repair
from tests.fakes.rows import decode

type Row = dict[str, Any]


@dataclass
class FakeReconciler:
    """Works on typed rows per table, as the fake comparison reads them; `failing` makes it unavailable."""

    new: Mapping[str, list[Row]]
    failing: bool = False
    former: dict[tuple[UUID, str], tuple[Outcome, str, Row | None, datetime, UUID]] = field(default_factory=dict)
    restored: set[tuple[UUID, str]] = field(default_factory=set)

    def marks(self, *, account_id: UUID, spec: Spec, keys: Sequence[str]) -> Mapping[str, str]:
        """Mark as `core.ports.Reconciler` promises."""
        self._answer()
        return {key: _mark(self._find(spec, account_id, key)) for key in keys}

    def foresee(self, batch: Repair) -> Mapping[str, Foreseen]:
        """Foresee as `core.ports.Reconciler` promises."""
        self._answer()
        tried = FakeReconciler(new=deepcopy(dict(self.new)), former=dict(self.former))
        return tried._tried(batch)

    def repair(self, batch: Repair, *, committing: Committing = nullcontext) -> Mapping[str, Outcome]:
        """Repair as `core.ports.Reconciler` promises."""
        self._answer()
        with committing():
            return {key: told.outcome for key, told in self._tried(batch).items()}

    def _tried(self, batch: Repair) -> Mapping[str, Foreseen]:
        order, spec = batch.order, batch.order.spec
        rows = {str(row[spec.key_column]): row for row in decode(spec, batch.rows)}
        return {key: self._one(batch, order, spec, key, rows.get(batch.sources.get(key, ""))) for key in batch.marks}

    def _one(self, batch: Repair, order: LoadOrder, spec: Spec, key: str, source: Any) -> Foreseen:
        known = self.former.get((order.run_id, key))
        if known:
            return Foreseen(known[0])
        row = self._find(spec, order.account_id, key)
        if _mark(row) != batch.marks[key]:
            return Foreseen(Outcome.KEPT)
        table, before = self.new[spec.target_table], dict(row) if row else None
        fields: tuple[Field, ...] = ()
        result = ""
        if source is None:
            if spec.vanished.then is not Then.DELETE or key not in batch.removable:
                return Foreseen(Outcome.REFUSED)
            if order.preserves:
                return Foreseen(Outcome.HELD)
            if row:
                table.remove(row)
        else:
            judged = judge(spec, source, spec.world({}))
            if not judged.verdict.fate.moves or str(judged.values[spec.target_key]) != key:
                return Foreseen(Outcome.REFUSED)
            made = {spec.target_tenant: str(order.account_id), **judged.values}
            if key in batch.merges:
                if not row:
                    return Foreseen(Outcome.REFUSED)
                fields, made = _merged(spec, made, row)
                result = repr(sorted((name, str(value)) for name, value in made.items()))
                if batch.merges[key] not in ("", result):
                    return Foreseen(Outcome.KEPT)
            if row:
                row.update(made)
            else:
                table.append(made)
        mark = _mark(self._find(spec, order.account_id, key))
        outcome = Outcome.EQUAL if mark == batch.marks[key] else Outcome.WRITTEN if mark else Outcome.REMOVED
        self.former[order.run_id, key] = (outcome, mark, before, batch.keep_until, order.account_id)
        return Foreseen(outcome, fields, result)

    def restore(
        self, *, order: LoadOrder, keys: Sequence[str], committing: Committing = nullcontext
    ) -> Mapping[str, Outcome]:
        """Restore as `core.ports.Reconciler` promises."""
        self._answer()
        with committing():
            return self._restored(order, keys)

    def _restored(self, order: LoadOrder, keys: Sequence[str]) -> Mapping[str, Outcome]:
        found = {}
        for key in keys:
            known = self.former.get((order.run_id, key))
            row = self._find(order.spec, order.account_id, key)
            if known is None or (known[3] <= order.at and (order.run_id, key) not in self.restored):
                found[key] = Outcome.EXPIRED
            elif (order.run_id, key) in self.restored:
                found[key] = Outcome.RESTORED
            elif known[0] is Outcome.EQUAL:
                found[key] = Outcome.EQUAL
            elif _mark(row) != known[1]:
                found[key] = Outcome.KEPT
            elif order.preserves and not known[2]:
                found[key] = Outcome.HELD
            else:
                if row:
                    self.new[order.spec.target_table].remove(row)
                if known[2]:
                    self.new[order.spec.target_table].append(known[2])
                self.restored.add((order.run_id, key))
                found[key] = Outcome.RESTORED
        return found

    def over(self, *, at: datetime) -> Collection[UUID]:
        """Tell as `core.ports.Reconciler` promises."""
        self._answer()
        return {known[4] for known in self.former.values() if known[3] <= at}

    def forget(self, *, account_id: UUID, at: datetime, committing: Committing = nullcontext) -> int:
        """Forget as `core.ports.Reconciler` promises."""
        self._answer()
        over = [name for name, known in self.former.items() if known[3] <= at and known[4] == account_id]
        with committing():
            for name in over:
                del self.former[name]
        return len(over)

    def _answer(self) -> None:
        tenancy.forbid_transaction("Talking to the new platform")
        if self.failing:
            raise Unavailable("The new platform's database does not answer.")

    def _find(self, spec: Spec, account_id: UUID, key: str) -> Row | None:
        rows = (row for row in self.new[spec.target_table] if str(row[spec.target_tenant]) == str(account_id))
        return next((row for row in rows if str(row[spec.target_key]) == key), None)


def _mark(row: Row | None) -> str:
    return repr(sorted((name, str(value)) for name, value in row.items())) if row else ""


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _merged(spec: Spec, made: Row, row: Row) -> tuple[tuple[Field, ...], Row]:
    fields, merged = [], dict(made)
    for column in spec.columns:
        legacy, new = made[column.name], row[column.name]
        if legacy != new:
            keeps = (column.on_drift or OnDrift.SOURCE).keeps(legacy, new)
            merged[column.name] = new if keeps else legacy
            fields.append(Field(column.name, _text(legacy), _text(new), keeps))
    return tuple(fields), merged
