"""Shadow reads in the staff's admin: every round, and what did not agree."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from core.admin import StaffAdmin, operation
from core.permissions import Permission
from parity_reports.models import ShadowMismatch, ShadowRound
from parity_reports.services import shadow


@admin.register(ShadowRound)
class ShadowRoundAdmin(StaffAdmin):
    """Every round of reads that were made of both platforms: what it compared, and why it could not."""

    list_display = (
        "title", "tenant", "began_at", "compared", "mismatched", "newer", "known", "unasked", "slowed", "problem",
    )  # fmt: skip
    list_filter = (("problem", admin.EmptyFieldListFilter), "entity")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "title")
    ordering = ("-began_at",)

    @operation("Switch shadow reads off", permission=Permission.RUN_PARITY)
    def switch_off(self, request: HttpRequest, row: ShadowRound, answers: Mapping[str, Any]) -> str:
        """Make no more reads of this tenant's platforms."""
        was_on = shadow.switch_off(tenant_id=row.tenant_id, by=self.actor(request), at=timezone.now())
        return f"No more reads are made for {row.tenant}." if was_on else "They were off already."


@admin.register(ShadowMismatch)
class ShadowMismatchAdmin(StaffAdmin):
    """Every read that both platforms answered differently: what differs, why, and since when nobody knows.

    What no fact explains is explained at “Drifts”, where the same record comes up.
    """

    list_display = (
        "about", "title", "tenant", "cause", "records", "first_seen_at", "unexplained_since", "resolved_at", "ended",
    )  # fmt: skip
    list_filter = ("cause", ("resolved_at", admin.EmptyFieldListFilter), "entity")
    list_select_related = ("tenant",)
    search_fields = ("about", "tenant__name")
    ordering = ("-first_seen_at",)
    exclude = ("sealed_key",)
