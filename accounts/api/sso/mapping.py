"""The API of the mapping: which attribute of a provider says what of a person."""

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.sso.connection import NOT_BELIEVED, TAG, find
from accounts.domain.attributes import GRANTABLE, LABELS, LONGEST_NAME
from accounts.queries import sso as known
from accounts.services import sso_mapping
from core.api import Answer, ApiView, Body, Text, operation

_EXAMPLE = {
    "email": "mail",
    "first_name": "givenName",
    "last_name": "sn",
    "external_id": "",
    "groups": "memberOf",
    "roles": {"Crossing admins": "admin"},
}
_ROLES = "Which group gives which role to somebody who joins; the most powerful one counts. Never owner."
_EMPTY = "Empty: the usual names are tried."


def _role() -> serializers.ChoiceField:
    return serializers.ChoiceField([role.value for role in GRANTABLE])


class MappingState(Answer):
    """The name of the attribute for each thing we want to know; empty where the usual names are tried."""

    example = _EXAMPLE

    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    external_id = serializers.CharField(help_text="The lasting id by which a person is known.")
    groups = serializers.CharField()
    roles = serializers.DictField(child=_role(), help_text=_ROLES)


class ChooseMapping(Body):
    """The whole mapping: what is left out is empty."""

    example = _EXAMPLE

    email = Text(max_length=LONGEST_NAME, allow_blank=True, default="", help_text=f"An attribute, or NameID. {_EMPTY}")
    first_name = Text(max_length=LONGEST_NAME, allow_blank=True, default="", help_text=_EMPTY)
    last_name = Text(max_length=LONGEST_NAME, allow_blank=True, default="", help_text=_EMPTY)
    external_id = Text(
        max_length=LONGEST_NAME, allow_blank=True, default="", help_text=f"An attribute, or NameID. {_EMPTY}"
    )
    groups = Text(max_length=LONGEST_NAME, allow_blank=True, default="", help_text=_EMPTY)
    roles = serializers.DictField(child=_role(), default=dict, help_text=_ROLES)


class Mapping(ApiView):
    """The tenant's mapping."""

    scopes = {"GET": "sso:read", "PUT": "sso:write"}

    @operation(
        "get_sso_mapping", tag=TAG, answer=MappingState, refuses=(404,), summary="Read which attribute says what",
        described="404 for an account that has not begun with single sign-on.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the mapping."""
        return Response(MappingState(known.mapping(find(self.tenant_id))).data)

    @operation(
        "put_sso_mapping", tag=TAG, answer=MappingState, body=ChooseMapping, summary="Choose which attribute says what",
        described="A chosen attribute takes the place of all usual ones. Another mapping than before asks for a new "
        f"test; the same again changes nothing. {NOT_BELIEVED}",
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Keep the mapping."""
        told = self.read(ChooseMapping)
        mapping = sso_mapping.read({name: told[name] for name in LABELS}, groups=told["roles"])
        kept = sso_mapping.choose(tenant_id=self.tenant_id, mapping=mapping, by=self.actor, at=self.at)
        return Response(MappingState(known.mapping(kept)).data)


urlpatterns = [path("sso/mapping", Mapping.as_view(), name="sso_mapping")]
