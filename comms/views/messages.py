"""Messages: what was and will be said to whom, and what the customer may choose about it."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comms.models import Mailing
from comms.queries import mailings as listed
from comms.queries import notices
from comms.services import mailings, preferences
from comms.views.forms import MessageForm
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

PER_PAGE = 20


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def listing(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Show what is planned and what was sent, with its text and its people."""
    actor = request.actor
    page = Paginator(listed.listed(tenant_id=tenant.pk), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tenant": tenant,
        "page": page,
        "rows": listed.rows(
            page,
            tenant_id=tenant.pk,
            with_names=actor.can(Permission.VIEW_MEMBERS, tenant_id=tenant.pk),
            may_manage=actor.can(Permission.MANAGE_COMMS, tenant_id=tenant.pk),
        ),
        "essential_only": listed.wants_essential_only(tenant_id=tenant.pk, user_id=actor.known_id),
    }
    return render(request, "comms/messages.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.MANAGE_COMMS)
def message(request: ActingRequest, tenant: Any, mailing_id: UUID) -> HttpResponse:
    """Choose the day of a planned message and add a word of one's own."""
    mailing, problem, status = _find(tenant, mailing_id), None, 200
    with timezone.override(ZoneInfo(tenant.time_zone)):
        if request.method == "POST":
            form, status = MessageForm(request.POST, zone=tenant.time_zone), 422
            if form.is_valid():
                try:
                    at = timezone.now()
                    mailings.reschedule(mailing=mailing, **form.cleaned_data, by=request.actor, at=at)
                except UseCaseError as refusal:
                    problem, status = refusal, refusal.status
                else:
                    messages.success(request, "The message is changed.")
                    return redirect("comms:messages", tenant.slug)
        else:
            form = MessageForm(initial={"due_at": mailing.due_at, "note": mailing.note}, zone=tenant.time_zone)
        (row,) = listed.rows([mailing], tenant_id=tenant.pk, with_names=False, may_manage=True)
        context = {"tenant": tenant, "form": form, "row": row, "problem": problem}
        return render(request, "comms/message.html", context, status=status)


@require_POST
@tenant_view(Permission.MANAGE_COMMS)
def skip(request: ActingRequest, tenant: Any, mailing_id: UUID) -> HttpResponse:
    """Leave a planned message out."""
    mailing = _find(tenant, mailing_id)
    try:
        mailings.skip(mailing=mailing, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        messages.error(request, " ".join(filter(None, (refusal.message, refusal.fix))))
    else:
        messages.success(request, "The message is skipped.")
    return redirect("comms:messages", tenant.slug)


@require_POST
@tenant_view(Permission.VIEW_TENANT)
def prefer(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Choose for oneself: everything, or only what is essential."""
    essential_only = request.POST.get("mails") == "essential"
    preferences.choose(tenant_id=tenant.pk, essential_only=essential_only, by=request.actor, at=timezone.now())
    messages.success(request, "You get only what is essential." if essential_only else "You get every message.")
    return redirect("comms:messages", tenant.slug)


@require_POST
@tenant_view(Permission.VIEW_TENANT)
def dismiss(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Put a banner away, and stay on the page."""
    banner = request.POST.get("banner", "")[:100]
    try:
        preferences.dismiss(tenant_id=tenant.pk, banner=banner, by=request.actor, at=timezone.now())
    except preferences.UnableToDismiss as refusal:
        messages.error(request, refusal.message)
    wanted = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        wanted = reverse("dashboard:overview", args=[tenant.slug])
    return HttpResponseRedirect(wanted)


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def status(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Show the news about the move, newest first."""
    page = Paginator(notices.updates(tenant_id=tenant.pk), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "comms/status.html", {"tenant": tenant, "page": page})


def _find(tenant: Any, mailing_id: UUID) -> Mailing:
    mailing = listed.find(tenant_id=tenant.pk, mailing_id=mailing_id)
    if mailing is None:
        raise Http404
    return mailing
