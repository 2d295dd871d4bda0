"""The page that answers “where is invoice 4711?” for one object of an entity."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.queries.tenants import Tenant
from backfills.queries import mapping
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
