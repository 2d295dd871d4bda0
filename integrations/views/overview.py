"""Integrations: what is connected to legacy and what becomes of it, endpoints and the harness that tries them."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.errors import UseCaseError
from core.inventory import Kind
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from integrations.domain.fates import Fate
from integrations.queries import endpoints as listed
from integrations.queries import inventory as lines
from integrations.queries import messages as sent
from integrations.services import inventory
from integrations.views.overlaps import OVERLAPS

PAGE = "integrations/overview.html"
ENDPOINTS = f"{PAGE}#endpoints"


@require_safe
@tenant_view(Permission.VIEW_INTEGRATIONS)
def overview(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show everything; to htmx only the endpoints, which ask again while the harness runs."""
    response = render(request, ENDPOINTS if request.headers.get("HX-Request") else PAGE, context(request, tenant))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def read(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Read the inventory from legacy."""
    return _inventory(request, tenant, lambda at: inventory.read(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def accept(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Take our proposal for everything that has no fate."""
    return _inventory(request, tenant, lambda at: inventory.accept_all(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def decide(request: ActingRequest, tenant: Tenant, item_id: UUID) -> HttpResponse:
    """State what becomes of one item."""
    item = lines.find(tenant_id=tenant.pk, item_id=item_id)
    if item is None:
        raise Http404
    fate, reason = request.POST.get("fate", ""), request.POST.get("reason", "")
    return _inventory(
        request,
        tenant,
        lambda at: inventory.decide(item=item, fate=fate, reason=reason, by=request.actor, at=at),
    )


def _inventory(request: ActingRequest, tenant: Tenant, use: Callable[[datetime], object]) -> HttpResponse:
    problem: UseCaseError | None = None
    try:
        use(timezone.now())
    except UseCaseError as refusal:
        problem = refusal
    return answer(request, PAGE, context(request, tenant), to=f"{address(tenant)}#inventory", problem=problem)


def context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    """Return what the page shows, for each answer that is this page."""
    standing = listed.standing(tenant_id=tenant.pk)
    listing = lines.lines(tenant_id=tenant.pk, on=timezone.now().date())
    adopted = {one.endpoint.item_id for one in standing if one.endpoint.off_at is None}
    going_on = [line.item for line in listing if line.item.kind == Kind.WEBHOOK.value and line.item.gone_at is None]
    return {
        "tenant": tenant,
        "lines": listing,
        "undecided": sum(1 for line in listing if not line.item.fate and line.item.gone_at is None),
        "fates": [(fate.value, fate.words) for fate in Fate],
        "standing": standing,
        "is_running": any(one.running and not one.is_stuck for one in standing),
        "to_adopt": [item for item in going_on if item.pk not in adopted and item.fate != Fate.RETIRED.value],
        "counts": sent.counts(tenant_id=tenant.pk),
        "overlaps": OVERLAPS,
        "may_manage": request.actor.can(Permission.MANAGE_INTEGRATIONS, tenant_id=tenant.pk),
        "demo_receiver": f"{settings.DEMO_RECEIVER}{tenant.slug}/" if settings.DEMO_RECEIVER else "",
    }


def address(tenant: Tenant) -> str:
    """Return where the page is."""
    return reverse("integrations:overview", args=[tenant.slug])
