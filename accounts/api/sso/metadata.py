"""The API of a provider's metadata: given as a document, or read every day from an address."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.sso.connection import NOT_BELIEVED, TAG, SsoState, find
from accounts.domain.connections import LONGEST_URL
from accounts.services import sso, sso_sources
from core.api import ApiView, Body, NoBody, Problem, Text, operation
from core.saml import MOST_METADATA


class GiveMetadata(Body):
    """The provider's metadata."""

    example = {"document": '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp…">…'}

    document = Text(help_text=f"The XML as your provider gives it out, at most {MOST_METADATA // 1024} KiB.")


class FollowMetadata(Body):
    """Where the provider's metadata stand."""

    example = {"url": "https://idp.airline.example/metadata"}

    url = Text(max_length=LONGEST_URL, help_text="Begins with https:// and answers without a sign-in.")


class Metadata(ApiView):
    """The provider's metadata as a document."""

    scopes = {"PUT": "sso:write", "DELETE": "sso:write"}
    largest_body = 2 * MOST_METADATA  # of which JSON escapes every quote

    @operation(
        "put_sso_metadata", tag=TAG, answer=SsoState, body=GiveMetadata, summary="Connect by your provider's metadata",
        described="The same again change nothing. Of the provider that is connected already, they add its new "
        "certificates beside those that are trusted; another provider takes its place at once, and what was tested "
        f"before counts no longer. {NOT_BELIEVED}",
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Take the metadata over."""
        document = self.read(GiveMetadata)["document"].encode()
        connection = sso.connect(tenant_id=self.tenant_id, document=document, by=self.actor, at=self.at)
        return Response(SsoState(connection).data)

    @operation(
        "delete_sso_metadata", tag=TAG, answer=None, status=204, summary="Remove the connection",
        described="Our values stay what they are. Refused while your people sign in by the provider alone, or soon "
        "will. Safe to repeat.",
    )  # fmt: skip
    def delete(self, request: Request) -> Response:
        """Forget the provider."""
        self.read(NoBody)
        sso.disconnect(tenant_id=self.tenant_id, by=self.actor, at=self.at)
        return Response(status=204)


class Address(ApiView):
    """The address of the provider's metadata."""

    scopes = {"PUT": "sso:write", "DELETE": "sso:write"}

    @operation(
        "put_sso_metadata_address", tag=TAG, answer=SsoState, body=FollowMetadata,
        summary="Connect by the address of your provider's metadata",
        described="They are read now, and again every day, so that a new certificate is known before it is used: "
        "trusted at once where signed metadata vouch for it. Anything else that is new in them waits for a yes on the "
        f"page. {NOT_BELIEVED}",
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Follow the address."""
        url = self.read(FollowMetadata)["url"]
        sso_sources.follow(tenant_id=self.tenant_id, url=url, by=self.actor, at=self.at)
        return Response(SsoState(find(self.tenant_id)).data)

    @operation(
        "delete_sso_metadata_address", tag=TAG, answer=None, status=204, summary="Read the metadata daily no longer",
        described="The connection stays as it is. Safe to repeat.",
    )  # fmt: skip
    def delete(self, request: Request) -> Response:
        """End the daily reading."""
        self.read(NoBody)
        sso_sources.leave(tenant_id=self.tenant_id, by=self.actor, at=self.at)
        return Response(status=204)


class Readings(ApiView):
    """Reading the address now."""

    scopes = {"POST": "sso:write"}

    @operation(
        "read_sso_metadata", tag=TAG, answer=SsoState, body=NoBody, refuses=(404,), summary="Read the metadata now",
        described="As the daily reading does. `metadata_address.waiting_change` says what waits for a yes, and "
        "`problem` why the reading failed, if it did; then nothing changes. 404 where none is followed.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Read the metadata."""
        self.read(NoBody)
        if sso_sources.refresh(tenant_id=self.tenant_id, by=self.actor, at=self.at) is None:
            raise Problem("not-found", "No metadata address is followed.", "PUT it at /api/v1/sso/metadata-address.")
        return Response(SsoState(find(self.tenant_id)).data)


urlpatterns = [
    path("sso/metadata", Metadata.as_view(), name="sso_metadata"),
    path("sso/metadata-address", Address.as_view(), name="sso_metadata_address"),
    path("sso/metadata-address/readings", Readings.as_view(), name="read_sso_metadata"),
]
