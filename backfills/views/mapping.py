"""What happens to an entity's rows, and what changed in it, told to the people whose rows they are."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.queries.tenants import Tenant
from backfills.domain import plain
from backfills.queries import mapping, versions
from core.permissions import Permission
from core.web import ActingRequest, tenant_view


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def told(request: ActingRequest, tenant: Tenant, entity: str) -> HttpResponse:
    """Tell the mapping of one entity in plain words."""
    spec = mapping.specs().get(entity)
    if spec is None:
        raise Http404
    siblings = [one for one in mapping.specs().values() if one.source_table == spec.source_table and one is not spec]
    context = {"tenant": tenant, "spec": spec, "told": plain.tell(spec), "siblings": siblings}
    return render(request, "backfills/mapping.html", context)


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def changed(request: ActingRequest, tenant: Tenant, entity: str) -> HttpResponse:
    """Tell what changed between two versions of the mapping by which the tenant's rows were judged."""
    spec = mapping.specs().get(entity)
    if spec is None:
        raise Http404
    listed, comparison, problem = versions.of_tenant(tenant_id=tenant.pk, entity=entity), None, None
    before, after = request.GET.get("before", ""), request.GET.get("after", "")
    try:
        comparison = versions.compare(listed, entity=entity, before=before, after=after)
    except versions.UnableToCompare as refusal:
        problem = refusal
    context = {"tenant": tenant, "spec": spec, "versions": listed, "found": comparison, "problem": problem}
    return render(
        request, "backfills/mapping_changes.html", context, status=422 if problem and (before or after) else 200
    )
