"""The entitlements of a tenant: what it has, what it will have, what it costs, and what is to be chosen."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from entitlements.queries import previews, screens
from entitlements.services import choices, snapshots

PAGE = "entitlements/preview.html"
LIVE = f"{PAGE}#live"


@require_safe
@tenant_view(Permission.VIEW_ENTITLEMENTS)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show everything, what changes first; to a page that waits, its live part."""
    is_fragment = request.headers.get("HX-Request") == "true"
    response = render(request, LIVE if is_fragment else PAGE, _context(request, tenant))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.RUN_CHECKS)
def refresh(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Have both platforms looked at again."""
    snapshots.request(tenant_id=tenant.pk, by=request.actor)
    return answer(request, LIVE, _context(request, tenant), to=_address(tenant))


@require_POST
@tenant_view(Permission.DECIDE_ENTITLEMENTS)
def choose(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Record a choice; a refused one comes back with its reason."""
    given = {name: request.POST.get(name, "")[:300] for name in ("subject", "choice", "basis")}
    problem: UseCaseError | None = None
    try:
        choices.choose(tenant_id=tenant.pk, **given, by=request.actor, at=timezone.now())
    except choices.UnableToChoose as refusal:
        problem = refusal
    return answer(request, LIVE, _context(request, tenant), to=_address(tenant), problem=problem)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    at = timezone.now()
    state = previews.state(tenant_id=tenant.pk, at=at)
    return {
        "tenant": tenant,
        "job": previews.refreshing(tenant_id=tenant.pk),
        "page": screens.page(state, at=at) if state else None,
        "may_refresh": request.actor.can(Permission.RUN_CHECKS, tenant_id=tenant.pk),
        "may_choose": request.actor.can(Permission.DECIDE_ENTITLEMENTS, tenant_id=tenant.pk),
    }


def _address(tenant: Tenant) -> str:
    return reverse("entitlements:preview", args=[tenant.slug])
