"""The port `IdentityProvider`, kept by python3-saml."""

import base64
from collections.abc import Sequence
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from core import tenancy
from core.saml import ProviderMetadata, SamlResponse, ServiceProvider, SigningCertificate, SignInRequest
from portal import saml_keys
from portal.adapters.saml import certificates as known
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
    """Speaks SAML; see `core.ports.IdentityProvider`. The first key signs; the certificates of all are told."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._signers = tuple(map(saml_keys.read, keys))

    def metadata(self, document: bytes, *, certificates: Sequence[SigningCertificate] = ()) -> ProviderMetadata:
        """Read a provider's metadata."""
        tenancy.forbid_transaction("Reading a provider's metadata")
        return metadata.read(document, certificates=certificates)

    def certificate(self, text: str) -> SigningCertificate:
        """Read one certificate."""
        return known.pasted(text)

    def request(self, *, sp: ServiceProvider, idp: ProviderMetadata, relay_state: str) -> SignInRequest:
        """Write an AuthnRequest as an address."""
        tenancy.forbid_transaction("Asking an identity provider")
        written = OneLogin_Saml2_Authn_Request(_Settings(sp, idp))
        query = urlencode({"SAMLRequest": written.get_request(), "RelayState": relay_state})
        if idp.wants_signed_requests:
            query = self._signed(query)
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

    def describe(self, sp: ServiceProvider, *, signs_requests: bool = False) -> str:
        """Write our own metadata."""
        return metadata.describe(sp, signers=self._signers, signs_requests=signs_requests)

    def _signed(self, query: str) -> str:
        """Sign a query as it stands (SAML 2.0 bindings 3.4.4.1): these fields, in this order, and no others."""
        query = f"{query}&{urlencode({'SigAlg': Names.RSA_SHA256})}"
        signature = OneLogin_Saml2_Utils.sign_binary(query.encode(), self._signers[0].key)
        return f"{query}&{urlencode({'Signature': base64.b64encode(signature).decode()})}"


def _escaped(text: str) -> str:
    return escape(text, {'"': "&quot;"})
