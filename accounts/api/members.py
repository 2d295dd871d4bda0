"""The API of members: who belongs to the account and in which role. Changing it stays with people and the directory."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Member
from accounts.queries import members
from core.api import PAGING, Answer, ApiView, Cursor, Problem, item_id, operation
from core.permissions import Permission, TenantRole
from core.tokens import SCOPES, TokenScope

SCOPES.add("members:read", TokenScope("members:read", "Read your members and their roles", Permission.VIEW_MEMBERS))

TAG = "Members"


class MemberState(Answer):
    """A member of the account."""

    example = {
        "id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
        "name": "Ben Berg",
        "email": "ben@airline.example",
        "role": "member",
        "is_active": True,
        "joined_at": "2026-11-26T05:00:00Z",
        "deactivated_at": None,
    }

    id = serializers.UUIDField()
    name = serializers.CharField(source="user.name")
    email = serializers.CharField(source="user.email")
    role = serializers.ChoiceField([role.value for role in TenantRole])
    is_active = serializers.SerializerMethodField()
    joined_at = serializers.DateTimeField()
    deactivated_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.BooleanField())
    def get_is_active(self, member: Member) -> bool:
        """Whether they belong to it now."""
        return member.deactivated_at is None


class Members(ApiView):
    """The tenant's members."""

    scopes = {"GET": "members:read"}
    parameters = PAGING

    @operation(
        "list_members", tag=TAG, answer=MemberState, paged=True, summary="List your members and their roles",
        described="Those who left too. Inviting, changing a role and ending a membership stay with people, or come "
        "from your directory by SCIM.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the members in the order of their ids."""
        rows = members.every(tenant_id=self.tenant_id).order_by("pk")

        def fetch(after: Cursor, count: int) -> Sequence[Member]:
            return list((rows.filter(pk__gt=after[0]) if after else rows)[:count])

        return self.page("members", MemberState, fetch=fetch, key=lambda member: [str(member.pk)])


class OneMember(ApiView):
    """One member."""

    scopes = {"GET": "members:read"}

    @operation(
        "get_member", tag=TAG, answer=MemberState, summary="Read one member",
        parameters=(item_id("member_id", "Id of a member."),),
    )  # fmt: skip
    def get(self, request: Request, member_id: UUID) -> Response:
        """Return one member."""
        found = members.every(tenant_id=self.tenant_id).filter(pk=member_id).first()
        if found is None:
            raise Problem("not-found", "There is no such member.")
        return Response(MemberState(found).data)


urlpatterns = [
    path("members", Members.as_view(), name="members"),
    path("members/<uuid:member_id>", OneMember.as_view(), name="member"),
]
