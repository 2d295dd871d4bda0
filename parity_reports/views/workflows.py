"""One workflow: the old way beside the new one, and what the customer decides about it."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.errors import UseCaseError
from core.forms import UntilForm, day
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from parity_reports.domain.workflows import Workflow
from parity_reports.queries import catalogue, changes, reliances
from parity_reports.services import workflows as services

PAGE = "parity_reports/workflow.html"
_REASON = forms.Textarea(attrs={"rows": 2})


class AcceptForm(forms.Form):
    """Accepting a difference needs its reason."""

    reason = forms.CharField(max_length=500, widget=_REASON, help_text="It is kept, and shown to whoever signs.")


class KeepForm(UntilForm):
    """Keeping the old way needs an end and a reason."""

    until = day()
    reason = forms.CharField(max_length=500, widget=_REASON, help_text="It is kept with the switch.")


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def workflow(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """Show the old way beside the new one, what is planned to differ, and how it stands with the customer."""
    return _page(request, tenant, _find(tenant, workflow_id))


@require_POST
@tenant_view(Permission.MANAGE_WORKFLOWS)
def rely(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """Note that the customer relies on it."""
    return _decide(request, tenant, workflow_id, services.rely, "Noted: you rely on it.")


@require_POST
@tenant_view(Permission.MANAGE_WORKFLOWS)
def release(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """Take that back; also for a workflow that is no longer described."""
    services.release(tenant_id=tenant.pk, workflow_id=workflow_id, by=request.actor, at=timezone.now())
    messages.success(request, "It is off your list.")
    return HttpResponseRedirect(reverse("parity_reports:what_changed", args=[tenant.slug]))


@require_POST
@tenant_view(Permission.MANAGE_WORKFLOWS)
def confirm(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """Note that it was tried."""
    return _decide(request, tenant, workflow_id, services.confirm, "Noted: it was tried on the new platform.")


@require_POST
@tenant_view(Permission.MANAGE_WORKFLOWS)
def accept(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """Accept that it is not there, with a reason."""
    found, form = _find(tenant, workflow_id), AcceptForm(request.POST, auto_id="accept_%s")
    if form.is_valid():
        try:
            services.accept(
                tenant_id=tenant.pk,
                workflow_id=found.id,
                reason=form.cleaned_data["reason"],
                by=request.actor,
                at=timezone.now(),
            )
        except UseCaseError as refusal:
            form.add_error(None, _words(refusal))
        else:
            return _back(request, tenant, found, "The difference is accepted.")
    return _page(request, tenant, found, accept_form=form)


@require_POST
@tenant_view(Permission.MANAGE_WORKFLOWS)
def keep(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """Keep the old way open until the end of a day, in the customer's time."""
    found = _find(tenant, workflow_id)
    form = KeepForm(request.POST, zone=ZoneInfo(tenant.time_zone), auto_id="keep_%s")
    if form.is_valid():
        try:
            services.keep_old_way(
                tenant_id=tenant.pk,
                workflow_id=found.id,
                until=form.cleaned_data["until"],
                reason=form.cleaned_data["reason"],
                by=request.actor,
                at=timezone.now(),
            )
        except UseCaseError as refusal:
            form.add_error(None, _words(refusal))
        else:
            return _back(request, tenant, found, "The old way stays open for you. It ends by itself.")
    return _page(request, tenant, found, keep_form=form)


@require_POST
@tenant_view(Permission.MANAGE_WORKFLOWS)
def end(request: ActingRequest, tenant: Tenant, workflow_id: str) -> HttpResponse:
    """End the old way before its time."""
    return _decide(request, tenant, workflow_id, services.end_old_way, "The old way has ended.")


def _decide(
    request: ActingRequest, tenant: Tenant, workflow_id: str, use: Callable[..., None], said: str
) -> HttpResponse:
    found = _find(tenant, workflow_id)
    try:
        use(tenant_id=tenant.pk, workflow_id=found.id, by=request.actor, at=timezone.now())
    except (services.UnableToDecide, services.UnableToSwitch) as refusal:
        messages.error(request, _words(refusal))
        return HttpResponseRedirect(_address(tenant, found))
    return _back(request, tenant, found, said)


def _page(
    request: ActingRequest,
    tenant: Tenant,
    found: Workflow,
    *,
    accept_form: AcceptForm | None = None,
    keep_form: KeepForm | None = None,
) -> HttpResponse:
    at, zone = timezone.now(), ZoneInfo(tenant.time_zone)
    role = changes.role_of(request.actor)
    relied = reliances.of_tenant(tenant_id=tenant.pk, at=at).get(found.id)
    latest = timezone.localdate(at, zone) + (found.compat.longest if found.compat else timedelta())
    context = {
        "tenant": tenant,
        "row": changes.row(catalogue.read(), found, role=role, segment=tenant.segment, relied=relied),
        "kept_until": reliances.bridged_until(found, tenant_id=tenant.pk, at=at),
        "may_decide": request.actor.can(Permission.MANAGE_WORKFLOWS, tenant_id=tenant.pk),
        "may_see_data": request.actor.can(Permission.VIEW_RUNS, tenant_id=tenant.pk),
        "accept_form": accept_form or AcceptForm(auto_id="accept_%s"),
        "keep_form": keep_form or KeepForm(zone=zone, initial={"until": latest - timedelta(days=1)}, auto_id="keep_%s"),
    }
    return render(request, PAGE, context, status=422 if accept_form or keep_form else 200)


def _find(tenant: Tenant, workflow_id: str) -> Workflow:
    found = catalogue.read().workflows.workflows.get(workflow_id)
    if found is None or tenant.segment not in found.segments:
        raise Http404
    return found


def _back(request: ActingRequest, tenant: Tenant, found: Workflow, said: str) -> HttpResponse:
    messages.success(request, said)
    return HttpResponseRedirect(_address(tenant, found))


def _address(tenant: Tenant, found: Workflow) -> str:
    return reverse("parity_reports:workflow", args=[tenant.slug, found.id])


def _words(refusal: UseCaseError) -> str:
    return " ".join(filter(None, (refusal.message, refusal.fix)))
