"""The standing catch-up: how often and until when, on a page of its own; and its end."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.queries.tenants import Tenant
from backfills.queries import standing as queries
from backfills.services import standing
from backfills.views.forms import USUAL, StandingForm
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, tenant_view


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.MANAGE_RUNS)
def switch_on(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Have what changes in legacy brought over by itself."""
    at, zone, status = timezone.now(), ZoneInfo(tenant.time_zone), 200
    form = StandingForm(zone=zone, initial={"until": (at + USUAL).astimezone(zone).date()})
    if request.method == "POST":
        form, status = StandingForm(request.POST, zone=zone), 422
        if form.is_valid():
            every, until = form.cleaned_data["every"], form.cleaned_data["until"]
            try:
                standing.switch_on(tenant_id=tenant.pk, every=every, until=until, by=request.actor, at=at)
            except UseCaseError as refusal:
                form.add_error(None, " ".join(filter(None, (refusal.message, refusal.fix))))
            else:
                messages.success(request, "What changes in legacy is brought over by itself from now on.")
                return HttpResponseRedirect(_back(tenant))
    context = {"tenant": tenant, "form": form, "standing": queries.of_tenant(tenant_id=tenant.pk, at=at)}
    return render(request, "backfills/standing.html", context, status=status)


@require_POST
@tenant_view(Permission.MANAGE_RUNS)
def switch_off(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Bring nothing over by itself any more."""
    standing.switch_off(tenant_id=tenant.pk, by=request.actor, at=timezone.now())
    messages.success(request, "Nothing is brought over by itself any more.")
    return HttpResponseRedirect(_back(tenant))


def _back(tenant: Tenant) -> str:
    return reverse("backfills:runs", args=[tenant.slug])
