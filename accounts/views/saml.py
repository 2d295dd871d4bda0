"""Where identity providers send people back to, and where they read who we are: outside of any tenant's pages."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts import signin
from accounts.models import SsoConnection, SsoTest
from accounts.queries import sso as known
from accounts.queries import tenants
from accounts.services import sso_answers
from accounts.services.sso_messages import UnableToAnswer
from core import ports, tenancy
from core.actor import Actor
from core.web import public_view

SEE_OTHER = 303


@csrf_exempt  # another site posts here by design: the message answers a request of ours, or it is refused
@never_cache
@require_POST
@public_view
def acs(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take a provider's answer, which comes without our cookies, and lead on to where the browser shows its own.

    Nobody is signed in here. A test leads to its page, which shows it to a member who is signed in already; a sign-in
    leads to where the browser that asked for it, and no other, is signed in.
    """
    if (limited := signin.too_often(request)) is not None:
        return limited
    found = found_or_404(provider_id)
    with tenancy.scope(tenant_id=found.tenant_id):
        try:
            answered = sso_answers.take(
                connection_id=found.connection_id,
                tenant_id=found.tenant_id,
                message=request.POST.get("SAMLResponse", ""),
                relay_state=request.POST.get("RelayState", ""),
                by=Actor.system("sso"),
                at=timezone.now(),
            )
        except UnableToAnswer as refusal:
            return render(request, "refused.html", {"problem": refusal}, status=refusal.status)
        if isinstance(answered, SsoTest):
            slug = tenants.get(tenant_id=found.tenant_id).slug
            to = reverse("accounts:sso_test", args=[slug, answered.pk])
            if answered.is_failover:  # the admin is signed in at the first address
                to = f"{settings.PUBLIC_URL.rstrip('/')}{to}"
        else:
            to = reverse("sso:finish", args=[provider_id, answered.pk])
    return HttpResponse(status=SEE_OTHER, headers={"Location": to})


@csrf_exempt  # as for the ACS
@require_http_methods(["GET", "HEAD", "POST"])
@public_view
def metadata(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Tell a provider who we are for its tenant; the same for everybody, and nothing of the tenant.

    Where it was entered as the ACS address, an answer arrives: it is judged, and refused with what to enter instead.
    """
    if request.method == "POST":
        return acs(request, provider_id)
    found = found_or_404(provider_id)
    with tenancy.scope(tenant_id=found.tenant_id):
        failover = "second" in request.GET or known.is_failover(request.get_host())
        connection = SsoConnection.objects.get(pk=found.connection_id)
        sp = known.service_provider(connection, failover=failover and bool(settings.FAILOVER_URL))
    document = ports.identity_provider().describe(sp, signs_requests=connection.wants_signed_requests)
    headers = {"Content-Disposition": 'attachment; filename="crossing-metadata.xml"'}
    return HttpResponse(document, content_type="application/samlmetadata+xml", headers=headers)


def found_or_404(provider_id: str) -> known.Found:
    """Return whose connection an address names."""
    found = known.find(provider_id=provider_id)
    if found is None:
        raise Http404
    return found
