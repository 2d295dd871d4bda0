"""Provisioning in the staff's admin: whose directory counts, what it sent and called, and the brake."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.domain.provisioning.plans import REASONS, WORDS, Outcome, Reason
from accounts.models import ProvisionedGroup, ProvisionedUser, Provisioning, ProvisioningCall
from accounts.queries.provisioning import tokens
from accounts.services.provisioning import switch
from core.admin import StaffAdmin, operation
from core.permissions import Permission

_LATEST = 20


class BrakeForm(forms.Form):
    """A brake needs its grounds."""

    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="It stands in the customer's ledger."
    )


@admin.register(Provisioning)
class ProvisioningAdmin(StaffAdmin):
    """Whose directory says who is a member, and by which tokens it calls."""

    list_display = ("tenant", "__str__", "enabled_at")
    list_filter = (("enabled_at", admin.EmptyFieldListFilter),)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    readonly_fields = ("last_call", "tokens")

    @admin.display(description="last call")
    def last_call(self, row: Provisioning) -> datetime | None:
        """Return when the directory called last."""
        return ProvisioningCall.objects.filter(tenant_id=row.tenant_id).values_list("called_at", flat=True).first()

    @admin.display(description="tokens")
    def tokens(self, row: Provisioning) -> str:
        """List the tokens of the directory: which count, until when, and when each was used last."""
        every = tokens.keyring(tenant_id=row.tenant_id, at=timezone.now()).every[:_LATEST]
        rows = (
            (
                str(each.token),
                "counts" if each.counts else "does not count",
                f"ends {each.token.expires_at:%Y-%m-%d}",
                f"used {each.last_used_at:%Y-%m-%d %H:%M} UTC" if each.last_used_at else "never used",
            )
            for each in every
        )
        return format_html_join("", "<p>{} · {} · {} · {}</p>", rows) or "none"

    @operation(
        "Back to the trial",
        permission=Permission.HOLD_PROVISIONING,
        form=BrakeForm,
        when=lambda row: row.enabled_at is not None,
    )
    def hold(self, request: HttpRequest, row: Provisioning, answers: dict[str, Any]) -> str:
        """Let nothing follow any more from what the directory says; members stay as they are."""
        switch.go_back(tenant_id=row.tenant_id, by=self.actor(request), at=timezone.now(), reason=answers["reason"])
        return "Nothing follows from what their directory says until somebody of theirs enables it again."

    @operation(
        "Settle everybody again", permission=Permission.HOLD_PROVISIONING, when=lambda row: row.enabled_at is not None
    )
    def settle(self, request: HttpRequest, row: Provisioning, answers: dict[str, Any]) -> str:
        """Do again what follows from what the directory said last, in the name of whoever enabled it."""
        switch.settle_again(tenant_id=row.tenant_id, by=self.actor(request), at=timezone.now())
        return "A job goes through everybody whom their directory names; “Jobs” shows how far it is."


class _OutcomeFilter(admin.SimpleListFilter):
    """What came of somebody."""

    title = "outcome"
    parameter_name = "came_to"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every outcome, in words."""
        return [(outcome.value, words[1]) for outcome, words in WORDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those of one outcome."""
        return queryset.filter(outcome=self.value()) if self.value() in WORDS else queryset


def _came_to(call: ProvisioningCall) -> str:
    return WORDS[Outcome(call.outcome)][0 if call.was_trial else 1] if call.outcome else ""


class ProvisionedAdmin(StaffAdmin):
    """What directories send by SCIM; it changes by their calls alone."""

    list_display: ClassVar[tuple[str, ...]] = ("__str__", "tenant", "external_id", "modified_at", "deleted_at")
    list_filter: ClassVar[tuple[Any, ...]] = (("deleted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("tenant",)
    search_fields = ("external_id", "name_key", "tenant__name")
    exclude = ("facts",)
    readonly_fields = ("history",)

    @admin.display(description="latest calls")
    def history(self, row: ProvisionedUser | ProvisionedGroup) -> str:
        """List the latest calls about this one, the newest first."""
        calls = ProvisioningCall.objects.filter(tenant_id=row.tenant_id, resource_id=row.pk)[:_LATEST]
        rows = (
            (
                f"{call.called_at:%Y-%m-%d %H:%M} UTC",
                f"{call.method} {call.about}".strip(),
                call.status,
                call.refusal or _came_to(call),
            )
            for call in calls
        )
        return format_html_join("", "<p>{} · {} · {} · {}</p>", rows) or "none in the last fortnight"


@admin.register(ProvisionedUser)
class ProvisionedUserAdmin(ProvisionedAdmin):
    """People of the customers' directories."""

    list_display: ClassVar[tuple[str, ...]] = (*ProvisionedAdmin.list_display, "is_active", "outcome", "why")
    list_filter: ClassVar[tuple[Any, ...]] = ("is_active", _OutcomeFilter, "reason", *ProvisionedAdmin.list_filter)

    @admin.display(description="why")
    def why(self, row: ProvisionedUser) -> str:
        """Say why nothing came of somebody."""
        return REASONS[Reason(row.reason)] if row.reason else ""


@admin.register(ProvisionedGroup)
class ProvisionedGroupAdmin(ProvisionedAdmin):
    """Groups of the customers' directories, and the roles that they give."""

    list_display: ClassVar[tuple[str, ...]] = (*ProvisionedAdmin.list_display, "role")
    list_filter: ClassVar[tuple[Any, ...]] = ("role", *ProvisionedAdmin.list_filter)


@admin.register(ProvisioningCall)
class ProvisioningCallAdmin(StaffAdmin):
    """Each call of a directory in the last fortnight, and what it was answered."""

    list_display = ("called_at", "tenant", "method", "kind", "about", "status", "scim_type", "came_to", "refusal")
    list_filter = ("method", "kind", "status", _OutcomeFilter, "was_trial")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "refusal")

    @admin.display(description="outcome", ordering="outcome")
    def came_to(self, call: ProvisioningCall) -> str:
        """Say what became of it, or would have on trial."""
        return _came_to(call)
