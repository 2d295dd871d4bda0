"""Access reviews in the staff's admin: read only; a tenant's own people decide."""

from django.contrib import admin

from accounts.models import AccessReview
from core.admin import StaffAdmin


@admin.register(AccessReview)
class AccessReviewAdmin(StaffAdmin):
    """Every review of a tenant's access: by when it is due, and how it ended."""

    list_display = ("tenant", "begun_at", "due_on", "people", "finished_at")
    list_filter = ("due_on", "finished_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
