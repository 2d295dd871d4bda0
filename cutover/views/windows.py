"""The cutover's own settings, one topic a page: the window, and who approves."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.queries import members
from core.errors import UseCaseError
from core.permissions import Permission, tenant_grants
from core.web import ActingRequest, tenant_view
from cutover.domain.windows import SETTABLE
from cutover.queries import cutovers
from cutover.services import cutovers as services
from cutover.views.forms import ApproverForm, WindowForm


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def summary(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Show when the account moves and who decides, each with its Change link."""
    actor, phase = request.actor, cutovers.phase_of(tenant.pk)
    context = {
        "tenant": tenant,
        "cutover": cutovers.find(tenant_id=tenant.pk),
        "phase": phase,
        "may_set_window": phase in SETTABLE and actor.can(Permission.MANAGE_WINDOW, tenant_id=tenant.pk),
        "may_name_approver": actor.can(Permission.APPROVE_CUTOVER, tenant_id=tenant.pk),
        "may_see_evidence": actor.can(Permission.VIEW_EVIDENCE, tenant_id=tenant.pk),
    }
    return render(request, "cutover/cutover.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.MANAGE_WINDOW)
def window(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Set or change the window; times are read and shown in the tenant's time zone."""
    problem: UseCaseError | None = None
    with timezone.override(ZoneInfo(tenant.time_zone)):
        if request.method == "POST":
            form, status = WindowForm(request.POST, zone=tenant.time_zone), 422
            if form.is_valid():
                try:
                    services.set_window(tenant_id=tenant.pk, **form.cleaned_data, by=request.actor, at=timezone.now())
                except services.UnableToSetWindow as refusal:
                    problem = refusal
                else:
                    messages.success(request, "The cutover window is set.")
                    return redirect("cutover:cutover", tenant.slug)
        else:
            cutover, status = cutovers.find(tenant_id=tenant.pk), 200
            initial = {"starts_at": cutover.window_starts_at, "ends_at": cutover.window_ends_at} if cutover else None
            form = WindowForm(initial=initial, zone=tenant.time_zone)
        context = {"tenant": tenant, "form": form, "problem": problem}
        return render(request, "cutover/window.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.APPROVE_CUTOVER)
def approver(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Name who signs for the customer."""
    problem: UseCaseError | None = None
    able = [
        (str(member.pk), f"{member.user} ({member.get_role_display()})")
        for member in members.active(tenant_id=tenant.pk)
        if Permission.VIEW_EVIDENCE in tenant_grants(member.role)
    ]
    if request.method == "POST":
        form, status = ApproverForm(request.POST, members=able), 422
        if form.is_valid():
            chosen = form.cleaned_data["member"]
            member_id = UUID(chosen) if chosen else None
            try:
                services.name_approver(tenant_id=tenant.pk, member_id=member_id, by=request.actor, at=timezone.now())
            except services.UnableToAppoint as refusal:
                problem = refusal
            else:
                messages.success(request, "The approver is named." if member_id else "Any owner may approve.")
                return redirect("cutover:cutover", tenant.slug)
    else:
        cutover, status = cutovers.find(tenant_id=tenant.pk), 200
        form = ApproverForm(initial={"member": cutover.approver_id if cutover else None}, members=able)
    context = {"tenant": tenant, "form": form, "problem": problem}
    return render(request, "cutover/approver.html", context, status=status)
