"""Entitlements in the staff's admin: what was seen, what differs, what was chosen; set up anew what is wrong."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from core.admin import TENANT_COLUMNS, TENANT_PANELS, StaffAdmin, TenantColumn, TenantPanel, operation
from core.permissions import Permission
from entitlements.domain.money import Money
from entitlements.models import AccessRequest, Decision, Mismatch, Snapshot
from entitlements.queries import answers as told
from entitlements.queries import previews, screens
from entitlements.services import access, snapshots, subscriptions


@admin.register(Snapshot)
class SnapshotAdmin(StaffAdmin):
    """Each look at a customer's contract on both platforms, and what came out."""

    list_display = ("tenant", "taken_at", "unmapped", "choices", "mismatches", "price_change", "matrix")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    ordering = ("-taken_at",)

    @admin.display(description="price change a month")
    def price_change(self, snapshot: Snapshot) -> str:
        """Return the exact difference, or that it cannot be said."""
        return _change(snapshot)

    @operation("Compare again", permission=Permission.RUN_CHECKS)
    def compare(self, request: HttpRequest, snapshot: Snapshot, answers: Mapping[str, Any]) -> str:
        """Have both platforms looked at again."""
        snapshots.request(tenant_id=snapshot.tenant_id, by=self.actor(request))
        return f"Both platforms are being compared for {snapshot.tenant}."

    @operation("Set up as promised", permission=Permission.PROVISION_SUBSCRIPTION)
    def provision(self, request: HttpRequest, snapshot: Snapshot, answers: Mapping[str, Any]) -> str:
        """Give the account on the new platform exactly what was promised."""
        taken = subscriptions.provision(tenant_id=snapshot.tenant_id, by=self.actor(request), at=timezone.now())
        return f"The subscription of {snapshot.tenant} is set up as promised; {taken.mismatches} differences are left."


@admin.register(Mismatch)
class MismatchAdmin(StaffAdmin):
    """What the new platform holds otherwise than promised; each open one blocks its tenant's cutover."""

    list_display = ("tenant", "title", "promised", "found", "since", "settled")
    list_filter = (("settled_in", admin.EmptyFieldListFilter),)
    list_select_related = ("tenant", "opened_in", "settled_in")
    search_fields = ("tenant__name", "title")
    ordering = ("-opened_in__taken_at",)

    @admin.display(ordering="opened_in__taken_at")
    def since(self, row: Mismatch) -> Any:
        """Return when it was first seen."""
        return row.opened_in.taken_at

    @admin.display(empty_value="open")
    def settled(self, row: Mismatch) -> Any:
        """Return when it was no longer seen."""
        return row.settled_in.taken_at if row.settled_in else None

    @operation(
        "Set up as promised", permission=Permission.PROVISION_SUBSCRIPTION, when=lambda row: row.settled_in_id is None
    )
    def provision(self, request: HttpRequest, row: Mismatch, answers: Mapping[str, Any]) -> str:
        """Give the account on the new platform exactly what was promised."""
        taken = subscriptions.provision(tenant_id=row.tenant_id, by=self.actor(request), at=timezone.now())
        return f"The subscription of {row.tenant} is set up as promised; {taken.mismatches} differences are left."


@admin.register(Decision)
class DecisionAdmin(StaffAdmin):
    """What customers chose about what cannot stay as it is."""

    list_display = ("tenant", "subject", "choice", "basis", "decided_at", "replaced_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "subject")


class AnswerForm(forms.Form):
    """What the member reads; to decline, it must say why."""

    answer = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))


def _is_ours(row: AccessRequest) -> bool:
    return row.answered_at is None and row.wanted.partition(":")[0] in access.OURS


@admin.register(AccessRequest)
class AccessRequestAdmin(StaffAdmin):
    """What customers' people asked for; staff answers what only the vendor can give."""

    list_display = ("tenant", "to", "lacking", "requested_at", "outcome", "answered_at")
    list_filter = ("outcome",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "ability", "wanted")
    exclude = ("ability", "wanted")
    readonly_fields = ("to", "lacking")

    @admin.display(description="what they could not do", ordering="ability")
    def to(self, row: AccessRequest) -> str:
        """Say it in words."""
        return told.requests([row])[0].title

    @admin.display(description="what they lack", ordering="wanted")
    def lacking(self, row: AccessRequest) -> str:
        """Say it in words."""
        return told.requests([row])[0].wanted

    @operation("Grant", permission=Permission.ANSWER_ACCESS, form=AnswerForm, when=_is_ours)
    def grant(self, request: HttpRequest, row: AccessRequest, answers: Mapping[str, Any]) -> str:
        """Switch the feature on, or say that the plan has it now."""
        access.grant(request=row, answer=answers["answer"], by=self.actor(request), at=timezone.now())
        return f"Granted: {row}."

    @operation("Decline", permission=Permission.ANSWER_ACCESS, form=AnswerForm, when=_is_ours)
    def decline(self, request: HttpRequest, row: AccessRequest, answers: Mapping[str, Any]) -> str:
        """Decline, with the reason that the member reads."""
        access.decline(request=row, answer=answers["answer"], by=self.actor(request), at=timezone.now())
        return f"Declined: {row}."


def _change(snapshot: Snapshot) -> str:
    if snapshot.difference is None:
        return "not settled"
    return Money(snapshot.difference, snapshot.currency).signed if snapshot.difference else "none"


def _billing(tenant_ids: list[UUID]) -> dict[UUID, str]:
    latest = previews.latest_of_many(tenant_ids=tenant_ids)
    return {tenant_id: _billing_words(row) for tenant_id, row in latest.items()}


def _billing_words(row: Snapshot) -> str:
    if row.mismatches:
        return f"{row.mismatches} mismatch{'' if row.mismatches == 1 else 'es'}"
    return "not settled" if row.unmapped or row.choices else "matches"


def _panel(tenant_id: UUID) -> Mapping[str, Any]:
    at = timezone.now()
    state = previews.state(tenant_id=tenant_id, at=at)
    if state is None:
        return {"preview": None}
    url = reverse("admin:entitlements_snapshot_change", args=[state.snapshot.pk])
    return {"preview": screens.page(state, at=at), "preview_url": url}


TENANT_COLUMNS.add("billing", TenantColumn("billing", _billing, empty="not compared"))
TENANT_PANELS.add("entitlements", TenantPanel("Entitlements", "admin/panels/entitlements.html", _panel, order=40))
