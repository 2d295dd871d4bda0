"""Lists of what names people: searched by exact keys alone, and told by the ledger."""

import re
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from core import activity
from core.admin import StaffAdmin

_REFERENCE = re.compile(r"[0-9a-fA-F]{8}")
_SHOWN = 20


class KeyedAdmin(StaffAdmin):
    """A list found by a tenant or by an exact key: it names people, and is no way to find out whom it holds.

    `keys` are the columns that a whole id is looked up in; the first eight digits of a row's own, which people are
    given as a reference, find it too.
    """

    keys: ClassVar[tuple[str, ...]] = ("pk",)
    search_fields = ("pk",)  # that there is a search; what it does stands in `get_search_results`
    search_help_text = "The slug or the exact name of a tenant, or a whole id. People are found under Members."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Keep what belongs to the tenant, or has the key, that was typed."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(tenant__slug=term.lower()) | Q(tenant__name__iexact=term)
        if _REFERENCE.fullmatch(term):
            found |= Q(pk__range=(UUID(term + "0" * 24), UUID(term + "f" * 24)))
        try:
            known = UUID(term)
        except ValueError:
            return queryset.filter(found), False
        for key in self.keys:
            found |= Q(**{key: known})
        return queryset.filter(found), False


class ToldAdmin(KeyedAdmin):
    """The same, with what the ledger tells of each row."""

    readonly_fields: ClassVar[tuple[str, ...]] = ("tenant", "history")

    @admin.display(description="history")
    def history(self, row: Any) -> str:
        """List what was done to it, the newest first."""
        entries = activity.recent(tenant_id=row.tenant_id, subject=(row._meta.label_lower, row.pk), limit=_SHOWN)
        rows = ((f"{entry.at:%Y-%m-%d %H:%M} UTC", entry.sentence) for entry in entries)
        return format_html_join("", "<p>{} · {}</p>", rows) or "nothing yet"
