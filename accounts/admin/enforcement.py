"""Company sign-in in the staff's admin: where it alone counts, who holds codes, cutbacks, and passwords taken away."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from accounts.domain.cutbacks import State
from accounts.models import BreakGlassOwner, Cutback, Enforcement, PasswordRemoval, RecoveryCode
from accounts.queries import cutbacks as asked
from accounts.services import cutbacks, removals
from core.admin import StaffAdmin, operation
from core.permissions import Permission


@admin.register(Enforcement)
class EnforcementAdmin(StaffAdmin):
    """Where the customer's own sign-in alone counts, from when and until when."""

    list_display = ("tenant", "takes_effect_at", "until", "ended")
    list_select_related = ("tenant", "toggle")
    search_fields = ("tenant__name",)

    @admin.display(description="until")
    def until(self, row: Enforcement) -> datetime:
        """Return when it ends by itself."""
        return row.toggle.expires_at

    @admin.display(description="ended")
    def ended(self, row: Enforcement) -> datetime | None:
        """Return when it was ended."""
        return row.toggle.ended_at


@admin.register(Cutback)
class CutbackAdmin(StaffAdmin):
    """Returns to passwords: asked for, approved from both sides, over by themselves."""

    list_display = (
        "tenant",
        "state",
        "reason",
        "requested_at",
        "customer_approved_at",
        "vendor_approved_at",
        "ends_at",
    )
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)

    @admin.display(description="state")
    def state(self, row: Cutback) -> str:
        """Return where it stands now."""
        return asked.state_of(row, at=timezone.now()).value

    @operation(
        "Approve",
        permission=Permission.APPROVE_CUTBACK,
        when=lambda row: row.vendor_approved_at is None and _cutback_is(row, State.ASKED),
    )
    def approve(self, request: HttpRequest, row: Cutback, answers: dict[str, Any]) -> str:
        """Approve it for the vendor."""
        approved = cutbacks.approve(cutback=row, by=self.actor(request), at=timezone.now())
        return "It runs." if approved.starts_at else "Approved. An owner of theirs has to approve it too."

    @operation("End it", permission=Permission.REQUEST_CUTBACK, when=lambda row: not _cutback_is(row, State.OVER))
    def end(self, request: HttpRequest, row: Cutback, answers: dict[str, Any]) -> str:
        """End it before its time, or take the request back."""
        cutbacks.end(cutback=row, by=self.actor(request), at=timezone.now())
        return "It is over."


@admin.register(PasswordRemoval)
class PasswordRemovalAdmin(StaffAdmin):
    """Where passwords were taken away, and until when they can be given back."""

    list_display = ("tenant", "removed_at", "sealed", "kept", "reversible_until", "restored_at", "destroyed_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)

    @operation(
        "Give the passwords back",
        permission=Permission.REMOVE_PASSWORDS,
        when=lambda row: row.restored_at is None and row.destroyed_at is None,
    )
    def restore(self, request: HttpRequest, row: PasswordRemoval, answers: dict[str, Any]) -> str:
        """Give people the passwords back that were sealed."""
        given = removals.restore(removal=row, by=self.actor(request), at=timezone.now())
        return f"Given back: {given:,} password{'' if given == 1 else 's'}."


def _cutback_is(row: Cutback, state: State) -> bool:
    return asked.state_of(row, at=timezone.now()) is state


@admin.register(BreakGlassOwner)
class BreakGlassOwnerAdmin(StaffAdmin):
    """Which owners hold recovery codes."""

    list_display = ("member", "tenant", "seat", "named_at", "ended_at")
    list_select_related = ("member__user", "tenant")
    search_fields = ("tenant__name",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(StaffAdmin):
    """What became of each recovery code; the codes themselves nobody knows."""

    list_display = ("owner", "tenant", "issued_at", "used_at", "lapses_at", "replaced_at")
    list_select_related = ("owner__member__user", "tenant")
    search_fields = ("tenant__name",)
    exclude = ("digest",)
