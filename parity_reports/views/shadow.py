"""Shadow reads on screen: what they found, and the switch that lets them be made."""

from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.errors import UseCaseError
from core.forms import UntilForm, day
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from parity_reports.domain.shadow import LONGEST
from parity_reports.queries.screens import shadow as shadow_screens
from parity_reports.services import shadow

PAGE = "parity_reports/shadow.html"


class SwitchForm(UntilForm):
    """Switching on needs an end and a reason."""

    until = day(help_text=f"At most {LONGEST.days} days from now. They end by themselves.")
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="It is kept with the switch."
    )


@require_safe
@tenant_view(Permission.VIEW_PARITY)
def page(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show what was read of both platforms."""
    return _page(request, tenant)


@require_POST
@tenant_view(Permission.RUN_PARITY)
def switch_on(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Let reads be made until the end of a day, in the customer's time."""
    form = SwitchForm(request.POST, zone=ZoneInfo(tenant.time_zone))
    if not form.is_valid():
        return _page(request, tenant, form)
    try:
        shadow.switch_on(
            tenant_id=tenant.pk,
            until=form.cleaned_data["until"],
            reason=form.cleaned_data["reason"],
            by=request.actor,
            at=timezone.now(),
        )
    except UseCaseError as refusal:
        form.add_error(None, " ".join(filter(None, (refusal.message, refusal.fix))))
    else:
        messages.success(request, "Shadow reads are on. They end by themselves.")
        return _back(tenant)
    return _page(request, tenant, form)


@require_POST
@tenant_view(Permission.RUN_PARITY)
def switch_off(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Make no more reads."""
    if shadow.switch_off(tenant_id=tenant.pk, by=request.actor, at=timezone.now()):
        messages.success(request, "Shadow reads are off.")
    return _back(tenant)


def _page(request: ActingRequest, tenant: Tenant, form: SwitchForm | None = None) -> HttpResponse:
    at, zone = timezone.now(), ZoneInfo(tenant.time_zone)
    proposed = timezone.localdate(at, zone) + LONGEST / 2
    context = {
        "tenant": tenant,
        "found": shadow_screens.of(tenant_id=tenant.pk, zone=zone, at=at),
        "may_switch": request.actor.can(Permission.RUN_PARITY, tenant_id=tenant.pk),
        "form": form or SwitchForm(zone=zone, initial={"until": proposed}),
    }
    return render(request, PAGE, context, status=422 if form else 200)


def _back(tenant: Tenant) -> HttpResponse:
    return HttpResponseRedirect(reverse("parity_reports:shadow", args=[tenant.slug]))
