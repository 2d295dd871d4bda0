"""Reconciliations, for screens, the API and evidence: what is done about how many records, and what became of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from backfills.domain.merging import OnDrift
from backfills.queries import mapping
from core.reconciling import Outcome
from parity_reports.domain.reconciliation import TOLD, Strategy
from parity_reports.models import Reconciliation, ReconciliationItem

_ALONE = (Outcome.KEPT.value, Outcome.REFUSED.value, Outcome.HELD.value)


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """What merging makes of a column: its rule in words, of how many records it differs, and whose value counts."""

    column: str
    rule: str
    number: int
    told: str


def told_of(*, tenant_id: UUID) -> QuerySet[Reconciliation, Any]:
    """Return the reconciliations that the customer is told of, with counts of their records.

    One that nobody agreed to yet is not told. `moved` is as legacy says, `merged` column by column, `accepted` as the
    new platform says; `left` was left alone.
    """
    return Reconciliation.objects.filter(tenant_id=tenant_id, state__in=[state.value for state in TOLD]).annotate(
        moved=Count("items", filter=Q(items__strategy=Strategy.SOURCE.value)),
        merged=Count("items", filter=Q(items__strategy=Strategy.MERGE.value)),
        accepted=Count("items", filter=Q(items__strategy=Strategy.TARGET.value)),
        left=Count("items", filter=Q(items__outcome__in=_ALONE)),
    )


def columns(row: Reconciliation) -> list[ColumnLine]:
    """Return what merging writes into each column; of one that is not public, not whose value it is."""
    counted: Counter[tuple[str, bool]] = Counter()
    for fields in row.items.exclude(fields={}).values_list("fields", flat=True):
        counted.update((column, told["keeps"]) for column, told in fields.items())
    rules = _rules(row.entity)
    lines = []
    for column in sorted({column for column, _ in counted}):
        rule, is_public = rules.get(column, ("", False))
        legacy, new = counted[column, False], counted[column, True]
        told = f", {legacy:,} as legacy says and {new:,} as the new platform says" if is_public else ""
        lines.append(ColumnLine(_name(column), rule, legacy + new, told))
    return lines


def told(item: ReconciliationItem) -> Sequence[str]:
    """Say column by column what differs, and of one that is merged which value is written, where it may be shown."""
    if not item.fields:
        return [f"{_name(column)} ({kind})" for column, kind in sorted(item.drift.columns.items())]
    lines = []
    for column, field in sorted(item.fields.items()):
        written, other = (field["new"], field["legacy"]) if field["keeps"] else (field["legacy"], field["new"])
        lines.append(f"{_name(column)} becomes {written}, not {other}" if written else f"{_name(column)} (not shown)")
    return lines


def _rules(entity: str) -> dict[str, tuple[str, bool]]:
    """Return per column its rule in words, and whether it is public."""
    spec = mapping.specs().get(entity)
    columns = spec.columns if spec else ()
    return {one.name: ((one.on_drift or OnDrift.SOURCE).words(one.type), one.public) for one in columns}


def _name(column: str) -> str:
    return column.replace("_", " ")
