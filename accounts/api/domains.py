"""The API of domains: list, claim, look up, hand on, release."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.challenge import Method, Record
from accounts.domain.diagnosis import Code
from accounts.domain.transfers import TransferState
from accounts.models import Domain
from accounts.queries import domains as listed
from accounts.services import domain_transfers, domains
from core.api import PAGING, Answer, ApiView, Body, Cursor, NoBody, Problem, Text, item_id, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

for _scope in (
    TokenScope("domains:read", "Read your domains and their proof", Permission.VIEW_TENANT),
    TokenScope("domains:write", "Claim, check and release domains", Permission.MANAGE_DOMAINS),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Domains"
_ID = (item_id("domain_id", "Id of a domain."),)


class DnsRecord(Answer):
    """A DNS record to publish; one of a domain's records is enough."""

    type = serializers.ChoiceField(["TXT", "CNAME"], source="kind")
    name = serializers.CharField(source="host")
    value = serializers.CharField()


class WebFile(Answer):
    """The file that proves a domain without DNS: plain text, for everybody to read, 1 KiB at most."""

    url = serializers.URLField()
    content = serializers.CharField()


class DomainLookup(Answer):
    """What the latest look at DNS found."""

    checked_at = serializers.DateTimeField()
    code = serializers.ChoiceField([code.value for code in Code])
    summary = serializers.CharField()
    expected = serializers.CharField()
    found = serializers.ListField(child=serializers.CharField())
    fix = serializers.CharField()
    ttl = serializers.IntegerField(allow_null=True, help_text="Seconds for which name servers may keep this answer.")


class Transfer(Answer):
    """A wish to have a domain that another account holds."""

    state = serializers.ChoiceField([state.value for state in TransferState])
    asked_at = serializers.DateTimeField()
    proven_at = serializers.DateTimeField(allow_null=True, help_text="When the fresh proof was seen.")
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(help_text="What we said when we decided.")


class DomainState(Answer):
    """A claimed domain, and how its proof stands."""

    example = {
        "id": "0b9b6c52-8d0e-4f7d-9a44-7a3c1e2f5d10",
        "name": "airline.example",
        "text": "airline.example",
        "state": "waiting",
        "method": "dns",
        "records": [
            {
                "type": "TXT",
                "name": "_crossing-challenge.airline.example",
                "value": "token=m6fbor2oc7jcgvz4ow6edexky4cy63vc",
            },
            {
                "type": "CNAME",
                "name": "_crossing-challenge.airline.example",
                "value": "m6fbor2oc7jcgvz4ow6edexky4cy63vc.dcv.crossing.example",
            },
        ],
        "file": {
            "url": "https://airline.example/.well-known/crossing-challenge/m6fbor2oc7jcgvz4ow6edexky4cy63vc",
            "content": "token=m6fbor2oc7jcgvz4ow6edexky4cy63vc",
        },
        "claimed_at": "2026-11-26T05:00:00Z",
        "proven_since": None,
        "next_check_at": "2026-11-26T05:05:00Z",
        "last_check": {
            "checked_at": "2026-11-26T05:01:00Z",
            "code": "not_published",
            "summary": "There is no record at _crossing-challenge.airline.example yet",
            "expected": "token=m6fbor2oc7jcgvz4ow6edexky4cy63vc",
            "found": [],
            "fix": "Publish the record at your DNS provider; it may take some minutes to be seen.",
            "ttl": 300,
        },
        "transfer": None,
    }

    id = serializers.UUIDField()
    name = serializers.CharField(help_text="As DNS knows it.")
    text = serializers.CharField(help_text="As people read it.")
    state = serializers.SerializerMethodField()
    method = serializers.ChoiceField(
        [method.value for method in Method], help_text="Where the token is looked for; a DNS record counts either way."
    )
    records = serializers.SerializerMethodField()
    file = serializers.SerializerMethodField()
    claimed_at = serializers.DateTimeField()
    proven_since = serializers.DateTimeField(source="verified_at", allow_null=True)
    next_check_at = serializers.DateTimeField(allow_null=True, help_text="When it is looked up by itself.")
    last_check = serializers.SerializerMethodField()
    transfer = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(["proven", "waiting", "given_up"]))
    def get_state(self, domain: Domain) -> str:
        """`proven`, `waiting` for its record, or `given_up`."""
        if domain.is_verified:
            return "proven"
        return "given_up" if domain.failed_at else "waiting"

    @extend_schema_field(DnsRecord(many=True))
    def get_records(self, domain: Domain) -> list[dict[str, str]]:
        """What to publish: either is enough."""
        challenge = domains.challenge_of(domain)
        found: list[Record] = [challenge.txt, challenge.cname]
        return list(DnsRecord(found, many=True).data)

    @extend_schema_field(WebFile)
    def get_file(self, domain: Domain) -> dict[str, str]:
        """What to put on the web site where `method` is `file`."""
        challenge = domains.challenge_of(domain)
        return {"url": challenge.file_url, "content": challenge.file_content}

    @extend_schema_field(DomainLookup(allow_null=True))
    def get_last_check(self, domain: Domain) -> dict[str, object] | None:
        """What the latest look at DNS found; null before the first."""
        last = domain.last_check
        return dict(DomainLookup(last).data) if last else None

    @extend_schema_field(Transfer(allow_null=True))
    def get_transfer(self, domain: Domain) -> dict[str, object] | None:
        """How it stands with your wish to have the domain from another account; null without one."""
        return dict(Transfer(domain.transfer).data) if domain.transfer else None


