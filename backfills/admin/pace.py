"""How far behind legacy tenants are, and the pace of their runs: a column, a panel, and what staff can do about it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from backfills.domain import lag
from backfills.queries import lag as lags
from backfills.queries import standing as queries
from backfills.services import standing
from backfills.views.forms import LimitForm, StandingForm
from core.admin import (
    TENANT_COLUMNS,
    TENANT_OPERATIONS,
    TENANT_PANELS,
    Operation,
    StaffAdmin,
    TenantColumn,
    TenantPanel,
)
from core.permissions import Permission


def _keep_up(page: StaffAdmin, request: HttpRequest, tenant: Any, answers: Mapping[str, Any]) -> str:
    """Have a tenant caught up by itself."""
    by, at = page.actor(request), timezone.now()
    standing.switch_on(tenant_id=tenant.pk, every=answers["every"], until=answers["until"], by=by, at=at)
    return f"What changes in legacy of {tenant} is brought over every {answers['every']} minutes."


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


TENANT_COLUMNS.add("behind", TenantColumn("behind legacy", _behind))
TENANT_PANELS.add("pace", TenantPanel("Catching up", "admin/panels/pace.html", _panel, order=35))
