"""What is done to an endpoint on the page of integrations: register, try, switch off, replace its secret."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.queries.tenants import Tenant
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from integrations.models import Endpoint, Item
from integrations.queries import endpoints as listed
from integrations.queries import inventory as lines
from integrations.services import endpoints, harness, messages, rotations
from integrations.views import overlaps
from integrations.views.overview import ENDPOINTS, PAGE, address, context


@never_cache
@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def register(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Register an address; its secret stands in this one answer and in no other."""
    url, wanted = request.POST.get("url", ""), request.POST.get("item", "")
    told: dict[str, object] = {}
    status = 200
    try:
        endpoint, secret = endpoints.register(
            tenant_id=tenant.pk, url=url, item=_item(tenant, wanted), by=request.actor, at=timezone.now()
        )
        told = {"fresh": endpoint, "secret": secret}
    except UseCaseError as refusal:
        told = {"typed": url[:2048], "chosen": wanted[:40], "register_problem": refusal}
        status = refusal.status
    return render(request, PAGE, {**context(request, tenant), **told}, status=status)


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def run_harness(request: ActingRequest, tenant: Tenant, endpoint_id: UUID) -> HttpResponse:
    """Run the harness against an endpoint."""
    return _endpoint(
        request, tenant, endpoint_id, lambda one, at: harness.request(endpoint=one, by=request.actor, at=at)
    )


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def send_test(request: ActingRequest, tenant: Tenant, endpoint_id: UUID) -> HttpResponse:
    """Send a test event to an endpoint."""
    return _endpoint(
        request, tenant, endpoint_id, lambda one, at: messages.send_test(endpoint=one, by=request.actor, at=at)
    )


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def switch_off(request: ActingRequest, tenant: Tenant, endpoint_id: UUID) -> HttpResponse:
    """Send nothing more to an endpoint."""
    return _endpoint(
        request, tenant, endpoint_id, lambda one, at: endpoints.switch_off(endpoint=one, by=request.actor, at=at)
    )


@never_cache
@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def rotate_secret(request: ActingRequest, tenant: Tenant, endpoint_id: UUID) -> HttpResponse:
    """Give an endpoint a new secret; it stands in this one answer and in no other."""
    endpoint, overlap = _find(tenant, endpoint_id), overlaps.read(request.POST)
    try:
        secret = rotations.begin(endpoint=endpoint, overlap=overlap, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        return render(request, PAGE, {**context(request, tenant), "problem": refusal}, status=refusal.status)
    told = {"fresh": _find(tenant, endpoint_id), "secret": secret}
    return render(request, PAGE, {**context(request, tenant), **told})


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def end_old_secret(request: ActingRequest, tenant: Tenant, endpoint_id: UUID) -> HttpResponse:
    """Sign with the new secret alone from now on."""
    return _endpoint(
        request, tenant, endpoint_id, lambda one, at: rotations.end_old(endpoint=one, by=request.actor, at=at)
    )


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def take_secret_back(request: ActingRequest, tenant: Tenant, endpoint_id: UUID) -> HttpResponse:
    """Sign with the old secret alone again."""
    return _endpoint(
        request, tenant, endpoint_id, lambda one, at: rotations.take_back(endpoint=one, by=request.actor, at=at)
    )


def _endpoint(
    request: ActingRequest, tenant: Tenant, endpoint_id: UUID, use: Callable[[Endpoint, datetime], object]
) -> HttpResponse:
    endpoint = _find(tenant, endpoint_id)
    problem: UseCaseError | None = None
    try:
        use(endpoint, timezone.now())
    except UseCaseError as refusal:
        problem = refusal
    return answer(request, ENDPOINTS, context(request, tenant), to=f"{address(tenant)}#endpoints", problem=problem)


def _find(tenant: Tenant, endpoint_id: UUID) -> Endpoint:
    found = listed.find(tenant_id=tenant.pk, endpoint_id=endpoint_id)
    if found is None:
        raise Http404
    return found


def _item(tenant: Tenant, wanted: str) -> Item | None:
    try:
        return lines.find(tenant_id=tenant.pk, item_id=UUID(wanted))
    except ValueError:
        return None
