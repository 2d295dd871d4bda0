"""Connector health for the integrations lead: endpoints, the inventory, and a tenant's panel and column."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin import TENANT_COLUMNS, TENANT_PANELS, StaffAdmin, TenantColumn, TenantPanel, operation
from core.permissions import Permission
from integrations.models import Endpoint, Item
from integrations.queries import endpoints as listed
from integrations.queries import health
from integrations.services import harness


def _is_on(endpoint: Endpoint) -> bool:
    return endpoint.off_at is None


@admin.register(Endpoint)
class EndpointAdmin(StaffAdmin):
    """Every endpoint: whether its receiver verifies, and since when nothing arrives."""

    list_display = ("url", "tenant", "tried", "failing_since", "registered_at", "off_at", "off_why")
    list_filter = ("off_why",)
    list_select_related = ("tenant",)
    search_fields = ("url", "tenant__name")
    exclude = ("secret", "old_secret")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        """Read the latest run with each endpoint."""
        rows: QuerySet[Endpoint] = super().get_queryset(request)
        return listed.with_latest(rows)

    @admin.display(description="harness")
    def tried(self, endpoint: Endpoint) -> str:
        """Say how the latest run ended."""
        return listed.told(endpoint)

    @operation("Run the harness", permission=Permission.MANAGE_INTEGRATIONS, when=_is_on)
    def run_harness(self, request: HttpRequest, row: Endpoint, answers: Mapping[str, Any]) -> str:
        """Try the receiver again."""
        harness.request(endpoint=row, by=self.actor(request), at=timezone.now())
        return f"The harness tries {row.url}; look at it again in a minute."


@admin.register(Item)
class ItemAdmin(StaffAdmin):
    """What tenants have connected to legacy, and what becomes of it."""

    list_display = ("name", "tenant", "kind", "fate", "reason", "last_used_on", "is_active", "gone_at")
    list_filter = ("kind", "fate", "is_active")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name")


def _panel(tenant_id: UUID) -> Mapping[str, Any]:
    return {"standing": listed.standing(tenant_id=tenant_id), "health": health.of(tenant_id=tenant_id)}


def _column(tenant_ids: list[UUID]) -> dict[UUID, str]:
    return {tenant_id: one.words for tenant_id, one in health.of_many(tenant_ids=tenant_ids).items()}


TENANT_PANELS.add("integrations", TenantPanel("Integrations", "admin/panels/integrations.html", _panel, order=45))
TENANT_COLUMNS.add("integrations", TenantColumn("integrations", _column, empty="not read"))
