"""The API of the connection to a provider: our values for it, what it is, and removing it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import path
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.certificates import Source
from accounts.models import SsoCertificate, SsoConnection, SsoSource
from accounts.queries import sso as known
from accounts.services import sso
from core.api import Answer, ApiView, NoBody, Problem, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

for _scope in (
    TokenScope("sso:read", "Read the sign-in connection and its tests", Permission.VIEW_TENANT),
    TokenScope("sso:write", "Set the sign-in connection up and test it", Permission.MANAGE_SSO),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Single sign-on"
NOT_BELIEVED = "Once people sign in by your provider this is refused: then a person does it on the page."
"""What stands with every act that changes what a provider is believed (`sso_changes.require_trust`)."""


class OurValues(Answer):
    """What your provider is told of us: the same for good, and of your account alone."""

    entity_id = serializers.CharField(help_text="Entity ID, also called audience.")
    acs_address = serializers.CharField(
        source="acs_url", help_text="Also called reply, recipient, destination or single sign-on URL."
    )
    metadata_address = serializers.CharField(source="entity_id", help_text="Where both stand as SAML metadata.")


class SigningCertificate(Answer):
    """A certificate by which the provider may sign."""

    example = {
        "id": "0b9b6c52-8d0e-4f7d-9a44-7a3c1e2f5d10",
        "fingerprint": "9F86D081884C7D65…",
        "subject": "CN=idp.airline.example",
        "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2028-01-01T00:00:00Z",
        "origin": "address",
        "signed_at": "2026-11-26T05:00:20Z",
        "is_listed": True,
    }

    id = serializers.UUIDField()
    fingerprint = serializers.CharField(help_text="SHA-256.")
    subject = serializers.CharField()
    not_before = serializers.DateTimeField(help_text="From when on it is valid.")
    not_after = serializers.DateTimeField(help_text="Until when it is valid.")
    origin = serializers.ChoiceField([each.value for each in Source], source="source", help_text="Where it came from.")
    signed_at = serializers.DateTimeField(allow_null=True, help_text="When an answer was last signed with it.")
    is_listed = serializers.SerializerMethodField()

    def get_is_listed(self, certificate: SsoCertificate) -> bool:
        """Whether the provider's metadata listed it when they were last read; true of one that was added by hand."""
        return not certificate.missed


class WaitingChange(Answer):
    """What the metadata say anew and nobody trusted vouches for: it counts once a person has said yes on the page."""

    entity_id = serializers.CharField()
    sign_in_address = serializers.CharField()
    fingerprints = serializers.ListField(child=serializers.CharField(), help_text="Of the certificates they list.")
    proposed_at = serializers.DateTimeField()


class MetadataAddress(Answer):
    """Where the provider's metadata are read from every day."""

    url = serializers.CharField()
    read_at = serializers.DateTimeField(help_text="When they were last read and understood.")
    due_at = serializers.DateTimeField(help_text="When they are read next.")
    problem = serializers.CharField(help_text="Why the last reading failed; empty if it did not.")
    waits = serializers.SerializerMethodField()
    waiting_change = serializers.SerializerMethodField()

    def get_waits(self, source: SsoSource) -> bool:
        """Whether something new in them waits for a yes: a certificate, another provider or sign-in address."""
        return source.proposal is not None

    @extend_schema_field(WaitingChange(allow_null=True))
    def get_waiting_change(self, source: SsoSource) -> dict[str, Any] | None:
        """What waits; null where nothing does."""
        if source.proposal is None:
            return None
        found = {
            "entity_id": source.proposal["entity_id"],
            "sign_in_address": source.proposal["sso_url"],
            "fingerprints": [each["fingerprint"] for each in source.proposal["certificates"]],
            "proposed_at": source.proposed_at,
        }
        return dict(WaitingChange(found).data)


