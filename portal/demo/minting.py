"""SAML responses as an identity provider makes them, really signed: for the demo's provider and for tests of ours."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import xmlsec
from lxml import etree
from xmlsec import constants

from portal.saml_keys import Signer

SAMLP, SAML, DS = (
    "urn:oasis:names:tc:SAML:2.0:protocol",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "http://www.w3.org/2000/09/xmldsig#",
)
NAMES = {"samlp": SAMLP, "saml": SAML}
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105  (a name)
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"

type Element = Any
"""An lxml element: its stubs know no namespaces."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says; right in every respect unless told otherwise."""

    issuer: str
    audience: str
    acs_url: str
    request_id: str
    email: str
    at: datetime
    lasts: timedelta = timedelta(minutes=5)
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    status: str = SUCCESS


def response(answer: Answer) -> Element:
    """Build a response with its one assertion, not signed yet."""
    issued, ends = moment(answer.at), moment(answer.at + answer.lasts)
    root = etree.Element(
        _samlp("Response"),
        {
            "ID": new_id(),
            "Version": "2.0",
            "IssueInstant": issued,
            "Destination": answer.acs_url,
            "InResponseTo": answer.request_id,
        },
        nsmap=NAMES,
    )
    _child(root, _saml("Issuer"), answer.issuer)
    status = _child(root, _samlp("Status"))
    _child(status, _samlp("StatusCode"), Value=answer.status)
    assertion = _child(root, _saml("Assertion"), ID=new_id(), Version="2.0", IssueInstant=issued)
    _child(assertion, _saml("Issuer"), answer.issuer)
    subject = _child(assertion, _saml("Subject"))
    _child(subject, _saml("NameID"), answer.email, Format=EMAIL_FORMAT)
    confirmation = _child(subject, _saml("SubjectConfirmation"), Method=BEARER)
    _child(
        confirmation, _saml("SubjectConfirmationData"),
        InResponseTo=answer.request_id, Recipient=answer.acs_url, NotOnOrAfter=ends,
    )  # fmt: skip
    begins = moment(answer.at - timedelta(seconds=5))
    conditions = _child(assertion, _saml("Conditions"), NotBefore=begins, NotOnOrAfter=ends)
    restriction = _child(conditions, _saml("AudienceRestriction"))
    _child(restriction, _saml("Audience"), answer.audience)
    statement = _child(assertion, _saml("AuthnStatement"), AuthnInstant=issued, SessionIndex=new_id())
    context = _child(statement, _saml("AuthnContext"))
    _child(context, _saml("AuthnContextClassRef"), PASSWORD_CONTEXT)
    if answer.attributes:
        attributes = _child(assertion, _saml("AttributeStatement"))
        for name, values in answer.attributes.items():
            attribute = _child(attributes, _saml("Attribute"), Name=name)
            for value in values:
                _child(attribute, _saml("AttributeValue"), value)
    return root


def sign(
    element: Element,
    signer: Signer,
    *,
    method: Any = constants.TransformRsaSha256,
    digest: Any = constants.TransformSha256,
    canonicalisation: Any = constants.TransformExclC14N,
) -> None:
    """Sign an element (the assertion, or the whole response) after its issuer, enveloped."""
    signature = xmlsec.template.create(element, canonicalisation, method, ns="ds")
    element.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, digest, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, canonicalisation)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.tree.add_ids(element.getroottree().getroot(), ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(signer.key, constants.KeyDataFormatPem, None)
    context.key.load_cert_from_memory(signer.certificate, constants.KeyDataFormatPem)
    context.sign(signature)


def assertion_of(root: Element) -> Element:
    """Return the assertion of a response."""
    return root.find(_saml("Assertion"))


def encoded(root: Element) -> str:
    """Write a response as a browser carries it."""
    return base64.b64encode(etree.tostring(root)).decode()


def metadata(*, entity_id: str, sso_url: str, signers: list[Signer], wants_signed_requests: bool = False) -> str:
    """Write the metadata of a provider."""
    keys = "".join(
        f'    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data>'
        f"<ds:X509Certificate>{signer.der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\n"
        for signer in signers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">\n'
        f'  <md:IDPSSODescriptor WantAuthnRequestsSigned="{str(wants_signed_requests).lower()}" '
        f'protocolSupportEnumeration="{SAMLP}">\n{keys}'
        f"    <md:NameIDFormat>{EMAIL_FORMAT}</md:NameIDFormat>\n"
        f'    <md:SingleSignOnService Binding="{REDIRECT}" Location="{sso_url}"/>\n'
        "  </md:IDPSSODescriptor>\n"
        "</md:EntityDescriptor>\n"
    )


def moment(at: datetime) -> str:
    """Write a moment as SAML wants it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def new_id() -> str:
    """Draw an id of a message."""
    return f"_{secrets.token_hex(16)}"


def _samlp(name: str) -> str:
    return f"{{{SAMLP}}}{name}"


def _saml(name: str) -> str:
    return f"{{{SAML}}}{name}"


def _child(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    child = etree.SubElement(parent, tag, attributes)
    child.text = text
    return child
