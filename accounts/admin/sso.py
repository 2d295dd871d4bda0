"""Single sign-on in the staff's admin: connections, what they trust, and how their tests went."""

from django.contrib import admin

from accounts.models import SsoCertificate, SsoConnection, SsoSource, SsoTest
from core.admin import StaffAdmin


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
