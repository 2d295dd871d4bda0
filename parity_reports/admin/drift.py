"""Drift in the staff's admin: what came to differ, why, and a look at what would put it right."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin import StaffAdmin, operation
from core.forms import UntilForm, day
from core.permissions import Permission
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import Strategy
from parity_reports.models import Drift, Watch
from parity_reports.services import drift, previews


class ExplainForm(UntilForm):
    """What is asked when a person explains a drift."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why it differs; the customer reads it, so name no person.",
    )
    until = day("So long it counts: at most two weeks from now.")


@admin.register(Drift)
class DriftAdmin(StaffAdmin):
    """Every record that came to differ after its comparison: what differs, why, and since when nobody knows."""

    list_display = ("record", "entity", "tenant", "cause", "kind", "first_seen_at", "unexplained_since", "resolved_at")
    list_filter = ("cause", ("resolved_at", admin.EmptyFieldListFilter), "entity")
    list_select_related = ("tenant",)
    search_fields = ("record", "tenant__name")
    ordering = ("-first_seen_at",)
    exclude = ("sealed_key",)

    @operation(
        "Explain",
        permission=Permission.EXPLAIN_DRIFT,
        form=ExplainForm,
        when=lambda row: row.cause == Cause.UNKNOWN and row.resolved_at is None,
    )
    def explain(self, request: HttpRequest, row: Drift, answers: Mapping[str, Any]) -> str:
        """Say why it differs, for a time."""
        drift.explain(
            drift_id=row.pk,
            reason=answers["reason"],
            until=answers["until"],
            by=self.actor(request),
            at=timezone.now(),
        )
        return "The explanation stands, and the line is not stopped for it until then."

    @operation("Look again", permission=Permission.RUN_PARITY, when=lambda row: row.resolved_at is None)
    def look_again(self, request: HttpRequest, row: Drift, answers: Mapping[str, Any]) -> str:
        """Have the tenant's entities looked at now."""
        drift.request(tenant_id=row.tenant_id, by=self.actor(request), at=timezone.now())
        return f"Both platforms of {row.tenant} are being read again."


def _choice(cause: Cause) -> forms.ChoiceField:
    offered = sorted(Strategy, key=lambda strategy: strategy is not Strategy.ASK)
    return forms.ChoiceField(label=cause.label, choices=[(one.value, one.label) for one in offered])


class ReconcileForm(UntilForm):
    """What is done about each cause, why, and until when accepted differences count."""

    late_write = _choice(Cause.LATE_WRITE)
    clock = _choice(Cause.CLOCK)
    rule = _choice(Cause.RULE)
    new_write = _choice(Cause.NEW_WRITE)
    unknown = _choice(Cause.UNKNOWN)
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why it is done; the customer reads it, so name no person.",
    )
    until = day(
        "Only where the new platform wins or a column stays as it is there: at most 90 days from now.",
        required=False,
        label="Accept until the end of",
    )


@admin.register(Watch)
class WatchAdmin(StaffAdmin):
    """Every entity that is watched since its comparison: when it was looked at, and how much of it drifts."""

    list_display = ("title", "tenant", "looked_at", "differing", "due_at", "problem")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "title")
    ordering = ("-differing", "title")
    exclude = ("mark",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Watch]:
        """Leave out what only the next look needs; it is large."""
        found: QuerySet[Watch] = super().get_queryset(request)
        return found.defer("mark")

    @operation("Reconcile", permission=Permission.RECONCILE, form=ReconcileForm, when=lambda row: row.differing)
    def reconcile(self, request: HttpRequest, row: Watch, answers: Mapping[str, Any]) -> str:
        """Look at what would be done about the drift of this entity; nothing is changed yet."""
        made = previews.make(
            tenant_id=row.tenant_id,
            entity=row.entity,
            strategies={cause: Strategy(answers[cause.value]) for cause in Cause},
            reason=answers["reason"],
            accepted_until=answers["until"],
            by=self.actor(request),
            at=timezone.now(),
        )
        also = f" A second person has to agree: {made.second_person}" if made.second_person else ""
        also += f" {made.aside}" if made.aside else ""
        return (
            f"{made.items.count():,} records would be put right; nothing is changed yet. See “Reconciliations”.{also}"
        )
