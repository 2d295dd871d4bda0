"""Obligations, deletions and attestations in the staff's admin."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from compliance.domain.datasets import Dataset
from compliance.domain.obligations import Kind
from compliance.models import Attestation, Deletion, Obligation
from compliance.queries import obligations
from compliance.services import deletions
from compliance.services import obligations as services
from core import holds
from core.admin import TENANT_OPERATIONS, TENANT_PANELS, Operation, StaffAdmin, TenantPanel, operation
from core.domain.checks import OWNERS
from core.forms import UntilForm, day
from core.permissions import Permission
from core.readiness import CHECKS


def _checks() -> list[tuple[str, str]]:
    return sorted(((check.id, check.title) for check in CHECKS.values()), key=lambda pair: pair[1])


class ObligationForm(forms.Form):
    """A promise of this customer's own contract."""

    title = forms.CharField(max_length=200)
    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in Kind])
    promise = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="In the customer's words: they read it."
    )
    source = forms.CharField(max_length=200, label="Written in", help_text="Contract and clause.")
    owner = forms.ChoiceField(choices=[(owner, owner) for owner in sorted(OWNERS - {"customer"})])
    checks = forms.MultipleChoiceField(choices=_checks, required=False, help_text="The checks that keep it.")
    control = forms.CharField(
        max_length=500, required=False, label="Kept by", help_text="Only where no check can ask about it."
    )


class ControlForm(forms.Form):
    """What keeps a promise that no check asks about."""

    control = forms.CharField(max_length=500, label="Kept by", widget=forms.Textarea(attrs={"rows": 2}))


class DatasetForm(forms.Form):
    """What is to be erased."""

    dataset = forms.ChoiceField(
        choices=[(one.value, one.label) for one in Dataset if one is not Dataset.STAGE],
        label="What",
        widget=forms.RadioSelect,
    )


class PlanForm(forms.Form):
    """What will keep a promise, and by when."""

    plan = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    due_on = forms.DateField(label="By", widget=forms.DateInput(attrs={"type": "date"}))


class HoldForm(UntilForm):
    """Why nothing of an account may be deleted, and until when."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    until = day("At most a year from now.")


def _holds(row: Obligation) -> bool:
    return row.retired_at is None


@admin.register(Obligation)
class ObligationAdmin(StaffAdmin):
    """What each customer was promised, and what keeps it."""

    list_display = ("title", "tenant", "kind", "owner", "plan_due_on", "retired_at")
    list_filter = ("kind", "owner", ("retired_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("title", "tenant__name", "source")

    @operation(
        "State what keeps it",
        permission=Permission.MANAGE_OBLIGATIONS,
        form=ControlForm,
        when=lambda row: _holds(row) and not row.checks,
    )
    def state_control(self, request: HttpRequest, row: Obligation, answers: Mapping[str, Any]) -> str:
        """State a control outside of what checks can ask."""
        services.state_control(obligation=row, control=answers["control"], by=self.actor(request), at=timezone.now())
        return f"“{row.title}” is kept now."

    @operation("Plan what will keep it", permission=Permission.MANAGE_OBLIGATIONS, form=PlanForm, when=_holds)
    def plan(self, request: HttpRequest, row: Obligation, answers: Mapping[str, Any]) -> str:
        """Close a gap by a plan with a date."""
        due_on: date = answers["due_on"]
        services.plan(obligation=row, plan=answers["plan"], due_on=due_on, by=self.actor(request), at=timezone.now())
        return f"“{row.title}” is planned until {due_on}."

    @operation("Record another promise", permission=Permission.MANAGE_OBLIGATIONS, form=ObligationForm)
    def record(self, request: HttpRequest, row: Obligation, answers: Mapping[str, Any]) -> str:
        """Record a promise of the same customer."""
        made = services.record(
            tenant_id=row.tenant_id,
            key=slugify(answers["title"])[:60] or "promise",
            by=self.actor(request),
            at=timezone.now(),
            **answers,
        )
        return f"“{made.title}” is recorded."

    @operation("End", permission=Permission.MANAGE_OBLIGATIONS, when=_holds)
    def retire(self, request: HttpRequest, row: Obligation, answers: Mapping[str, Any]) -> str:
        """End a promise that the contract no longer holds."""
        services.retire(obligation=row, by=self.actor(request), at=timezone.now())
        return f"“{row.title}” has ended."

    @operation("Delete staged data", permission=Permission.MANAGE_OBLIGATIONS, when=lambda row: row.key == "deletion")
    def delete_stage(self, request: HttpRequest, row: Obligation, answers: Mapping[str, Any]) -> str:
        """Order the deletion of what was copied for the move."""
        deletions.order(tenant_id=row.tenant_id, by=self.actor(request), at=timezone.now())
        return "The deletion is ordered; its attestation follows once every row was counted again."

    @operation(
        "Erase what is kept of the move",
        permission=Permission.MANAGE_OBLIGATIONS,
        form=DatasetForm,
        when=lambda row: row.key == "deletion",
    )
    def erase(self, request: HttpRequest, row: Obligation, answers: Mapping[str, Any]) -> str:
        """Order that something else than stage data goes before a quarter after the move has passed."""
        by, dataset = self.actor(request), Dataset(answers["dataset"])
        deletions.order(tenant_id=row.tenant_id, dataset=dataset, by=by, at=timezone.now())
        return f"The erasure of “{dataset.label}” is ordered; its attestation follows once it was counted again."


@admin.register(Deletion)
class DeletionAdmin(StaffAdmin):
    """Which deletions were ordered, and which are done."""

    list_display = ("dataset", "tenant", "requested_at", "done_at")
    list_filter = (("done_at", admin.EmptyFieldListFilter),)
    list_select_related = ("tenant",)


@admin.register(Attestation)
class AttestationAdmin(StaffAdmin):
    """What was attested."""

    list_display = ("sha256", "tenant", "attested_at")
    list_select_related = ("tenant",)
    exclude: ClassVar[tuple[str, ...]] = ("body",)


def _hold(page: StaffAdmin, request: HttpRequest, tenant: Any, answers: Mapping[str, Any]) -> str:
    """Keep everything of an account from being deleted for a time."""
    holds.place(
        holds.LEGAL_HOLD,
        tenant_id=tenant.pk,
        expires_at=answers["until"],
        reason=answers["reason"],
        by=page.actor(request),
        at=timezone.now(),
    )
    return f"Nothing of {tenant} is deleted until {answers['until']:%Y-%m-%d %H:%M %Z}, or until the hold is released."


TENANT_OPERATIONS.add(
    "legal_hold",
    Operation("legal_hold", "Place a legal hold", Permission.MANAGE_OBLIGATIONS, _hold, form=HoldForm),
)


def _panel(tenant_id: UUID) -> Mapping[str, Any]:
    rows = [
        {"row": row, "url": reverse("admin:compliance_obligation_change", args=[row.obligation.pk])}
        for row in obligations.stand(tenant_id=tenant_id, at=timezone.now())
    ]
    return {
        "rows": rows,
        "attested": obligations.attestations(tenant_id=tenant_id).count(),
        "preserved": reverse("staff_compliance:preserved", args=[tenant_id]),
    }


TENANT_PANELS.add("promises", TenantPanel("Promises", "admin/panels/promises.html", _panel, order=40))
