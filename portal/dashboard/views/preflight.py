"""Preflight: every check, what it found, and asking again."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core import queue, readiness
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from portal.dashboard.queries import checks
from portal.dashboard.services import checks as steering

PAGE = "portal/preflight.html"
PART = f"{PAGE}#checks"


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def preflight(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the checks; to htmx only their list, which asks again while something runs."""
    response = render(request, PART if request.headers.get("HX-Request") else PAGE, _context(request, tenant))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.RUN_CHECKS)
def run(request: ActingRequest, tenant: Tenant, check_id: str | None = None) -> HttpResponse:
    """Ask one check again, or all."""
    problem: UseCaseError | None = None
    try:
        readiness.request(tenant_id=tenant.pk, by=request.actor, check_id=check_id)
    except UseCaseError as refusal:
        problem = refusal
    return _answer(request, tenant, problem)


@require_POST
@tenant_view(Permission.RUN_CHECKS)
def stop(request: ActingRequest, tenant: Tenant, job_id: UUID) -> HttpResponse:
    """Stop a run that does not move."""
    problem: UseCaseError | None = None
    try:
        steering.stop(tenant_id=tenant.pk, job_id=job_id, by=request.actor)
    except queue.UnableToCancel as refusal:
        problem = refusal
    return _answer(request, tenant, problem)


def _answer(request: ActingRequest, tenant: Tenant, problem: UseCaseError | None) -> HttpResponse:
    to = reverse("dashboard:preflight", args=[tenant.slug])
    return answer(request, PART, _context(request, tenant), to=to, problem=problem)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    return {
        "tenant": tenant,
        "preflight": checks.read(tenant=tenant, at=timezone.now()),
        "may_run": request.actor.can(Permission.RUN_CHECKS, tenant_id=tenant.pk),
    }
