"""The people of a tenant: who they are, what they may do, who is invited."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import roles
from accounts.models import Invitation, Member, Tenant
from accounts.queries import invitations as invited
from accounts.queries import members as listed
from accounts.queries import second_factors
from accounts.services import invitations, members
from accounts.services import second_factors as resetting
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole
from core.web import ActingRequest, tenant_view

PAGE = "accounts/members.html"
PER_PAGE = 50

ROLES = {
    TenantRole.OWNER: "Everything, and signs the go/no-go",
    TenantRole.ADMIN: "Prepares the move: domains, runs, people",
    TenantRole.AUDITOR: "Reads everything, changes nothing",
    TenantRole.MEMBER: "Reads the overview",
}


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def listing(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show members and open invitations."""
    return render(request, PAGE, _context(request, tenant))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def invite(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Invite a person; a refused address comes back with its reason."""
    email, role = request.POST.get("email", ""), request.POST.get("role", "")
    try:
        invitation = invitations.invite(
            tenant_id=tenant.pk, email=email, role=role, by=request.actor, at=timezone.now()
        )
    except invitations.UnableToInvite as refusal:
        context = {**_context(request, tenant), "typed": email[:300], "chosen": role, "invite_problem": refusal}
        return render(request, PAGE, context, status=refusal.status)
    _tell_sent(request, invitation)
    return redirect(_address(tenant))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def resend(request: ActingRequest, tenant: Tenant, invitation_id: UUID) -> HttpResponse:
    """Send an invitation again."""
    invitation = get_object_or_404(Invitation, tenant=tenant, pk=invitation_id)

    def send(at: datetime) -> None:
        _tell_sent(request, invitations.resend(invitation=invitation, by=request.actor, at=at))

    return _done(request, tenant, send)


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def revoke(request: ActingRequest, tenant: Tenant, invitation_id: UUID) -> HttpResponse:
    """Take an invitation back."""
    invitation = get_object_or_404(Invitation, tenant=tenant, pk=invitation_id)
    return _done(request, tenant, lambda at: invitations.revoke(invitation=invitation, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def change_role(request: ActingRequest, tenant: Tenant, member_id: UUID) -> HttpResponse:
    """Give a member another role."""
    member = get_object_or_404(Member, tenant=tenant, pk=member_id)
    role = request.POST.get("role", "")
    return _done(request, tenant, lambda at: members.change_role(member=member, role=role, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def deactivate(request: ActingRequest, tenant: Tenant, member_id: UUID) -> HttpResponse:
    """End a membership."""
    member = get_object_or_404(Member, tenant=tenant, pk=member_id)
    return _done(request, tenant, lambda at: members.deactivate(member=member, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def reset_second_factor(request: ActingRequest, tenant: Tenant, member_id: UUID) -> HttpResponse:
    """Help a member who lost their second factor."""
    member = get_object_or_404(Member.objects.select_related("user"), tenant=tenant, pk=member_id)

    def reset(at: datetime) -> None:
        resetting.reset(member=member, by=request.actor, at=at)
        messages.success(request, f"The second factor of {member.user} is reset. They are told by mail.")

    return _done(request, tenant, reset)


def _done(request: ActingRequest, tenant: Tenant, use: Callable[[datetime], object]) -> HttpResponse:
    """Do it and go back to the list; a refusal is the list's page with the reason on top."""
    try:
        use(timezone.now())
    except (
        invitations.UnableToInvite,
        invitations.UnableToChange,
        members.UnableToChangeRole,
        members.UnableToDeactivate,
        resetting.UnableToReset,
    ) as refusal:
        return _refused(request, tenant, refusal)
    return redirect(_address(tenant))


def _refused(request: ActingRequest, tenant: Tenant, problem: UseCaseError) -> HttpResponse:
    return render(request, PAGE, {**_context(request, tenant), "problem": problem}, status=problem.status)


def _tell_sent(request: ActingRequest, invitation: Invitation) -> None:
    if invitation.sent_at is None:
        messages.warning(
            request, f"{invitation.email} is invited, but the mail could not be sent. Send it again in a few minutes."
        )
    else:
        messages.success(request, f"The invitation was sent to {invitation.email}.")


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    page = Paginator(listed.active(tenant_id=tenant.pk), PER_PAGE).get_page(request.GET.get("page"))
    may_manage = request.actor.can(Permission.MANAGE_MEMBERS, tenant_id=tenant.pk)
    grantable = roles.grantable(request.actor.roles) if may_manage else ()
    return {
        "tenant": tenant,
        "page": page,
        "protected": second_factors.holders(user_ids=[member.user_id for member in page]),
        "invitations": list(invited.pending(tenant_id=tenant.pk)[: invitations.MOST_OPEN]) if may_manage else [],
        "now": timezone.now(),
        "may_manage": may_manage,
        "grantable": [(role.value, role.value.capitalize(), ROLES[role]) for role in grantable],
        "grantable_values": {role.value for role in grantable},
    }


def _address(tenant: Tenant) -> str:
    return reverse("accounts:members", args=[tenant.slug])