class ClaimDomain(Body):
    """The domain to claim."""

    example = {"name": "airline.example"}

    name = Text(max_length=253, help_text="Without https:// and without www.")


class AskForDomain(Body):
    """Why a domain should be yours that another account holds."""

    example = {"reason": "We bought the domain with the airline."}

    reason = Text(max_length=500)


class ChooseMethod(Body):
    """Where the token will be published."""

    example = {"method": "file"}

    method = serializers.ChoiceField([method.value for method in Method])


class Domains(ApiView):
    """The tenant's domains."""

    scopes = {"GET": "domains:read", "POST": "domains:write"}
    parameters = PAGING

    @operation("list_domains", tag=TAG, answer=DomainState, paged=True, summary="List your domains")
    def get(self, request: Request) -> Response:
        """List the domains by name."""
        rows = listed.listed(tenant_id=self.tenant_id)

        def fetch(after: Cursor, count: int) -> Sequence[Domain]:
            return list((rows.filter(name__gt=after[0]) if after else rows)[:count])

        return self.page("domains", DomainState, fetch=fetch, key=lambda domain: [domain.name])

    @operation(
        "claim_domain", tag=TAG, body=ClaimDomain, answer=DomainState, status=201, summary="Claim a domain",
        described="Answers with the records to publish, of which one is enough. A claim counts for nothing until it is "
        "proven.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Claim a domain."""
        typed = self.read(ClaimDomain)["name"]
        made = domains.claim(tenant_id=self.tenant_id, typed=typed, by=self.actor, at=self.at)
        return Response(DomainState(made).data, status=201, headers={"Location": reverse("api:domain", args=[made.pk])})


class OneDomain(ApiView):
    """One domain."""

    scopes = {"GET": "domains:read", "DELETE": "domains:write"}

    @operation("get_domain", tag=TAG, answer=DomainState, parameters=_ID, summary="Read one domain")
    def get(self, request: Request, domain_id: UUID) -> Response:
        """Return one domain."""
        return Response(DomainState(find(self.tenant_id, domain_id)).data)

    @operation(
        "release_domain", tag=TAG, answer=None, status=204, parameters=_ID, summary="Release a domain",
        described="Its proof ends, and another account may prove it.",
    )  # fmt: skip
    def delete(self, request: Request, domain_id: UUID) -> Response:
        """Release a domain."""
        self.read(NoBody)
        domains.release(domain=find(self.tenant_id, domain_id), by=self.actor, at=self.at)
        return Response(status=204)


class Checks(ApiView):
    """Looking a domain up."""

    scopes = {"POST": "domains:write"}

    @operation(
        "check_domain", tag=TAG, answer=DomainState, parameters=_ID, body=NoBody, summary="Look a domain up in DNS now",
        described="Answers with the domain as it then stands; `last_check` says what was found and what to do.",
    )  # fmt: skip
    def post(self, request: Request, domain_id: UUID) -> Response:
        """Look the record up now."""
        self.read(NoBody)
        domains.check(domain=find(self.tenant_id, domain_id), by=self.actor, at=self.at)
        return Response(DomainState(find(self.tenant_id, domain_id)).data)


class Transfers(ApiView):
    """Asking for a domain that another account holds."""

    scopes = {"POST": "domains:write", "DELETE": "domains:write"}

    @operation(
        "ask_for_domain", tag=TAG, answer=DomainState, parameters=_ID, body=AskForDomain,
        summary="Ask for a domain that another account holds",
        described="After a check found `held_elsewhere`. A new token begins a fresh proof; then one of us decides.",
    )  # fmt: skip
    def post(self, request: Request, domain_id: UUID) -> Response:
        """Ask for the domain."""
        reason = self.read(AskForDomain)["reason"]
        domain_transfers.ask(domain=find(self.tenant_id, domain_id), reason=reason, by=self.actor, at=self.at)
        return Response(DomainState(find(self.tenant_id, domain_id)).data)

    @operation(
        "ask_for_domain_no_longer", tag=TAG, answer=DomainState, parameters=_ID, summary="Ask for a domain no longer",
    )  # fmt: skip
    def delete(self, request: Request, domain_id: UUID) -> Response:
        """Take the wish back."""
        self.read(NoBody)
        domain = find(self.tenant_id, domain_id)
        if domain.transfer is None:
            raise Problem("not-found", "You did not ask for this domain.")
        domain_transfers.withdraw(transfer=domain.transfer, by=self.actor, at=self.at)
        return Response(DomainState(find(self.tenant_id, domain_id)).data)


class Methods(ApiView):
    """How a domain is proven."""

    scopes = {"PUT": "domains:write"}

    @operation(
        "choose_domain_method", tag=TAG, body=ChooseMethod, answer=DomainState, parameters=_ID,
        summary="Choose how a domain is proven",
        described="By a DNS record, or by a file on its web site. A DNS record counts either way.",
    )  # fmt: skip
    def put(self, request: Request, domain_id: UUID) -> Response:
        """Choose how a domain is proven."""
        method = self.read(ChooseMethod)["method"]
        domains.choose(domain=find(self.tenant_id, domain_id), method=method, by=self.actor, at=self.at)
        return Response(DomainState(find(self.tenant_id, domain_id)).data)


class Tokens(ApiView):
    """Asking for another token."""

    scopes = {"POST": "domains:write"}

    @operation(
        "renew_domain_token", tag=TAG, answer=DomainState, parameters=_ID, body=NoBody, summary="Ask for a new token",
        described="After a token was given up, or for a fresh proof. The former token stops counting; a proof that "
        "stands keeps standing.",
    )  # fmt: skip
    def post(self, request: Request, domain_id: UUID) -> Response:
        """Issue a new token."""
        self.read(NoBody)
        domains.renew(domain=find(self.tenant_id, domain_id), by=self.actor, at=self.at)
        return Response(DomainState(find(self.tenant_id, domain_id)).data)


def find(tenant_id: UUID, domain_id: UUID) -> Domain:
    """Return a domain of the tenant's list, or raise the problem."""
    found = listed.listed(tenant_id=tenant_id).filter(pk=domain_id).first()
    if found is None:
        raise Problem("not-found", "There is no such domain on your list.")
    return found


urlpatterns = [
    path("domains", Domains.as_view(), name="domains"),
    path("domains/<uuid:domain_id>", OneDomain.as_view(), name="domain"),
    path("domains/<uuid:domain_id>/method", Methods.as_view(), name="domain_method"),
    path("domains/<uuid:domain_id>/token", Tokens.as_view(), name="renew_domain_token"),
    path("domains/<uuid:domain_id>/transfer", Transfers.as_view(), name="domain_transfer"),
    path("domains/<uuid:domain_id>/checks", Checks.as_view(), name="check_domain"),
]
