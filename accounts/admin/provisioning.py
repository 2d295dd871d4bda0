"""Provisioning in the staff's admin: what directories sent, and how each call was answered."""

from typing import ClassVar

from django.contrib import admin

from accounts.models import ProvisionedGroup, ProvisionedUser, ProvisioningCall
from core.admin import StaffAdmin


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
