"""Provisioning by the tenant's directory: try it, enable it, give groups roles, see what each call did."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import roles, setup_guides
from accounts.domain.provisioning import guides
from accounts.domain.provisioning.guides import GUIDES
from accounts.models import Tenant
from accounts.queries.provisioning import panel, resources, tokens
from accounts.services.provisioning import people, switch
from accounts.services.provisioning.switch import UnableToSwitch
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

PAGE = "accounts/provisioning.html"


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show how it stands and every call; htmx asks for the calls again while they come in."""
    template = f"{PAGE}#calls" if request.headers.get("HX-Request") == "true" else PAGE
    return render(request, template, _context(request, tenant))


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def guide(request: ActingRequest, tenant: Tenant, product: str) -> HttpResponse:
    """Show how this directory is told of us, with our address."""
    found = GUIDES.get(product)
    if found is None:
        raise Http404
    ours = guides.values(resources.service())
    context = {
        "tenant": tenant,
        "guide": found,
        "guides": GUIDES.values(),
        "steps": [(step.text, list(setup_guides.filled(step, ours))) for step in found.steps],
        "may_issue": request.actor.can(Permission.MANAGE_TOKENS, tenant_id=tenant.pk),
    }
    return render(request, "accounts/provisioning_guide.html", context)


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def enable(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """End the trial."""
    return _do(request, tenant, lambda at: switch.enable(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def go_back(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Go back to the trial."""
    return _do(request, tenant, lambda at: switch.go_back(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def give_role(request: ActingRequest, tenant: Tenant, group_id: UUID) -> HttpResponse:
    """Give a group's people a role, or none."""
    role = request.POST.get("role", "")
    return _do(
        request,
        tenant,
        lambda at: switch.give_role(tenant_id=tenant.pk, group_id=group_id, role=role, by=request.actor, at=at),
    )


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def restore(request: ActingRequest, tenant: Tenant, user_id: UUID) -> HttpResponse:
    """Undo the deletion of a person."""
    return _do(
        request,
        tenant,
        lambda at: switch.restore(tenant_id=tenant.pk, user_id=user_id, by=request.actor, at=at),
    )


def _do(request: ActingRequest, tenant: Tenant, use: Callable[[datetime], object]) -> HttpResponse:
    """Do what was asked and go back to the page, or show there why not."""
    try:
        use(timezone.now())
    except UnableToSwitch as refusal:
        return render(request, PAGE, {**_context(request, tenant), "problem": refusal}, status=refusal.status)
    return redirect("accounts:provisioning", tenant.slug)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    standing = panel.standing(tenant_id=tenant.pk)
    asked = request.GET.get("only", "")
    only = asked if asked in panel.ONLY else ""
    page, lines = panel.lines(tenant_id=tenant.pk, number=request.GET.get("page"), only=only)
    may_manage = request.actor.can(Permission.MANAGE_MEMBERS, tenant_id=tenant.pk)
    beyond = people.beyond(tenant_id=tenant.pk, authority=people.Authority.of(request.actor)) if may_manage else None
    return {
        "tenant": tenant,
        "standing": standing,
        "base": resources.service(),
        "guides": GUIDES.values(),
        "keys": tokens.keyring(tenant_id=tenant.pk, at=timezone.now()).counting,
        "only": only,
        "choices": panel.ONLY.items(),
        "page": page,
        "lines": lines,
        "needy": panel.needy(tenant_id=tenant.pk, enabled=standing.is_enabled),
        "deleted": panel.deleted(tenant_id=tenant.pk),
        "groups": panel.groups(tenant_id=tenant.pk),
        "may_manage": may_manage,
        "grantable": roles.grantable(request.actor.roles) if may_manage else (),
        "closed_people": set(beyond.values_list("pk", flat=True)) if beyond is not None else (),
        "closed_groups": set(beyond.values_list("memberships__group_id", flat=True)) if beyond is not None else (),
    }
