"""The repairing side of the new platform in memory, held to its word by `tests/contract/test_reconciler.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from backfills.domain.judgement import judge
from backfills.domain.spec import Spec, Then
from core import tenancy
from core.moving import LoadOrder
from core.ports import Unavailable
from core.reconciling import Outcome, Repair
from tests.fakes.platforms import decode

type Row = dict[str, Any]


@dataclass
class FakeReconciler:
    """Works on typed rows per table, as the fake comparison reads them; `failing` makes it unavailable."""

    new: Mapping[str, list[Row]]
    failing: bool = False
    former: dict[tuple[UUID, str], tuple[Outcome, str, Row | None, datetime]] = field(default_factory=dict)
    restored: set[tuple[UUID, str]] = field(default_factory=set)

    def marks(self, *, account_id: UUID, spec: Spec, keys: Sequence[str]) -> Mapping[str, str]:
        """Mark as `core.reconciling.Reconciler` promises."""
        self._answer()
        return {key: _mark(self._find(spec, account_id, key)) for key in keys}

    def repair(self, batch: Repair) -> Mapping[str, Outcome]:
        """Repair as `core.reconciling.Reconciler` promises."""
        self._answer()
        order, spec = batch.order, batch.order.spec
        rows = {str(row[spec.key_column]): row for row in decode(spec, batch.rows)}
        return {key: self._one(batch, order, spec, key, rows.get(batch.sources.get(key, ""))) for key in batch.marks}

    def _one(self, batch: Repair, order: LoadOrder, spec: Spec, key: str, source: Any) -> Outcome:
        known = self.former.get((order.run_id, key))
        if known:
            return known[0]
        row = self._find(spec, order.account_id, key)
        if _mark(row) != batch.marks[key]:
            return Outcome.KEPT
        table, before = self.new[spec.target_table], dict(row) if row else None
        if source is None:
            if spec.vanished.then is not Then.DELETE or key not in batch.removable:
                return Outcome.REFUSED
            if row:
                table.remove(row)
        else:
            judged = judge(spec, source, spec.world({}))
            if not judged.verdict.fate.moves or str(judged.values[spec.target_key]) != key:
                return Outcome.REFUSED
            made = {spec.target_tenant: str(order.account_id), **judged.values}
            if row:
                row.update(made)
            else:
                table.append(made)
        mark = _mark(self._find(spec, order.account_id, key))
        outcome = Outcome.EQUAL if mark == batch.marks[key] else Outcome.WRITTEN if mark else Outcome.REMOVED
        self.former[order.run_id, key] = (outcome, mark, before, batch.keep_until)
        return outcome

    def restore(self, *, order: LoadOrder, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """Restore as `core.reconciling.Reconciler` promises."""
        self._answer()
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
            else:
                if row:
                    self.new[order.spec.target_table].remove(row)
                if known[2]:
                    self.new[order.spec.target_table].append(known[2])
                self.restored.add((order.run_id, key))
                found[key] = Outcome.RESTORED
        return found

    def forget(self, *, at: datetime) -> int:
        """Forget as `core.reconciling.Reconciler` promises."""
        self._answer()
        over = [name for name, known in self.former.items() if known[3] <= at]
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
