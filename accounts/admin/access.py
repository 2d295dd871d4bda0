"""Access reviews in the staff's admin: read only; a tenant's own people decide."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.keyed import KeyedAdmin
from accounts.models import AccessLine, AccessReview
from core.admin import StaffAdmin
from core.permissions import Permission


class _EndingFilter(admin.SimpleListFilter):
    """How a review ended, if it did."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return what can be chosen."""
        return [("open", "Under way"), ("finished", "Finished"), ("abandoned", "Abandoned")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccessReview]) -> QuerySet[AccessReview]:
        """Return those chosen."""
        match self.value():
            case "open":
                return queryset.filter(finished_at=None, abandoned_at=None)
            case "finished":
                return queryset.exclude(finished_at=None)
            case "abandoned":
                return queryset.exclude(abandoned_at=None)
        return queryset


@admin.register(AccessReview)
class AccessReviewAdmin(StaffAdmin):
    """Every review of a tenant's access: by when it is due, and how it ended."""

    list_display = ("tenant", "begun_at", "due_on", "people", "finished_at", "abandoned_at")
    list_filter = (_EndingFilter, "due_on")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)


@admin.register(AccessLine)
class AccessLineAdmin(KeyedAdmin):
    """What was decided about whom: names are those of now, and what a review froze stays as it was."""

    may_view = Permission.VIEW_MEMBERS
    list_display = ("tenant", "review", "number", "name", "old_role", "platform_role", "role", "difference", "verdict")
    list_filter = ("verdict", "difference")
    list_select_related = ("tenant", "review", "member__user", "legacy", "new")
    keys = ("pk", "review_id", "member_id", "member__user_id")
    ordering = ("tenant", "review", "number")
