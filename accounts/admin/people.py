"""People in the staff's admin: who is invited, who belongs to which tenant, who of ours holds which role."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.models import Invitation, Member, StaffAssignment, User
from accounts.queries import second_factors
from accounts.services import invitations
from accounts.services import second_factors as resetting
from core.admin import StaffAdmin, operation
from core.permissions import Permission


def said(invitation: Invitation) -> str:
    """Say what became of an invitation."""
    if invitation.sent_at is None:
        return f"{invitation.email} is invited, but the mail could not be sent. Send it again in a few minutes."
    return f"The invitation was sent to {invitation.email}."


def _is_open(invitation: Invitation) -> bool:
    return invitation.accepted_at is None and invitation.revoked_at is None


@admin.register(Invitation)
class InvitationAdmin(StaffAdmin):
    """Who is invited; staff sends or takes back the invitation of a first owner only."""

    list_display = ("email", "tenant", "role", "sent_at", "expires_at", "accepted_at", "revoked_at")
    list_filter = ("role",)
    list_select_related = ("tenant",)
    search_fields = ("email", "tenant__name")
    exclude = ("token_digest",)

    @operation("Send again", permission=Permission.INVITE_FIRST_OWNER, when=_is_open)
    def resend(self, request: HttpRequest, row: Invitation, answers: dict[str, Any]) -> str:
        """Send it with a new link."""
        return said(invitations.resend(invitation=row, by=self.actor(request), at=timezone.now()))

    @operation("Revoke", permission=Permission.INVITE_FIRST_OWNER, when=_is_open)
    def revoke(self, request: HttpRequest, row: Invitation, answers: dict[str, Any]) -> str:
        """Take it back."""
        invitations.revoke(invitation=row, by=self.actor(request), at=timezone.now())
        return "The invitation was taken back; its link opens nothing."


@admin.register(Member)
class MemberAdmin(StaffAdmin):
    """Who belongs to which tenant, in which role."""

    list_display = ("user", "tenant", "role", "joined_at", "deactivated_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "user__name", "tenant__name")
    readonly_fields = ("sign_in",)

    @admin.display(description="sign-in by the company")
    def sign_in(self, member: Member) -> str:
        """Lead to how they signed in, and to whom of the directory they are linked."""
        kinds = (("ssosignin", "Sign-ins"), ("linkedidentity", "Links"), ("linkproposal", "Links proposed"))
        rows = ((reverse(f"admin:accounts_{kind}_changelist"), member.pk, words) for kind, words in kinds)
        return format_html_join(" · ", '<a href="{}?member__id__exact={}">{}</a>', rows)


@admin.register(User)
class UserAdmin(StaffAdmin):
    """People, without their secrets."""

    list_display = ("email", "name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    exclude = ("password", "groups", "user_permissions", "is_superuser")

    @operation(
        "Reset the second factor",
        permission=Permission.MANAGE_STAFF,
        when=lambda user: bool(second_factors.holders(user_ids=[user.pk])),
    )
    def reset_second_factor(self, request: HttpRequest, row: User, answers: dict[str, Any]) -> str:
        """Help staff, a last owner, or who belongs to several accounts and lost theirs."""
        resetting.reset_for(user=row, by=self.actor(request), at=timezone.now())
        return f"The second factor of {row} is reset; they are signed out everywhere and told by mail."


@admin.register(StaffAssignment)
class StaffAssignmentAdmin(StaffAdmin):
    """Who of the vendor's people holds which role."""

    list_display = ("user", "role")
    list_filter = ("role",)
    list_select_related = ("user",)
