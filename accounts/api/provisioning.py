"""The API of provisioning: how it stands, each call of the directory, and the tokens by which it calls.

It is not SCIM: a tool of the account looks after its directory's access by it. What the directory says of people, and
whether that counts, stays with the directory and with people.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.provisioning.plans import Outcome
from accounts.queries.provisioning import panel, resources
from accounts.queries.provisioning import tokens as of_directory
from accounts.queries.provisioning.tokens import SCOPE, DirectoryToken
from core import tokens
from core.api import PAGING, Answer, ApiView, Body, NoBody, Problem, Text, item_id, keyset, operation
from core.models import Token
from core.permissions import Permission
from core.tokens import LONGEST, LONGEST_OVERLAP, SCOPES, TokenScope

for _scope in (
    TokenScope("provisioning:read", "Read how provisioning stands, its calls and its tokens", Permission.VIEW_MEMBERS),
    TokenScope(
        "provisioning:tokens",
        "Issue, rotate and revoke your directory's tokens, and so let something say who your members are",
        Permission.MANAGE_DIRECTORY_TOKENS,
    ),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Provisioning"
_TOKEN = (item_id("token_id", "Id of a token."),)
_HOURS = int(LONGEST_OVERLAP / timedelta(hours=1))


class ProvisioningState(Answer):
    """How provisioning stands."""

    example = {
        "state": "enabled",
        "enabled_at": "2026-11-26T05:00:00Z",
        "base_url": "https://crossing.example/scim/v2",
        "people": 120,
        "active": 117,
        "groups": 4,
        "waiting": 1,
        "tokens": 1,
        "last_token_ends_at": "2027-05-25T05:00:00Z",
        "last_used_at": "2026-11-26T05:00:00Z",
    }

    state = serializers.ChoiceField(
        ["not_connected", "on_trial", "enabled"], help_text="`on_trial`: nothing follows from what is sent."
    )
    enabled_at = serializers.DateTimeField(allow_null=True)
    base_url = serializers.CharField(help_text="The address that the directory is given.")
    people = serializers.IntegerField(help_text="People of the directory, the inactive ones too.")
    active = serializers.IntegerField()
    groups = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="People of whom nothing comes unless somebody does something.")
    tokens = serializers.IntegerField(help_text="How many tokens let the directory in.")
    last_token_ends_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="When one of them was used last.")


class ProvisioningCallRow(Answer):
    """A call of the directory. It names people by id, and attributes without what stands in them."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "called_at": "2026-11-26T05:00:20Z",
        "token_id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
        "method": "PATCH",
        "kind": "User",
        "resource_id": "7f3a2b10-9c8d-4e5f-a1b2-c3d4e5f60718",
        "about": "active",
        "status": 403,
        "scim_type": "",
        "refusal": "An account must keep an owner, and this is the last: make another member an owner first.",
        "outcome": "",
        "was_trial": False,
    }

    id = serializers.UUIDField()
    called_at = serializers.DateTimeField()
    token_id = serializers.UUIDField()
    method = serializers.CharField()
    kind = serializers.CharField(help_text="`User`, `Group`, or the part of the service that was read.")
    resource_id = serializers.UUIDField(allow_null=True)
    about = serializers.CharField(help_text="The attributes that the call names.")
    status = serializers.IntegerField()
    scim_type = serializers.CharField()
    refusal = serializers.CharField()
    outcome = serializers.ChoiceField(
        ["", *(each.value for each in Outcome)], help_text="What came of it, if anything."
    )
    was_trial = serializers.BooleanField(help_text="Whether it was only told what would come of it.")


class DirectoryTokenRow(Answer):
    """A token of the directory, without its secret."""

    example = {
        "id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
        "name": "Entra ID",
        "prefix": "crossing_1a2b3c4d",
        "counts": True,
        "created_at": "2026-11-26T05:00:00Z",
        "expires_at": "2027-05-25T05:00:00Z",
        "last_used_at": "2026-11-26T05:00:00Z",
        "replaced_at": None,
        "revoked_at": None,
    }

    id = serializers.UUIDField(source="token.pk")
    name = serializers.CharField(source="token.name")
    prefix = serializers.CharField(source="token.prefix", help_text="How its secret begins.")
    counts = serializers.BooleanField(help_text="Whether it lets the directory in.")
    created_at = serializers.DateTimeField(source="token.created_at")
    expires_at = serializers.DateTimeField(source="token.expires_at")
    last_used_at = serializers.DateTimeField(allow_null=True)
    replaced_at = serializers.DateTimeField(source="token.replaced_at", allow_null=True)
    revoked_at = serializers.DateTimeField(source="token.revoked_at", allow_null=True)


class DirectoryTokens(Answer):
    """The tokens of the directory."""

    example = {"tokens": [DirectoryTokenRow.example]}

    tokens = DirectoryTokenRow(many=True)


class NewDirectoryToken(Answer):
    """A token that was issued just now."""

    example = {
        "id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
        "name": "Entra ID",
        "expires_at": "2027-05-25T05:00:00Z",
        "secret": "crossing_1a2b3c4d_…",
    }

    id = serializers.UUIDField()
    name = serializers.CharField()
    expires_at = serializers.DateTimeField(help_text="With the token that asked for it at the latest.")
    secret = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_secret(self, token: Token) -> str | None:
        """Null where the same request is sent again: a secret is in one answer alone. Rotate if it is lost."""
        return self.context["secret"]  # type: ignore[no-any-return]  # what the view put there


