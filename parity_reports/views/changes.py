"""What changed: the matrix with its search, one guide, and the way on from an old bookmark."""

import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from parity_reports.domain.search import LONGEST_QUESTION
from parity_reports.queries import catalogue, changes, marks
from parity_reports.services import guides

MATRIX, GUIDE, PANEL = (f"parity_reports/{name}.html" for name in ("what_changed", "guide", "panel"))
_PER_PAGE = 50


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def matrix(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the workflows and the guides of this reader first; all of the segment when asked for."""
    question = request.GET.get("q", "").strip()[:LONGEST_QUESTION]
    everything = "all" in request.GET
    screen = changes.read(
        tenant_id=tenant.pk,
        segment=tenant.segment,
        by=request.actor,
        at=timezone.now(),
        question=question,
        everything=everything,
    )
    page = Paginator(screen.rows, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tenant": tenant,
        "screen": screen,
        "page": page,
        "question": question,
        "everything": everything,
        "role": changes.role_of(request.actor),
        "may_decide": request.actor.can(Permission.MANAGE_WORKFLOWS, tenant_id=tenant.pk),
    }
    return render(request, MATRIX, context)


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
    marks_of_reader = marks.of_person(tenant_id=tenant.pk, user_id=request.actor.known_id)
    body = mark_safe(found.html)  # noqa: S308  (parity_reports.domain.markdown lets a short list of elements through)
    context = {"tenant": tenant, "guide": found, "body": body, "rows": rows}
    return render(request, GUIDE, {**context, "mark": marks_of_reader.get(found.slug)})


@require_POST
@tenant_view(Permission.VIEW_TENANT)
def mark(request: ActingRequest, tenant: Tenant, guide_slug: str) -> HttpResponse:
    """Put a guide aside for this reader, as read or unread, and go on where they were."""
    on_overview = request.POST.get("from") == "overview"
    as_read = request.POST.get("mark") == "read"
    guides.mark(tenant_id=tenant.pk, guide=guide_slug, is_read=as_read, by=request.actor, at=timezone.now())
    news = changes.news(tenant_id=tenant.pk, segment=tenant.segment, by=request.actor)
    to = reverse("dashboard:overview" if on_overview else "parity_reports:what_changed", args=[tenant.slug])
    return answer(request, PANEL, {"tenant": tenant, "panel": {"news": news}}, to=to)


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def was(request: ActingRequest, tenant: Tenant, old: str) -> HttpResponse:
    """Lead from an address of the legacy platform to the guide of the new place, or to a search by its words."""
    found = changes.lead(old, segment=tenant.segment, role=changes.role_of(request.actor))
    if found is not None:
        kind, name = found
        return redirect(f"parity_reports:{kind}", tenant.slug, name)
    words = " ".join(re.findall(r"[^\W\d_]{3,}", old.rsplit("/", 1)[-1].partition(".")[0]))
    messages.info(request, f"The old page “{old[:100]}” is not in the list of what moved. This is what its name finds.")
    asked = urlencode({"q": words[:LONGEST_QUESTION], "all": "1"}) if words else "all=1"
    return HttpResponseRedirect(f"{reverse('parity_reports:what_changed', args=[tenant.slug])}?{asked}")
