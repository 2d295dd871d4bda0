"""Every message of the ladder as it would read, for whoever answers for it."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.queries import tenants
from comms.domain.ladder import TEMPLATES
from comms.queries import wording
from core.permissions import Permission
from core.web import ActingRequest, staff_view


@require_safe
@staff_view(Permission.VIEW_PROGRAMME, reason="preview messages")
def preview(request: ActingRequest) -> HttpResponse:
    """Show every message with a sample tenant, or with the one named by `?tenant=`."""
    slug = request.GET.get("tenant", "").replace("\0", "")[:63]
    facts = wording.sample()
    if slug:
        tenant = tenants.every().filter(slug=slug).first()
        if tenant is None:
            raise Http404
        facts = wording.facts(tenant_id=tenant.pk)
    rows = [{"template": template, "words": wording.write(template, facts)} for template in TEMPLATES.values()]
    return render(request, "comms/preview.html", {"rows": rows, "about": facts.tenant})
