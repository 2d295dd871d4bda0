"""The API of links for those who edit a domain's DNS and have no account."""

from uuid import UUID

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.domains import TAG, find
from accounts.models import DomainLink
from accounts.queries import domains as listed
from accounts.services import domain_links
from core.api import Answer, ApiView, NoBody, Problem, item_id, operation

_ID = (item_id("domain_id", "Id of a domain."),)


class Link(Answer):
    """A link for whoever edits the domain's DNS and has no account."""

    example = {
        "id": "0b9b6c52-8d0e-4f7d-9a44-7a3c1e2f5d11",
        "made_at": "2026-11-26T05:00:00Z",
        "expires_at": "2026-12-03T05:00:00Z",
        "opened_at": None,
    }

    id = serializers.UUIDField()
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    opened_at = serializers.DateTimeField(allow_null=True, help_text="When it was first opened.")


class MadeLink(Link):
    """A new link, with its address."""

    example = {**Link.example, "url": "https://crossing.example/dns/3Vb9…/"}

    url = serializers.URLField(
        allow_null=True, help_text="In the first answer alone, null where the same request is sent again: make another."
    )


class DomainLinks(Answer):
    """The links of a domain that still open something."""

    example = {"links": [Link.example]}

    links = Link(many=True)


class Links(ApiView):
    """The links of a domain."""

    scopes = {"GET": "domains:read", "POST": "domains:write"}
    told_once = "url"

    @operation(
        "list_domain_links", tag=TAG, answer=DomainLinks, parameters=_ID,
        summary="List the links to what a domain is to publish",
    )  # fmt: skip
    def get(self, request: Request, domain_id: UUID) -> Response:
        """List the links that still open something, the newest first."""
        domain = find(self.tenant_id, domain_id)
        found = listed.open_links(tenant_id=self.tenant_id, at=self.at).get(domain.pk, ())
        return Response({"links": Link(found, many=True).data})

    @operation(
        "make_domain_link", tag=TAG, answer=MadeLink, status=201, parameters=_ID, body=NoBody,
        summary="Make a link for whoever edits the DNS",
        described="For seven days it shows, without an account, what to publish for this domain and how it stands; and "
        "what your identity provider is to be told, once single sign-on was begun.",
    )  # fmt: skip
    def post(self, request: Request, domain_id: UUID) -> Response:
        """Make a link."""
        self.read(NoBody)
        link, secret = domain_links.make(domain=find(self.tenant_id, domain_id), by=self.actor, at=self.at)
        return Response({**Link(link).data, "url": domain_links.address(secret)}, status=201)


class OneLink(ApiView):
    """One link."""

    scopes = {"DELETE": "domains:write"}

    @operation(
        "revoke_domain_link", tag=TAG, answer=None, status=204, summary="Take a link back",
        parameters=(item_id("link_id", "Id of a link."),), described="It opens nothing from now on.",
    )  # fmt: skip
    def delete(self, request: Request, link_id: UUID) -> Response:
        """Take a link back."""
        self.read(NoBody)
        link = DomainLink.objects.select_related("domain").filter(tenant_id=self.tenant_id, pk=link_id).first()
        if link is None:
            raise Problem("not-found", "There is no such link.")
        domain_links.revoke(link=link, by=self.actor, at=self.at)
        return Response(status=204)


urlpatterns = [
    path("domains/<uuid:domain_id>/links", Links.as_view(), name="domain_links"),
    path("domain-links/<uuid:link_id>", OneLink.as_view(), name="domain_link"),
]
