"""How far behind legacy tenants are, and the pace of their runs: a list, a column, a panel, and what staff can do."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backfills.domain import lag
from backfills.models import Pace
from backfills.queries import lag as lags
from backfills.queries import standing as queries
from backfills.services import standing
from backfills.views.forms import LimitForm, StandingForm
from core import toggles
from core.admin import (
    TENANT_COLUMNS,
    TENANT_OPERATIONS,
    TENANT_PANELS,
    Operation,
    StaffAdmin,
    StaffList,
    TenantColumn,
    TenantPanel,
)
from core.permissions import Permission


def _keep_up(page: StaffAdmin, request: HttpRequest, tenant: Any, answers: Mapping[str, Any]) -> str:
    """Have a tenant caught up by itself."""
    by, at = page.actor(request), timezone.now()
    standing.switch_on(tenant_id=tenant.pk, every=answers["every"], until=answers["until"], by=by, at=at)
    return f"What changes in legacy of {tenant} is brought over {lag.often(answers['every'])}."


def _stop(page: StaffAdmin, request: HttpRequest, tenant: Any, answers: Mapping[str, Any]) -> str:
    """Bring nothing over by itself any more."""
    standing.switch_off(tenant_id=tenant.pk, by=page.actor(request), at=timezone.now())
    return f"Nothing of {tenant} is brought over by itself."


def _limit(page: StaffAdmin, request: HttpRequest, tenant: Any, answers: Mapping[str, Any]) -> str:
    """Limit how fast a tenant's rows move."""
    rows = answers["rows_per_second"]
    standing.limit(tenant_id=tenant.pk, rows_per_second=rows, by=page.actor(request), at=timezone.now())
    return f"Rows of {tenant} move at {rows:,} per second at most." if rows else f"Nothing limits the rows of {tenant}."


def _is_on(tenant: Any) -> bool:
    return queries.of_tenant(tenant_id=tenant.pk, at=timezone.now()).is_on


MAY = Permission.MANAGE_RUNS
OPERATIONS = (
    Operation("keep_up", "Keep catching up", MAY, _keep_up, form=StandingForm, when=lambda row: not _is_on(row)),
    Operation("stop_keeping_up", "Stop catching up by itself", MAY, _stop, when=_is_on),
    Operation("limit_rows", "Limit the speed of the move", MAY, _limit, form=LimitForm),
)
for operation in OPERATIONS:
    TENANT_OPERATIONS.add(operation.name, operation)


def _panel(tenant_id: UUID) -> Mapping[str, Any]:
    at = timezone.now()
    behind = lags.behind(tenant_id=tenant_id, at=at)
    return {
        "behind": behind,
        "rows": [(one, behind.words_of(one.entity), lag.outcome(one.behind(at=at)).value) for one in behind.lags],
        "standing": queries.of_tenant(tenant_id=tenant_id, at=at),
    }


def _behind(tenant_ids: list[UUID]) -> dict[UUID, str]:
    found = lags.of_many(tenant_ids, at=timezone.now())
    return {tenant_id: lag.words(length) for tenant_id, length in found.items()}


class _OnFilter(admin.SimpleListFilter):
    title = "by itself"
    parameter_name = "on"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return whether it is on."""
        return (("yes", "Caught up by itself"), ("no", "Not"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the tenants for whom it is, or is not."""
        if self.value() not in ("yes", "no"):
            return queryset
        on = toggles.where_on(queries.NAME, at=timezone.now())
        return queryset.filter(tenant_id__in=on) if self.value() == "yes" else queryset.exclude(tenant_id__in=on)


class _VainFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "vain"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return what may have come of it."""
        return (("yes", "In vain for too long"),)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the tenants who are caught up in vain for longer than is usual."""
        if self.value() != "yes":
            return queryset
        at = timezone.now()
        return queryset.filter(tenant_id__in=toggles.where_on(queries.NAME, at=at), trying_since__lt=at - lag.LIMIT)


