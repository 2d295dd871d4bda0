"""Tenants, members and people in the staff's admin."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.admin import access, domains, enforcement, identity_map
from accounts.domain.cutbacks import LONGEST_HOURS
from accounts.models import (
    Invitation,
    Member,
    ProvisionedGroup,
    ProvisionedUser,
    ProvisioningCall,
    SsoCertificate,
    SsoConnection,
    SsoSource,
    SsoTest,
    StaffAssignment,
    Tenant,
    User,
)
from accounts.queries import members, second_factors
from accounts.services import cutbacks, invitations, removals
from accounts.services import second_factors as resetting
from accounts.services.identity_map import runs
from core.admin import TENANT_COLUMNS, TENANT_OPERATIONS, Operation, StaffAdmin, TenantColumn, operation, read_panels
from core.permissions import Permission, TenantRole

__all__ = ["access", "domains", "enforcement", "identity_map"]


class TenantList(ChangeList):
    """A page of tenants, with the columns that other apps contribute read once for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then each contributed column."""
        super().get_results(request)
        ids = [tenant.pk for tenant in self.result_list]
        read = {name: (column, column.values(ids)) for name, column in TENANT_COLUMNS.items()}
        for tenant in self.result_list:
            tenant.columns = {name: values.get(tenant.pk, column.empty) for name, (column, values) in read.items()}


def _shown(name: str, column: TenantColumn) -> Callable[[Tenant], Any]:
    def show(tenant: Tenant) -> Any:
        columns: dict[str, Any] = getattr(tenant, "columns", {})
        return columns.get(name, column.empty)

    return admin.display(description=column.title)(show)


class FirstOwner(forms.Form):
    """Whom to invite as a tenant's first owner."""

    email = forms.EmailField(label="E-mail address", help_text="They get a link that works once, for seven days.")


class CutbackForm(forms.Form):
    """Why passwords are needed again, and for how long."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    hours = forms.IntegerField(min_value=1, max_value=LONGEST_HOURS, initial=4)


class SwitchForm(forms.Form):
    """Why an owner may take passwords away now."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def _has_no_owner(tenant: Tenant) -> bool:
    return not members.owners(tenant_id=tenant.pk).exists()


def _said(invitation: Invitation) -> str:
    if invitation.sent_at is None:
        return f"{invitation.email} is invited, but the mail could not be sent. Send it again in a few minutes."
    return f"The invitation was sent to {invitation.email}."


