"""What a SAML message said, as facts: shared by the port, its adapters and the rules that judge a response.

Texts stand here as the message has them: whether an instant is one, and whether an address is ours, is for the rules.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MOST_METADATA = 512 * 1024
MOST_RESPONSE = 512 * 1024
"""In bytes, as sent (base64). What customers' providers send is 5 to 60 kB."""
_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


def bounded(moment: datetime) -> datetime:
    """Return the moment, or the first or last that can be reckoned with.

    The years 1 and 9999 mean “always” and “for ever” (RFC 5280 4.1.2.5): a zone or a span leads out of the calendar.
    """
    return max(_FIRST, min(moment, _LAST))


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """Crossing as one customer's identity provider knows it."""

    entity_id: str
    acs_url: str


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """A certificate that an identity provider signs with; `fingerprint` is SHA-256 in upper-case hexadecimal."""

    der: str  # base64, without armour
    fingerprint: str
    subject: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """An identity provider by its own metadata."""

    entity_id: str
    sso_url: str  # of the HTTP-Redirect binding
    certificates: tuple[SigningCertificate, ...]
    wants_signed_requests: bool = False
    signature: "Signature | None" = None
    valid_until: tuple[str, ...] = ()
    """Every end that the metadata give themselves, as they write it; the earliest counts (metadata 2.3.1)."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of its certificates."""
        return tuple(each.fingerprint for each in self.certificates)


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """An AuthnRequest as the address that a browser takes it to."""

    id: str
    url: str


class Unreadable(StrEnum):
    """Why a response could not be read at all."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_BASE64 = "not_base64"
    DOCTYPE = "doctype"
    NOT_XML = "not_xml"
    NOT_A_RESPONSE = "not_a_response"


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of one element, and whether it holds.

    `problem` says why it covers something else than its element alone. `verified_by` is the fingerprint of the trusted
    certificate that it holds for, `claimed` that of the certificate it names itself; both empty for none.
    """

    method: str
    digest: str
    canonicalisation: str
    transforms: tuple[str, ...]
    problem: str = ""
    verified_by: str = ""
    claimed: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A SubjectConfirmation (SAML 2.0 core 2.4.1.1)."""

    method: str = ""
    recipient: str | None = None
    in_response_to: str | None = None
    not_before: str | None = None
    not_on_or_after: str | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute that the provider asserts."""

    name: str
    values: tuple[str, ...]
    friendly: str = ""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the one assertion of a response says. None is what it does not say."""

    id: str | None = None
    issuer: str | None = None
    issued_at: str | None = None
    signature: Signature | None = None
    name_id: str | None = None
    name_id_format: str = ""
    sp_name_qualifier: str | None = None
    confirmations: tuple[Confirmation, ...] = ()
    has_conditions: bool = False
    not_before: str | None = None
    not_on_or_after: str | None = None
    audiences: tuple[tuple[str, ...], ...] = ()
    """The audiences of each AudienceRestriction; all restrictions must be met (core 2.5.1.4)."""
    authenticated_at: str | None = None
    session_ends_at: str | None = None
    authn_context: str = ""
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class SamlResponse:
    """What came back from an identity provider. `oddities` are what a forger needs and no provider sends."""

    unreadable: Unreadable | None = None
    version: str | None = None
    id: str | None = None
    destination: str | None = None
    issuer: str | None = None
    in_response_to: str | None = None
    issued_at: str | None = None
    status: str = ""
    status_message: str = ""
    signature: Signature | None = None
    is_encrypted: bool = False
    oddities: tuple[str, ...] = ()
    schema_problem: str = ""
    assertion: Assertion | None = None
