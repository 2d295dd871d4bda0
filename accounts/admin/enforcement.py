"""Company sign-in in the staff's admin: where it alone counts, who holds codes, cutbacks, and passwords taken away."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.admin.keyed import KeyedAdmin, ToldAdmin
from accounts.domain.cutbacks import State
from accounts.domain.enforcement import EXPIRY_WARNING
from accounts.models import BreakGlassOwner, Cutback, Enforcement, PasswordRemoval, RecoveryCode
from accounts.queries import cutbacks as asked
from accounts.services import cutbacks, removals
from core.admin import PROGRAMME_NUMBERS, Number, operation
from core.permissions import Permission


class _ByTheClock(admin.SimpleListFilter):
    """Where something stands now: its time decides, whether or not anybody has written that down."""

    title = "state"
    parameter_name = "state"
    states: ClassVar[dict[str, tuple[str, Callable[[datetime], Q]]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the states."""
        return [(name, label) for name, (label, _) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was asked for."""
        found = self.states.get(self.value() or "")
        return queryset.filter(found[1](timezone.now())) if found else queryset


class _EnforcementFilter(_ByTheClock):
    """Where an enforcement stands."""

    states: ClassVar[dict[str, tuple[str, Callable[[datetime], Q]]]] = {
        "announced": ("Announced", lambda at: _stands(at) & Q(takes_effect_at__gt=at)),
        "in_force": ("In force", lambda at: _stands(at) & Q(takes_effect_at__lte=at)),
        "ending": ("Ends within two weeks", lambda at: _stands(at) & Q(toggle__expires_at__lte=at + EXPIRY_WARNING)),
        "over": ("Over", lambda at: ~_stands(at)),
    }


class _CutbackFilter(_ByTheClock):
    """Where a cutback stands."""

    states: ClassVar[dict[str, tuple[str, Callable[[datetime], Q]]]] = {
        "asked": ("Waits for approval", asked.is_asked),
        "running": ("Running", asked.is_running),
        "over": ("Over", lambda at: ~asked.is_asked(at) & ~asked.is_running(at)),
    }


def _stands(at: datetime) -> Q:
    return Q(toggle__ended_at=None, toggle__expires_at__gt=at)


@admin.register(Enforcement)
class EnforcementAdmin(ToldAdmin):
    """Where the customer's own sign-in alone counts, from when and until when."""

    list_display = ("tenant", "takes_effect_at", "until", "ended")
    list_filter = (_EnforcementFilter, "warned_days")
    list_select_related = ("tenant", "toggle")

    @admin.display(description="until")
    def until(self, row: Enforcement) -> datetime:
        """Return when it ends by itself."""
        return row.toggle.expires_at

    @admin.display(description="ended")
    def ended(self, row: Enforcement) -> datetime | None:
        """Return when it was ended."""
        return row.toggle.ended_at


@admin.register(Cutback)
class CutbackAdmin(ToldAdmin):
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
    list_filter = (_CutbackFilter, "requested_at")
    list_select_related = ("tenant",)

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
class PasswordRemovalAdmin(ToldAdmin):
    """Where passwords were taken away, and until when they can be given back."""

    list_display = ("tenant", "removed_at", "sealed", "kept", "reversible_until", "restored_at", "destroyed_at")
    list_filter = (("restored_at", admin.EmptyFieldListFilter), ("destroyed_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)

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
class BreakGlassOwnerAdmin(ToldAdmin):
    """Which owners hold recovery codes."""

    list_display = ("member", "tenant", "seat", "named_at", "ended_at")
    list_filter = ("seat", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("member__user", "tenant")
    keys = ("pk", "member_id", "member__user_id")


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(KeyedAdmin):
    """What became of each recovery code; the codes themselves nobody knows."""

    list_display = ("owner", "tenant", "issued_at", "used_at", "lapses_at", "replaced_at")
    list_filter = tuple((name, admin.EmptyFieldListFilter) for name in ("used_at", "lapses_at", "replaced_at"))
    list_select_related = ("owner__member__user", "tenant")
    keys = ("pk", "owner_id")
    exclude = ("digest",)


def _numbers(at: datetime) -> list[Number]:
    count = Cutback.objects.filter(asked.is_asked(at)).count()
    url = f"{reverse('admin:accounts_cutback_changelist')}?state=asked"
    return [Number("Cutbacks that wait for approval", str(count), "none", good=False, url=url)] if count else []


PROGRAMME_NUMBERS.add("cutbacks", _numbers)