@admin.register(Tenant)
class TenantAdmin(StaffAdmin):
    """The programme by tenant: phase, blockers, owner, age; each tenant's page shows its checks and runbook."""

    search_fields = ("name", "slug", "legacy_ref")
    ordering = ("name",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("created_at",)
    change_form_outer_after_template = "admin/tenant_panels.html"

    @classmethod
    def operations(cls) -> list[Operation]:
        """Add what other apps let staff do to a tenant."""
        return sorted([*super().operations(), *TENANT_OPERATIONS.values()], key=lambda item: item.label)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Use the list that reads contributed columns."""
        return TenantList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Show the name, then what each app has to say."""
        return ["name", *(_shown(name, column) for name, column in TENANT_COLUMNS.items()), "segment"]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the tenant with every app's panel."""
        tenant = self.get_object(request, object_id) if object_id else None
        panels = list(read_panels(tenant.pk)) if tenant is not None else []
        return super().changeform_view(request, object_id, form_url, {"panels": panels, **(extra_context or {})})

    @operation("Invite the first owner", permission=Permission.INVITE_FIRST_OWNER, form=FirstOwner, when=_has_no_owner)
    def invite_first_owner(self, request: HttpRequest, row: Tenant, answers: dict[str, Any]) -> str:
        """Invite the person who then invites everybody else."""
        invitation = invitations.invite(
            tenant_id=row.pk,
            email=answers["email"],
            role=TenantRole.OWNER.value,
            by=self.actor(request),
            at=timezone.now(),
        )
        return _said(invitation)

    @operation("Ask for a cutback", permission=Permission.REQUEST_CUTBACK, form=CutbackForm)
    def ask_cutback(self, request: HttpRequest, row: Tenant, answers: dict[str, Any]) -> str:
        """Ask that passwords sign this tenant's people in for some hours."""
        cutbacks.ask(tenant_id=row.pk, by=self.actor(request), at=timezone.now(), **answers)
        return "It is asked for. It begins once an owner of theirs and one of our leads have approved it."

    @operation("Map people", permission=Permission.MAP_PEOPLE)
    def map_people(self, request: HttpRequest, row: Tenant, answers: dict[str, Any]) -> str:
        """Have the people of both platforms read and judged; what people decided stands."""
        runs.request(tenant_id=row.pk, by=self.actor(request), at=timezone.now())
        return "The people are being mapped; “Mappings of people” shows how far it is."

    @operation("Open the switch for passwords", permission=Permission.MOVE_PHASE, form=SwitchForm)
    def open_switch(self, request: HttpRequest, row: Tenant, answers: dict[str, Any]) -> str:
        """Let an owner take the account's passwords away, once the move is over."""
        removals.open_switch(tenant_id=row.pk, by=self.actor(request), at=timezone.now(), **answers)
        return "An owner of theirs can take the passwords away within two weeks."


def _is_open(invitation: Invitation) -> bool:
    return invitation.accepted_at is None and invitation.revoked_at is None


@admin.register(Invitation)
class InvitationAdmin(StaffAdmin):
    """Who is invited; staff sends or takes back the invitation of a first owner only."""

    list_display = ("email", "tenant", "role", "sent_at", "expires_at", "accepted_at", "revoked_at")
    list_filter = ("role",)
    list_select_related = ("tenant",)
    search_fields = ("email", "tenant__name")
    exclude = ("token_digest",)

    @operation("Send again", permission=Permission.INVITE_FIRST_OWNER, when=_is_open)
    def resend(self, request: HttpRequest, row: Invitation, answers: dict[str, Any]) -> str:
        """Send it with a new link."""
        return _said(invitations.resend(invitation=row, by=self.actor(request), at=timezone.now()))

    @operation("Revoke", permission=Permission.INVITE_FIRST_OWNER, when=_is_open)
    def revoke(self, request: HttpRequest, row: Invitation, answers: dict[str, Any]) -> str:
        """Take it back."""
        invitations.revoke(invitation=row, by=self.actor(request), at=timezone.now())
        return "The invitation was taken back; its link opens nothing."


@admin.register(SsoConnection)
class SsoConnectionAdmin(StaffAdmin):
    """How each tenant's people will sign in."""

    list_display = ("tenant", "entity_id", "connected_at", "declined_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "entity_id", "provider_id")


@admin.register(SsoCertificate)
class SsoCertificateAdmin(StaffAdmin):
    """What each tenant's provider signs with, those that end first on top."""

    list_display = ("subject", "tenant", "source", "not_after", "signed_at", "missed", "retired_at")
    list_filter = ("source", "retired_because", "warned_days", ("retired_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "subject", "fingerprint")
    ordering = ("not_after",)
    exclude = ("der",)


@admin.register(SsoSource)
class SsoSourceAdmin(StaffAdmin):
    """Where each tenant's metadata are read from, and how the last reading went."""

    list_display = ("url", "tenant", "read_at", "due_at", "failures", "proposed_at")
    list_filter = ("failures", ("proposed_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "url")


@admin.register(SsoTest)
class SsoTestAdmin(StaffAdmin):
    """How each tenant's test sign-ins went, check by check; what they said of people is the tenant's alone."""

    list_display = ("tenant", "started_at", "answered_at", "outcome")
    list_filter = ("outcome",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    exclude = ("sealed", "leaves_for", "request_id")


@admin.register(Member)
class MemberAdmin(StaffAdmin):
    """Who belongs to which tenant, in which role."""

    list_display = ("user", "tenant", "role", "joined_at", "deactivated_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "user__name", "tenant__name")


@admin.register(User)
class UserAdmin(StaffAdmin):
    """People, without their secrets."""

    list_display = ("email", "name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    exclude = ("password", "groups", "user_permissions", "is_superuser")

    @operation(
        "Reset the second factor",
        permission=Permission.MANAGE_STAFF,
        when=lambda user: bool(second_factors.holders(user_ids=[user.pk])),
    )
    def reset_second_factor(self, request: HttpRequest, row: User, answers: dict[str, Any]) -> str:
        """Help staff, a last owner, or who belongs to several accounts and lost theirs."""
        resetting.reset_for(user=row, by=self.actor(request), at=timezone.now())
        return f"The second factor of {row} is reset; they are signed out everywhere and told by mail."


@admin.register(StaffAssignment)
class StaffAssignmentAdmin(StaffAdmin):
    """Who of the vendor's people holds which role."""

    list_display = ("user", "role")
    list_filter = ("role",)
    list_select_related = ("user",)


class ProvisionedAdmin(StaffAdmin):
    """What directories send by SCIM; it changes by their calls alone."""

    list_display: ClassVar[tuple[str, ...]] = ("__str__", "tenant", "external_id", "modified_at", "deleted_at")
    list_select_related = ("tenant",)
    search_fields = ("external_id", "name_key", "tenant__name")
    exclude = ("facts",)


@admin.register(ProvisionedUser)
class ProvisionedUserAdmin(ProvisionedAdmin):
    """People of the customers' directories."""

    list_display: ClassVar[tuple[str, ...]] = (*ProvisionedAdmin.list_display, "is_active")
    list_filter = ("is_active",)


@admin.register(ProvisionedGroup)
class ProvisionedGroupAdmin(ProvisionedAdmin):
    """Groups of the customers' directories."""


@admin.register(ProvisioningCall)
class ProvisioningCallAdmin(StaffAdmin):
    """Each call of a directory in the last fortnight, and what it was answered."""

    list_display = ("called_at", "tenant", "method", "kind", "about", "status", "scim_type", "refusal")
    list_filter = ("method", "kind", "status")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "refusal")
