"""The other systems that the portal talks to: DNS, mail, customers' addresses, their sign-in, contracts and billing."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from core.dns import DnsAnswer
from core.inventory import Integration
from core.letters import Letter
from core.outbound import Reply
from core.people import Person
from core.saml import ProviderMetadata, SamlResponse, ServiceProvider, SigningCertificate, SignInRequest
from core.subscriptions import Access, Provision, Subscription, Use


class Dns(Protocol):
    """The public domain name system."""

    def txt(self, name: str) -> DnsAnswer:
        """Ask for the TXT records of a name, following at most `MAX_CNAME_HOPS` aliases; never raises for an outage."""
        ...

    def source(self, name: str) -> DnsAnswer | None:
        """Ask the same of the name's own name servers, past every cache, and follow no alias.

        None where they cannot be told or must not be asked (an address that is not on the public internet).
        """
        ...


class Outbound(Protocol):
    """Whatever stands at an address that a customer gave; nothing else may write to one.

    Raises Rejected, in words for the customer, where the address is not on the public internet or the answer passes
    the size cap; Unavailable where nobody answers in time.
    """

    def check(self, url: str) -> str:
        """Return an address written in one way, or raise Rejected for one that is never written to; asks nobody."""
        ...

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        same_host: bool = False,
        most_bytes: int | None = None,
    ) -> Reply:
        """Fetch from an address, through at most three redirects that are each judged anew.

        With `same_host` a redirect to anywhere else (another name, port or scheme) is an answer, not followed. With
        `most_bytes` a longer body is cut one byte later, so that it is seen to be longer.
        """
        ...

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send to an address once; a redirect is an answer, not followed."""
        ...


class Mail(Protocol):
    """The way out for mails."""

    def send(self, letter: Letter) -> None:
        """Hand one mail over.

        Raises Unavailable for what may work later, Rejected for what never will (SMTP 5xx about this recipient or
        mail); neither text holds an address.
        """
        ...


class IdentityProvider(Protocol):
    """SAML 2.0 spoken with a customer's identity provider; through the browser, so nothing here waits for anybody."""

    def metadata(self, document: bytes, *, certificates: Sequence[SigningCertificate] = ()) -> ProviderMetadata:
        """Read a provider's metadata; raises Rejected, saying what to upload instead, for anything unusable.

        Their signature, if they have one, is tried against these certificates and the one that it names itself.
        """
        ...

    def certificate(self, text: str) -> SigningCertificate:
        """Read one certificate, as PEM or as the base64 of it; raises Rejected, saying what was given instead."""
        ...

    def request(self, *, sp: ServiceProvider, idp: ProviderMetadata, relay_state: str) -> SignInRequest:
        """Write an AuthnRequest with a fresh random id, as the address to leave by (HTTP-Redirect binding).

        It is signed where the provider's metadata ask for that.
        """
        ...

    def response(self, encoded: str, *, certificates: Sequence[SigningCertificate]) -> SamlResponse:
        """Read a base64 response and try its signatures against the trusted certificates.

        Never raises for what it is given, and judges nothing: that is for `accounts.domain.assertions`.
        """
        ...

    def objection(self, encoded: str, *, sp: ServiceProvider, idp: ProviderMetadata, request_id: str) -> str:
        """Return why a library that knows nothing of our rules would refuse a response: a bare name, or empty.

        A second opinion on what the rules accept, never in their place. Clocks are the rules' own affair.
        """
        ...

    def redacted(self, encoded: str) -> str:
        """Return the response's XML for people to look at, indented, without what it says of a person."""
        ...

    def describe(self, sp: ServiceProvider, *, signs_requests: bool = False) -> str:
        """Return our own metadata, signed, for the provider's administrator: the same until a key of ours changes."""
        ...


class Inventory(Protocol):
    """What is connected to the legacy platform; Crossing only reads it, and never a secret."""

    def integrations(self, *, tenant_ref: str) -> tuple[Integration, ...]:
        """Return all that is connected for a tenant, by kind and key; switched-off ones too."""
        ...


class People(Protocol):
    """The people of both platforms; Crossing only reads them, and never a password.

    Both answer with the next `limit` of a customer's people after the one with the key `after` (None: from the first),
    in an order of their own that stays the same; fewer than `limit` are the last. A key comes once.
    """

    def of_legacy(self, *, tenant_ref: str, after: str | None, limit: int) -> Sequence[Person]:
        """Return people of the legacy platform, switched-off ones too."""
        ...

    def of_new(self, *, account_id: UUID, after: str | None, limit: int) -> Sequence[Person]:
        """Return people of the new platform, switched-off ones too."""
        ...


class LegacyContracts(Protocol):
    """The legacy platform's contracts; Crossing only reads them."""

    def subscription(self, *, tenant_ref: str) -> Subscription | None:
        """Return what the customer has bought; None if legacy knows no contract of theirs."""
        ...

    def use(self, *, tenant_ref: str) -> Use:
        """Count what the customer uses of what is limited, and their active people by role."""
        ...

    def roles(self, *, tenant_ref: str, logins: Collection[str]) -> Mapping[str, str]:
        """Return the role of each of these logins (lower case) that is active there."""
        ...


class Billing(Protocol):
    """The new platform's subscriptions: what will be invoiced."""

    def subscription(self, *, account_id: UUID) -> Subscription | None:
        """Return the account's subscription; None if there is none yet."""
        ...

    def access(self, *, account_id: UUID) -> Access | None:
        """Return what the account's plan includes and what its organisation allows; None without a subscription."""
        ...

    def provision(self, order: Provision) -> None:
        """Give the account exactly this subscription, all or nothing. Safe to repeat.

        Raises Rejected for a plan, add-on or limit that the new platform does not sell; nothing has changed then.
        """
        ...