class IssueDirectoryToken(Body):
    """What a new token is called, and for how long it lets the directory in."""

    example = {"name": "Entra ID", "days": 180}

    name = Text(max_length=100, help_text="What uses it.")
    days = serializers.IntegerField(min_value=1, max_value=LONGEST.days, default=180)


class RotateDirectoryToken(Body):
    """For how long the old secret still lets the directory in."""

    example = {"overlap_hours": 24}

    overlap_hours = serializers.IntegerField(min_value=0, max_value=_HOURS, default=24)


class HowItStands(ApiView):
    """The tenant's provisioning."""

    scopes = {"GET": "provisioning:read"}

    @operation("get_provisioning", tag=TAG, answer=ProvisioningState, summary="Read how provisioning stands")
    def get(self, request: Request) -> Response:
        """Return it."""
        standing = panel.standing(tenant_id=self.tenant_id)
        keys = of_directory.keyring(tenant_id=self.tenant_id, at=self.at)
        trial = "on_trial" if standing.people or standing.groups else "not_connected"
        found = {
            "state": "enabled" if standing.is_enabled else trial,
            "enabled_at": standing.setting.enabled_at if standing.setting else None,
            "base_url": resources.service(),
            "people": standing.people,
            "active": standing.active,
            "groups": standing.groups,
            "waiting": standing.waiting,
            "tokens": len(keys.counting),
            "last_token_ends_at": keys.last_end,
            "last_used_at": keys.in_use.last_used_at if keys.in_use else None,
        }
        return Response(ProvisioningState(found).data)


class Calls(ApiView):
    """The directory's calls."""

    scopes = {"GET": "provisioning:read"}
    parameters = PAGING

    @operation(
        "list_provisioning_calls", tag=TAG, answer=ProvisioningCallRow, paged=True,
        summary="List the directory's calls, newest first",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the calls of the last fortnight."""
        fetch, key = keyset(panel.calls(tenant_id=self.tenant_id), at="called_at")
        return self.page("provisioning_calls", ProvisioningCallRow, fetch=fetch, key=key)


class Tokens(ApiView):
    """The directory's tokens."""

    told_once = "secret"
    scopes = {"GET": "provisioning:read", "POST": "provisioning:tokens"}

    @operation(
        "list_directory_tokens", tag=TAG, answer=DirectoryTokens, summary="List the directory's tokens, newest first"
    )
    def get(self, request: Request) -> Response:
        """List the newest hundred, those that ended too."""
        every: list[DirectoryToken] = list(of_directory.keyring(tenant_id=self.tenant_id, at=self.at).every)[:100]
        return Response({"tokens": DirectoryTokenRow(every, many=True).data})

    @operation(
        "issue_directory_token", tag=TAG, answer=NewDirectoryToken, status=201, body=IssueDirectoryToken,
        summary="Issue a token for the directory",
        described="It has the scope `scim` alone, stands in the name of whoever issued the token that asks, and ends "
        "with that one at the latest. Its secret is in this answer alone.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Issue one."""
        asked: dict[str, Any] = self.read(IssueDirectoryToken)
        token, secret = tokens.issue(
            tenant_id=self.tenant_id,
            name=asked["name"],
            scopes=[SCOPE],
            expires_at=self.at + timedelta(days=asked["days"]),
            by=self.actor,
            at=self.at,
        )
        return _made(token, secret)


class Rotation(ApiView):
    """The rotation of one token."""

    told_once = "secret"
    scopes = {"POST": "provisioning:tokens"}

    @operation(
        "rotate_directory_token", tag=TAG, answer=NewDirectoryToken, status=201, body=RotateDirectoryToken,
        parameters=_TOKEN, summary="Replace a token of the directory",
        described="The new secret works at once, the old one until the overlap is over. It is in this answer alone.",
    )  # fmt: skip
    def post(self, request: Request, token_id: UUID) -> Response:
        """Replace it."""
        asked = self.read(RotateDirectoryToken)
        overlap = timedelta(hours=asked["overlap_hours"])
        return _made(*tokens.rotate(_find(self, token_id), overlap=overlap, by=self.actor, at=self.at))


class OneToken(ApiView):
    """One token."""

    scopes = {"DELETE": "provisioning:tokens"}

    @operation(
        "revoke_directory_token", tag=TAG, answer=None, status=204, summary="Revoke a token of the directory",
        parameters=_TOKEN, described="It lets nobody in from now on.",
    )  # fmt: skip
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke it."""
        self.read(NoBody)
        tokens.revoke(_find(self, token_id), by=self.actor, at=self.at)
        return Response(status=204)


def _made(token: Token, secret: str) -> Response:
    return Response(NewDirectoryToken(token, context={"secret": secret}).data, status=201)


def _find(view: ApiView, token_id: UUID) -> Token:
    found = tokens.listed(tenant_id=view.tenant_id).filter(scopes__contains=[SCOPE], pk=token_id).first()
    if found is None:
        raise Problem("not-found", "The directory has no such token.")
    return found


urlpatterns = [
    path("provisioning", HowItStands.as_view(), name="provisioning"),
    path("provisioning/calls", Calls.as_view(), name="provisioning_calls"),
    path("provisioning/tokens", Tokens.as_view(), name="directory_tokens"),
    path("provisioning/tokens/<uuid:token_id>", OneToken.as_view(), name="directory_token"),
    path("provisioning/tokens/<uuid:token_id>/rotate", Rotation.as_view(), name="rotate_directory_token"),
]
