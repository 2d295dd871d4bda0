"""Tenants, members and people in the staff's admin."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse

from accounts.models import Member, StaffAssignment, Tenant, User
from core.admin import TENANT_COLUMNS, StaffAdmin, TenantColumn, read_panels


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


@admin.register(Tenant)
class TenantAdmin(StaffAdmin):
    """The programme by tenant: phase, blockers, owner, age; each tenant's page shows its checks and runbook."""

    search_fields = ("name", "slug", "legacy_ref")
    ordering = ("name",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("created_at",)
    change_form_outer_after_template = "admin/tenant_panels.html"

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


@admin.register(StaffAssignment)
class StaffAssignmentAdmin(StaffAdmin):
    """Who of the vendor's people holds which role."""

    list_display = ("user", "role")
    list_filter = ("role",)
    list_select_related = ("user",)
