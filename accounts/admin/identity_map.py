"""The identity map in the staff's admin: readings, people, decisions and checkpoints."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import LegacyPerson, LinkCheckpoint, MapRun, PersonDecision
from accounts.services.identity_map import decisions
from core.admin import StaffAdmin, operation
from core.permissions import Permission


@admin.register(MapRun)
class MapRunAdmin(StaffAdmin):
    """Every reading of the people of both platforms, and how many ended where."""

    list_display = ("tenant", "state", "requested_at", "finished_at", "legacy_read", "new_read", "problem")
    list_filter = ("state",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    exclude = ("legacy_after", "new_after")


@admin.register(LegacyPerson)
class LegacyPersonAdmin(StaffAdmin):
    """Everybody of legacy, by where they ended and why."""

    list_display = ("name", "user_name", "tenant", "outcome", "rule", "new", "role", "is_owner", "gone_at")
    list_filter = ("outcome", "rule", "is_owner")
    list_select_related = ("tenant", "new")
    ordering = ("tenant_id", "key")
    search_fields = ("tenant__name", "name", "user_name", "key")


@admin.register(PersonDecision)
class PersonDecisionAdmin(StaffAdmin):
    """What was decided about people, by whom, and whether it stands."""

    list_display = ("tenant", "kind", "people", "state", "reason", "decided_at", "agreed_at", "undone_at")
    list_filter = ("state", "kind", "is_about_owner")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "reason")

    @operation("Undo", permission=Permission.MAP_PEOPLE, when=lambda row: row.state == PersonDecision.State.STANDING)
    def undo(self, request: HttpRequest, row: PersonDecision, answers: dict[str, Any]) -> str:
        """Put back exactly what was before."""
        decisions.undo(decision=row, by=self.actor(request), at=timezone.now())
        return "Undone: everybody is as before."


@admin.register(LinkCheckpoint)
class LinkCheckpointAdmin(StaffAdmin):
    """The moments to which a tenant's map can be put back; its own people ask for that."""

    list_display = ("tenant", "number", "reason", "people", "taken_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "reason")