class _LimitFilter(admin.SimpleListFilter):
    title = "limit"
    parameter_name = "limited"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return whether the speed is limited."""
        return (("yes", "Limited"), ("no", "As fast as it goes"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the tenants whose rows may, or may not, move as fast as they can."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(rows_per_second__isnull=self.value() == "no")


def _on(tenant_ids: list[UUID]) -> dict[UUID, datetime]:
    found = toggles.on_of_many(tenant_ids=tenant_ids, at=timezone.now(), names=[queries.NAME])
    return {tenant_id: on[queries.NAME] for tenant_id, on in found.items()}


def _until(pace: Any) -> datetime | None:
    return pace.until if hasattr(pace, "until") else _on([pace.tenant_id]).get(pace.tenant_id)


class _PaceList(StaffList):
    def get_results(self, request: HttpRequest) -> None:
        """Read until when each tenant of this page is caught up by itself."""
        super().get_results(request)
        on = _on([pace.tenant_id for pace in self.result_list])
        for pace in self.result_list:
            pace.until = on.get(pace.tenant_id)


@admin.register(Pace)
class PaceAdmin(StaffAdmin):
    """How often and how fast each tenant's rows move, as far as somebody has set it; it is changed at the tenant."""

    may_view = Permission.VIEW_RUNS
    list_display = ("account", "by_itself", "how_often", "limit", "due", "in_vain")
    list_filter = (_OnFilter, _VainFilter, _LimitFilter, "every")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "tenant__slug")
    ordering = ("tenant__name", "id")
    fields = (
        "account", "by_itself", "how_often", "limit", "due", "asked_at", "in_vain", "free_at", "change_it",
    )  # fmt: skip
    readonly_fields = ("account", "by_itself", "how_often", "limit", "due", "in_vain", "change_it")

    @admin.display(description="account", ordering="tenant__name")
    def account(self, pace: Pace) -> str:
        """Return whose pace it is."""
        return str(pace.tenant)

    @admin.display(description="caught up by itself")
    def by_itself(self, pace: Any) -> str:
        """Return until when it is, if it is."""
        until = _until(pace)
        return f"until {date_format(until, 'DATE_FORMAT')}" if until else "no"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[_PaceList]:
        """Read what stands beside the rows for the whole page at once."""
        return _PaceList

    @admin.display(description="due at", ordering="due_at")
    def due(self, pace: Pace) -> datetime | None:
        """Return when it is caught up next; of an account that is not caught up by itself, nothing."""
        return pace.due_at if _until(pace) else None

    @admin.display(description="in vain")
    def in_vain(self, pace: Any) -> str:
        """Return since when it tried for longer than it usually takes; of an account that keeps up, nothing."""
        on, since = (
            pace.until if hasattr(pace, "until") else _on([pace.tenant_id]).get(pace.tenant_id),
            pace.trying_since,
        )
        if not on or since is None or timezone.now() - since <= lag.LIMIT:
            return ""
        return f"since {date_format(since, 'DATETIME_FORMAT')}"

    @admin.display(description="how often", ordering="every")
    def how_often(self, pace: Pace) -> str:
        """Return how many minutes lie between two catch-ups."""
        return pace.how_often

    @admin.display(description="rows per second", ordering="rows_per_second")
    def limit(self, pace: Pace) -> str:
        """Return how many may move at most."""
        return f"{pace.rows_per_second:,}" if pace.rows_per_second else "as fast as it goes"

    @admin.display(description="to change it")
    def change_it(self, pace: Pace) -> SafeString:
        """Lead to the tenant, where it is set."""
        url = reverse("admin:accounts_tenant_change", args=[pace.tenant_id])
        return format_html('<a href="{}">Open the account</a>', url)


TENANT_COLUMNS.add("behind", TenantColumn("behind legacy", _behind))
TENANT_PANELS.add("pace", TenantPanel("Catching up", "admin/panels/pace.html", _panel, order=35))
