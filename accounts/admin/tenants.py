"""Tenants in the staff's admin: the programme by tenant, and what staff may begin there."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.admin.people import said
from accounts.domain.cutbacks import LONGEST_HOURS
from accounts.models import Tenant
from accounts.queries import members
from accounts.services import cutbacks, invitations, removals
from accounts.services.identity_map import runs
from core.admin import (
    TENANT_COLUMNS,
    TENANT_OPERATIONS,
    Operation,
    StaffAdmin,
    StaffList,
    TenantColumn,
    operation,
    read_panels,
)
from core.permissions import Permission, TenantRole


class TenantList(StaffList):
    """A page of tenants, with the columns that other apps contribute read once for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then each contributed column."""
        super().get_results(request)
        ids = [tenant.pk for tenant in self.result_list]
        read = {values: values(ids) for values in {column.values for column in TENANT_COLUMNS.values()}}
        for tenant in self.result_list:
            tenant.columns = {
                name: column.tell(read[column.values][tenant.pk])
                for name, column in TENANT_COLUMNS.items()
                if tenant.pk in read[column.values]
            }


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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StaffList]:
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
        return said(invitation)

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
