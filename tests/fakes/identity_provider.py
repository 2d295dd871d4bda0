"""SAML without XML: messages are JSON of the facts. Held to its word by `tests/contract/test_identity_provider.py`."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

from core import tenancy
from core.ports import Rejected
from core.saml import (
    MOST_METADATA,
    MOST_RESPONSE,
    Assertion,
    Attribute,
    Confirmation,
    ProviderMetadata,
    SamlResponse,
    ServiceProvider,
    Signature,
    SigningCertificate,
    SignInRequest,
    Unreadable,
)

_numbers = count(1)


class FakeProvider:
    """Reads what `written` and `metadata_of` write."""

    def metadata(self, document: bytes, *, certificates: Sequence[SigningCertificate] = ()) -> ProviderMetadata:
        """Read metadata as `core.ports.IdentityProvider` promises."""
        tenancy.forbid_transaction("Reading a provider's metadata")
        if not document.strip() or len(document) > MOST_METADATA:
            raise Rejected("The metadata are empty or too large.")
        try:
            kept = json.loads(document)
            certificates = tuple(_certificate(each) for each in kept["certificates"])
            wants = bool(kept.get("wants_signed_requests"))
            return ProviderMetadata(kept["entity_id"], kept["sso_url"], certificates, wants_signed_requests=wants)
        except (ValueError, KeyError, TypeError) as error:
            raise Rejected("These are no metadata.") from error

    def certificate(self, text: str) -> SigningCertificate:
        """Read a certificate as `certificate_of` wrote it."""
        try:
            return _certificate(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise Rejected("This is no certificate.") from error

    def request(self, *, sp: ServiceProvider, idp: ProviderMetadata, relay_state: str) -> SignInRequest:
        """Write a request."""
        tenancy.forbid_transaction("Asking an identity provider")
        known = f"_fake{next(_numbers)}"
        signed = {"SigAlg": "fake", "Signature": known} if idp.wants_signed_requests else {}
        query = urlencode({"SAMLRequest": json.dumps([known, sp.acs_url]), "RelayState": relay_state, **signed})
        return SignInRequest(known, f"{idp.sso_url}{'&' if '?' in idp.sso_url else '?'}{query}")

    def response(self, encoded: str, *, certificates: Sequence[SigningCertificate]) -> SamlResponse:
        """Read a response; a signature holds if the certificate it claims is trusted."""
        tenancy.forbid_transaction("Reading an identity provider's response")
        if not encoded.strip():
            return SamlResponse(unreadable=Unreadable.EMPTY)
        if len(encoded) > MOST_RESPONSE:
            return SamlResponse(unreadable=Unreadable.TOO_LARGE)
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except ValueError:
            return SamlResponse(unreadable=Unreadable.NOT_BASE64)
        try:
            found = _response(json.loads(text))
        except (ValueError, KeyError, TypeError):
            return SamlResponse(unreadable=Unreadable.DOCTYPE if "<!DOCTYPE" in text else Unreadable.NOT_XML)
        assertion = found.assertion
        if assertion is None or assertion.signature is None:
            return found
        trusted = {each.fingerprint for each in certificates}
        claimed = assertion.signature.claimed
        signature = replace(assertion.signature, verified_by=claimed if claimed in trusted else "")
        return replace(found, assertion=replace(assertion, signature=signature))

    def objection(self, encoded: str, *, sp: ServiceProvider, idp: ProviderMetadata, request_id: str) -> str:
        """Object to what is signed by nobody trusted, or meant for others."""
        tenancy.forbid_transaction("Checking an identity provider's response")
        found = self.response(encoded, certificates=idp.certificates)
        assertion = found.assertion
        if assertion is None or assertion.signature is None or not assertion.signature.verified_by:
            return "NO_SIGNATURE_FOUND" if assertion is None or assertion.signature is None else "INVALID_SIGNATURE"
        if found.in_response_to != request_id:
            return "WRONG_INRESPONSETO"
        return "" if all(sp.entity_id in each for each in assertion.audiences) else "WRONG_AUDIENCE"

    def redacted(self, encoded: str) -> str:
        """Return a response without its person."""
        found = self.response(encoded, certificates=())
        return f"<Response Destination={found.destination!r}/>"

    def describe(self, sp: ServiceProvider, *, signs_requests: bool = False) -> str:
        """Write our metadata."""
        signs = str(signs_requests).lower()
        return f'<EntityDescriptor entityID={sp.entity_id!r} Location={sp.acs_url!r} AuthnRequestsSigned="{signs}"/>'


def written(response: SamlResponse) -> str:
    """Write a response for `FakeProvider` to read."""
    return base64.b64encode(json.dumps(asdict(response)).encode()).decode()


def metadata_of(metadata: ProviderMetadata) -> bytes:
    """Write metadata for `FakeProvider` to read."""
    return json.dumps(asdict(metadata), default=str).encode()


def certificate_of(certificate: SigningCertificate) -> str:
    """Write a certificate for `FakeProvider` to read."""
    return json.dumps(asdict(certificate), default=str)


def _certificate(kept: dict[str, Any]) -> SigningCertificate:
    dates = {name: datetime.fromisoformat(kept[name]) for name in ("not_before", "not_after")}
    return SigningCertificate(**{**kept, **dates})


def _response(kept: dict[str, Any]) -> SamlResponse:
    assertion = kept.pop("assertion")
    kept["oddities"] = tuple(kept["oddities"])
    if assertion is None:
        return SamlResponse(**kept, assertion=None)
    signature = assertion.pop("signature")
    if signature is not None:
        signature = Signature(**{**signature, "transforms": tuple(signature["transforms"])})
    for name, kind in (("confirmations", Confirmation), ("attributes", Attribute)):
        assertion[name] = tuple(kind(**each) for each in assertion[name])
    assertion["attributes"] = tuple(replace(each, values=tuple(each.values)) for each in assertion["attributes"])
    assertion["audiences"] = tuple(map(tuple, assertion["audiences"]))
    return SamlResponse(**kept, assertion=Assertion(**assertion, signature=signature))
