"""The port `IdentityProvider`, kept by python3-saml."""

from collections.abc import Sequence
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from core import tenancy
from core.saml import ProviderMetadata, SamlResponse, ServiceProvider, SigningCertificate, SignInRequest
from portal.adapters.saml import metadata, reading, second


class _Settings:
    """What an AuthnRequest is written from, escaped: python3-saml pastes it into XML as it is."""

    def __init__(self, sp: ServiceProvider, idp: ProviderMetadata) -> None:
        self._sp, self._idp = sp, idp

    def get_sp_data(self) -> dict[str, object]:
        return {
            "entityId": _escaped(self._sp.entity_id),
            "assertionConsumerService": {"url": _escaped(self._sp.acs_url), "binding": Names.BINDING_HTTP_POST},
            "NameIDFormat": Names.NAMEID_UNSPECIFIED,
        }

    def get_idp_data(self) -> dict[str, object]:
        return {"singleSignOnService": {"url": _escaped(self._idp.sso_url)}}

    def get_security_data(self) -> dict[str, object]:
        # Naming a context would shut out who signs in by passkey or Kerberos.
        return {"requestedAuthnContext": False, "wantNameIdEncrypted": False}

    def get_organization(self) -> dict[str, object]:
        return {}


class OneloginProvider:
    """Speaks SAML; see `core.ports.IdentityProvider`."""

    def metadata(self, document: bytes) -> ProviderMetadata:
        """Read a provider's metadata."""
        tenancy.forbid_transaction("Reading a provider's metadata")
        return metadata.read(document)

    def certificate(self, text: str) -> SigningCertificate:
        """Read one certificate."""
        return metadata.certificate(text)

    def request(self, *, sp: ServiceProvider, idp: ProviderMetadata, relay_state: str) -> SignInRequest:
        """Write an AuthnRequest as an address."""
        tenancy.forbid_transaction("Asking an identity provider")
        written = OneLogin_Saml2_Authn_Request(_Settings(sp, idp))
        query = urlencode({"SAMLRequest": written.get_request(), "RelayState": relay_state})
        joint = "&" if "?" in idp.sso_url else "?"
        return SignInRequest(str(written.get_id()), f"{idp.sso_url}{joint}{query}")

    def response(self, encoded: str, *, certificates: Sequence[SigningCertificate]) -> SamlResponse:
        """Read a response and try its signatures."""
        tenancy.forbid_transaction("Reading an identity provider's response")
        return reading.read(encoded, certificates=certificates)

    def objection(self, encoded: str, *, sp: ServiceProvider, idp: ProviderMetadata, request_id: str) -> str:
        """Ask python3-saml's own strict mode."""
        tenancy.forbid_transaction("Checking an identity provider's response")
        return second.objection(encoded, sp=sp, idp=idp, request_id=request_id)

    def redacted(self, encoded: str) -> str:
        """Return a response's XML without personal data."""
        return reading.redacted(encoded)

    def describe(self, sp: ServiceProvider) -> str:
        """Write our own metadata."""
        return metadata.describe(sp)


def _escaped(text: str) -> str:
    return escape(text, {'"': "&quot;"})
