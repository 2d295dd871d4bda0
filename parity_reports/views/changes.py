"""What changed: the matrix with its search, one workflow, one guide, and the way on from an old bookmark."""

import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from accounts.queries.tenants import Tenant
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from parity_reports.domain.search import LONGEST_QUESTION
from parity_reports.queries import catalogue, changes

MATRIX, WORKFLOW, GUIDE = (f"parity_reports/{name}.html" for name in ("what_changed", "workflow", "guide"))
_PER_PAGE = 50


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def matrix(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the workflows and the guides of this reader first; all of the segment when asked for."""
    question = request.GET.get("q", "").strip()[:LONGEST_QUESTION]
    everything = "all" in request.GET
    role = changes.role_of(request.actor)
    screen = changes.read(segment=tenant.segment, role=role, question=question, everything=everything)
    page = Paginator(screen.rows, _PER_PAGE).get_page(request.GET.get("page"))
    context = {"tenant": tenant, "screen": screen, "page": page, "question": question, "everything": everything}
    return render(request, MATRIX, {**context, "role": role})


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def workflow(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """Show the old way beside the new one, and what is planned to differ."""
    declared = catalogue.read()
    found = declared.workflows.workflows.get(workflow_id)
    if found is None or tenant.segment not in found.segments:
        raise Http404
    row = changes.row(declared, found, role=changes.role_of(request.actor), segment=tenant.segment)
    return render(request, WORKFLOW, {"tenant": tenant, "row": row})


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def guide(request: ActingRequest, tenant: Tenant, guide_slug: str) -> HttpResponse:
    """Show one guide."""
    declared = catalogue.read()
    found = declared.guides.get(guide_slug)
    if found is None or not found.is_published:
        raise Http404
    rows = [
        changes.row(declared, declared.workflows.workflows[name], role="", segment=tenant.segment)
        for name in found.workflows
        if tenant.segment in declared.workflows.workflows[name].segments
    ]
    body = mark_safe(found.html)  # noqa: S308  (parity_reports.domain.markdown lets a short list of elements through)
    return render(request, GUIDE, {"tenant": tenant, "guide": found, "body": body, "rows": rows})


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def was(request: ActingRequest, tenant: Tenant, old: str) -> HttpResponse:
    """Lead from an address of the old platform to the guide of the new place, or to a search by its words."""
    found = changes.lead(old, segment=tenant.segment, role=changes.role_of(request.actor))
    if found is not None:
        kind, name = found
        return redirect(f"parity_reports:{kind}", tenant.slug, name)
    words = " ".join(re.findall(r"[^\W\d_]{3,}", old.rsplit("/", 1)[-1].partition(".")[0]))
    messages.info(request, f"The old page “{old[:100]}” is not in the list of what moved. This is what its name finds.")
    asked = urlencode({"q": words[:LONGEST_QUESTION], "all": "1"}) if words else "all=1"
    return HttpResponseRedirect(f"{reverse('parity_reports:what_changed', args=[tenant.slug])}?{asked}")
