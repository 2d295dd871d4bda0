"""The pages that answer “where is invoice 4711?”, and “which ones ended so?”."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.queries.tenants import Tenant
from backfills.queries import mapping, runs
from backfills.services import fates
from core.permissions import Permission
from core.web import ActingRequest, tenant_view


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.VIEW_RUNS)
def find(request: ActingRequest, tenant: Tenant, entity: str) -> HttpResponse:
    """Ask for a key, and tell where its row ended. It is posted: a key may name a person, and addresses are kept."""
    spec = mapping.specs().get(entity)
    if spec is None:
        raise Http404
    key, found, problem = request.POST.get("key", "").strip(), None, None
    if key:
        try:
            found = fates.find(tenant_id=tenant.pk, spec=spec, key=key, by=request.actor)
        except fates.UnableToFind as refusal:
            problem = refusal
    context = {"tenant": tenant, "spec": spec, "key": key, "found": found, "problem": problem}
    return render(request, "backfills/fate.html", context, status=422 if problem else 200)


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def ended(request: ActingRequest, tenant: Tenant, entity: str) -> HttpResponse:
    """List the first rows that ended by one rule; no key stands in an address."""
    row = runs.of_entity(tenant_id=tenant.pk, entity=entity)
    if row is None:
        raise Http404
    found, problem = None, None
    page = request.GET.get("page", "1")
    try:
        found = fates.ended(
            tenant_id=tenant.pk,
            row=row,
            fate=request.GET.get("fate", ""),
            rule=request.GET.get("rule", ""),
            number=int(page) if page.isdecimal() and len(page) < 4 else 0,
            by=request.actor,
        )
    except fates.UnableToFind as refusal:
        problem = refusal
    context = {"tenant": tenant, "row": row, "found": found, "problem": problem}
    return render(request, "backfills/ended.html", context, status=422 if problem else 200)