class SsoState(Answer):
    """How the account's people will sign in."""

    example = {
        "state": "connected",
        "ours": {
            "entity_id": "https://crossing.example/sso/org_2c1f…/metadata/",
            "acs_address": "https://crossing.example/sso/org_2c1f…/acs/",
            "metadata_address": "https://crossing.example/sso/org_2c1f…/metadata/",
        },
        "ours_second": None,
        "start_address": "https://crossing.example/sso/org_2c1f…/start/",
        "entity_id": "https://idp.airline.example/saml",
        "sign_in_address": "https://idp.airline.example/saml/sso",
        "certificates": [SigningCertificate.example],
        "metadata_address": {
            "url": "https://idp.airline.example/metadata",
            "read_at": "2026-11-26T05:00:00Z",
            "due_at": "2026-11-27T05:00:00Z",
            "problem": "",
            "waits": False,
            "waiting_change": None,
        },
        "signs_requests": False,
        "connected_at": "2026-11-26T05:00:00Z",
    }

    state = serializers.SerializerMethodField()
    ours = serializers.SerializerMethodField()
    ours_second = serializers.SerializerMethodField()
    start_address = serializers.SerializerMethodField()
    entity_id = serializers.CharField(help_text="The provider's; empty without one.")
    sign_in_address = serializers.CharField(source="sso_url", help_text="The provider's; empty without one.")
    certificates = serializers.SerializerMethodField()
    metadata_address = serializers.SerializerMethodField()
    signs_requests = serializers.BooleanField(
        source="wants_signed_requests", help_text="Whether we sign our requests, because its metadata ask for it."
    )
    connected_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.ChoiceField(["connected", "declined", "begun"]))
    def get_state(self, connection: SsoConnection) -> str:
        """`begun` until the provider's metadata are given; `declined` by an account that does without."""
        if connection.is_connected:
            return "connected"
        return "declined" if connection.declined_at else "begun"

    @extend_schema_field(OurValues())
    def get_ours(self, connection: SsoConnection) -> dict[str, Any]:
        """What the provider is told of us."""
        return dict(OurValues(known.service_provider(connection)).data)

    @extend_schema_field(OurValues(allow_null=True))
    def get_ours_second(self, connection: SsoConnection) -> dict[str, Any] | None:
        """The same at our second address, for the day when the first is out of order; null where there is none."""
        if not settings.FAILOVER_URL:
            return None
        return dict(OurValues(known.service_provider(connection, failover=True)).data)

    def get_start_address(self, connection: SsoConnection) -> str:
        """Where your people begin to sign in: for your portal of applications."""
        return known.start_url(connection)

    @extend_schema_field(SigningCertificate(many=True))
    def get_certificates(self, connection: SsoConnection) -> list[dict[str, Any]]:
        """Those that are trusted, the one that lasts longest first."""
        trusted = known.certificates(connection).filter(retired_at=None)
        return list(SigningCertificate(trusted, many=True).data)

    @extend_schema_field(MetadataAddress(allow_null=True))
    def get_metadata_address(self, connection: SsoConnection) -> dict[str, Any] | None:
        """Where the metadata are read from every day; null where they were given as a file."""
        source = known.source(tenant_id=connection.tenant_id)
        return dict(MetadataAddress(source).data) if source else None


class Connection(ApiView):
    """The tenant's connection."""

    scopes = {"GET": "sso:read", "PUT": "sso:write"}

    @operation(
        "get_sso", tag=TAG, answer=SsoState, summary="Read how sign-in is connected", refuses=(404,),
        described="404 for an account that has not begun with it.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the connection."""
        return Response(SsoState(find(self.tenant_id)).data)

    @operation(
        "begin_sso", tag=TAG, answer=SsoState, body=NoBody, summary="Have our values for your provider",
        described="Makes them the first time and changes nothing afterwards. An account that had stated to do without "
        "a provider does so no longer; stating it stays with people.",
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Hand out our values."""
        self.read(NoBody)
        return Response(SsoState(sso.begin(tenant_id=self.tenant_id, by=self.actor, at=self.at)).data)


def find(tenant_id: UUID) -> SsoConnection:
    """Return the tenant's connection, or raise the problem."""
    connection = known.of_tenant(tenant_id=tenant_id)
    if connection is None:
        raise Problem("not-found", "Single sign-on was not begun.", "PUT /api/v1/sso begins it, or its page does.")
    return connection


urlpatterns = [path("sso", Connection.as_view(), name="sso")]
