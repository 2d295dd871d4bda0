"""Reconciliations in the staff's admin: what would be done, and putting it right with a second person's consent."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.admin import StaffAdmin, operation
from core.permissions import Permission
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import State, Strategy
from parity_reports.models import Reconciliation
from parity_reports.queries import reconciliations as queries
from parity_reports.services import reconciliations

_SAMPLES = 20


@admin.register(Reconciliation)
class ReconciliationAdmin(StaffAdmin):
    """Every decision about drift: what would be done, who agreed, and what became of each record."""

    list_display = ("title", "tenant", "state", "requested_at", "second_person", "finished_at", "undo_until")
    list_filter = ("state",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "title")
    ordering = ("-requested_at",)
    exclude = ("strategies",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("chosen", "counts", "merged", "samples")

    @admin.display(description="what is done")
    def chosen(self, row: Reconciliation) -> SafeString:
        """Say what is done about each cause; those that are left for now are left out."""
        told = ((Cause(cause).label, Strategy(strategy)) for cause, strategy in row.strategies.items())
        lines = ((cause, strategy.label) for cause, strategy in told if strategy is not Strategy.ASK)
        return format_html_join("", "<div>{} → {}</div>", lines)

    @admin.display(description="records")
    def counts(self, row: Reconciliation) -> SafeString:
        """Count the records by what is done about them and what became of them; no value is shown."""
        items = row.items.select_related("drift")
        counted = Counter(
            (item.drift.kind, Cause(item.drift.cause).label, Strategy(item.strategy).label, item.undone or item.outcome)
            for item in items
        )
        lines = ((number, *what, became or "to do") for (*what, became), number in sorted(counted.items()))
        return format_html_join("", "<div>{}: {}, {} → {}: {}</div>", lines)

    @admin.display(description="column by column")
    def merged(self, row: Reconciliation) -> SafeString:
        """Count what merging writes into each column; of a column that is not public only that it differs."""
        lines = (
            (line.column, line.rule, f"{line.number:,} record{'' if line.number == 1 else 's'}{line.told}")
            for line in queries.columns(row)
        )
        return format_html_join("", "<div>{} ({}): {}</div>", lines)

    @admin.display(description="some of them")
    def samples(self, row: Reconciliation) -> SafeString:
        """Name some records by their code, with their differences, and what merging writes where that may be shown."""
        items = row.items.select_related("drift")[:_SAMPLES]
        lines = (
            (
                item.drift.record,
                item.drift.kind,
                "; ".join(queries.told(item)),
            )
            for item in items
        )
        return format_html_join("", "<div>{}: {} {}</div>", lines)

    @operation("Go ahead", permission=Permission.RECONCILE, when=lambda row: row.state == State.PREVIEWED)
    def confirm(self, request: HttpRequest, row: Reconciliation, answers: Mapping[str, Any]) -> str:
        """Begin, or ask the second person."""
        moved = reconciliations.confirm(reconciliation_id=row.pk, by=self.actor(request), at=timezone.now())
        return "It waits for a second person." if moved.state == State.AWAITING else "The records are being put right."

    @operation("Agree", permission=Permission.APPROVE_RECONCILIATION, when=lambda row: row.state == State.AWAITING)
    def approve(self, request: HttpRequest, row: Reconciliation, answers: Mapping[str, Any]) -> str:
        """Agree to what somebody else asked for."""
        reconciliations.approve(reconciliation_id=row.pk, by=self.actor(request), at=timezone.now())
        return "The records are being put right."

    @operation("Refuse", permission=Permission.APPROVE_RECONCILIATION, when=lambda row: row.state == State.AWAITING)
    def refuse(self, request: HttpRequest, row: Reconciliation, answers: Mapping[str, Any]) -> str:
        """Refuse it."""
        reconciliations.refuse(reconciliation_id=row.pk, by=self.actor(request), at=timezone.now())
        return "It is refused; nothing was changed."

    @operation("Undo", permission=Permission.RECONCILE, when=lambda row: row.state in (State.DONE, State.FAILED))
    def undo(self, request: HttpRequest, row: Reconciliation, answers: Mapping[str, Any]) -> str:
        """Put everything back that nobody changed since."""
        reconciliations.undo(reconciliation_id=row.pk, by=self.actor(request), at=timezone.now())
        return "The records are being put back as they were."
