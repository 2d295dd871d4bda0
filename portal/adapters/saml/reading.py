"""A response from a browser, read into facts."""

import base64
import binascii
from collections import Counter
from collections.abc import Sequence

import xmlsec
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from core.saml import (
    MOST_RESPONSE,
    Assertion,
    Attribute,
    Confirmation,
    SamlResponse,
    SigningCertificate,
    Unreadable,
)
from portal.adapters.saml import signatures
from portal.adapters.saml.xml import SAML, SAMLP, Element, UnreadableError, find, has_repeated_ids, only, parse, text_of

TEXT_ONLY = ("Issuer", "NameID", "Audience", "AttributeValue", "AuthnContextClassRef", "StatusMessage")


def decoded(encoded: str) -> Element:
    """Return the root of a base64 response; raises UnreadableError."""
    if not encoded.strip():
        raise UnreadableError(Unreadable.EMPTY)
    if len(encoded) > MOST_RESPONSE:
        raise UnreadableError(Unreadable.TOO_LARGE)
    try:
        document = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError(Unreadable.NOT_BASE64) from error
    root = parse(document, comments=True)
    if root.tag != f"{SAMLP}Response":
        raise UnreadableError(Unreadable.NOT_A_RESPONSE)
    return root


def read(encoded: str, *, certificates: Sequence[SigningCertificate]) -> SamlResponse:
    """Return what a base64 response says, whatever it is."""
    try:
        root = decoded(encoded)
    except UnreadableError as error:
        return SamlResponse(unreadable=error.why)
    oddities = _oddities(root)
    sound = not oddities
    if sound:
        xmlsec.tree.add_ids(root, ["ID"])  # unique, as `_oddities` has seen to
    assertion = only(root, "./saml:Assertion")
    status = only(root, "./samlp:Status/samlp:StatusCode")
    nested = None if status is None else only(status, "./samlp:StatusCode")
    return SamlResponse(
        version=root.get("Version"),
        id=root.get("ID"),
        destination=root.get("Destination"),
        issuer=text_of(only(root, "./saml:Issuer")),
        in_response_to=root.get("InResponseTo"),
        issued_at=root.get("IssueInstant"),
        status="" if status is None else str(status.get("Value")),
        status_message=(text_of(only(root, "./samlp:Status/samlp:StatusMessage")) or "")
        or ("" if nested is None else str(nested.get("Value"))),
        signature=signatures.read(root, certificates=certificates, sound=sound),
        is_encrypted=bool(find(root, "//saml:EncryptedAssertion|//saml:EncryptedID|//saml:EncryptedAttribute")),
        oddities=oddities,
        schema_problem=_schema_problem(root),
        assertion=None if assertion is None else _assertion(assertion, certificates=certificates, sound=sound),
    )


def redacted(encoded: str) -> str:
    """Return a response's XML, indented, its subject and attribute values blanked; a note if it cannot be read."""
    try:
        root = decoded(encoded)
    except UnreadableError as error:
        return f"(not readable: {error.why.value})"
    for element in find(root, "//saml:NameID|//saml:AttributeValue"):
        for child in [*element]:
            element.remove(child)
        element.text = "…"
    for element in find(root, "//ds:X509Certificate|//ds:SignatureValue"):
        element.text = f"{(element.text or '').strip()[:24]}…"
    etree.strip_tags(root, etree.Comment)
    etree.indent(root)
    return str(etree.tostring(root, encoding="unicode"))


def _oddities(root: Element) -> tuple[str, ...]:
    """Return what would let one element be checked and another be read, or a text be read in two ways."""
    found = []
    assertions = find(root, "//saml:Assertion")
    if len(assertions) > 1:
        found.append(f"{len(assertions)} assertions instead of one")
    if any(assertion.getparent() is not root for assertion in assertions):
        found.append("an assertion that does not stand in the response itself")
    if len(find(root, "//samlp:Response")) > 1:
        found.append("a response within the response")
    allowed = {root, *(assertion for assertion in assertions if assertion.getparent() is root)}
    owners = [signature.getparent() for signature in find(root, "//ds:Signature")]
    if any(owner not in allowed for owner in owners):
        found.append("a signature in an unusual place")
    if any(count > 1 for count in Counter(owners).values()):
        found.append("two signatures of one element")
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    if has_repeated_ids(root):
        found.append("an ID that is used twice")
    if len(elements) < sum(1 for _ in root.iter()):
        found.append("comments, processing instructions or entities within the message")
    if any(
        len(find(assertion, f"./saml:{name}")) > 1 for assertion in assertions for name in ("Subject", "Conditions")
    ):
        found.append("a part of the assertion twice")
    if any(len(element) for name in TEXT_ONLY for element in root.iter(f"{SAML}{name}", f"{SAMLP}{name}")):
        found.append("elements where only text may stand")
    return tuple(found)


def _schema_problem(root: Element) -> str:
    """Say whether the message keeps the schema of SAML 2.0."""
    try:
        result = OneLogin_Saml2_XML.validate_xml(root, "saml-schema-protocol-2.0.xsd")
    except etree.LxmlError as error:
        return str(error)[:200]
    return "" if not isinstance(result, str) else "its elements or attributes are not those of SAML 2.0"


def _assertion(element: Element, *, certificates: Sequence[SigningCertificate], sound: bool) -> Assertion:
    name_id = only(element, "./saml:Subject/saml:NameID")
    conditions = only(element, "./saml:Conditions")
    statement = only(element, "./saml:AuthnStatement")
    restrictions = find(element, "./saml:Conditions/saml:AudienceRestriction")
    return Assertion(
        id=element.get("ID"),
        issuer=text_of(only(element, "./saml:Issuer")),
        issued_at=element.get("IssueInstant"),
        signature=signatures.read(element, certificates=certificates, sound=sound),
        name_id=text_of(name_id),
        name_id_format="" if name_id is None else str(name_id.get("Format") or Names.NAMEID_UNSPECIFIED),
        sp_name_qualifier=None if name_id is None else name_id.get("SPNameQualifier"),
        confirmations=tuple(map(_confirmation, find(element, "./saml:Subject/saml:SubjectConfirmation"))),
        has_conditions=conditions is not None,
        not_before=None if conditions is None else conditions.get("NotBefore"),
        not_on_or_after=None if conditions is None else conditions.get("NotOnOrAfter"),
        audiences=tuple(
            tuple(text_of(audience) or "" for audience in find(restriction, "./saml:Audience"))
            for restriction in restrictions
        ),
        authenticated_at=None if statement is None else statement.get("AuthnInstant"),
        session_ends_at=None if statement is None else statement.get("SessionNotOnOrAfter"),
        authn_context=text_of(only(element, "./saml:AuthnStatement/saml:AuthnContext/saml:AuthnContextClassRef")) or "",
        attributes=tuple(map(_attribute, find(element, "./saml:AttributeStatement/saml:Attribute"))),
    )


def _confirmation(element: Element) -> Confirmation:
    data = only(element, "./saml:SubjectConfirmationData")
    given = {} if data is None else data.attrib
    return Confirmation(
        method=str(element.get("Method") or ""),
        recipient=given.get("Recipient"),
        in_response_to=given.get("InResponseTo"),
        not_before=given.get("NotBefore"),
        not_on_or_after=given.get("NotOnOrAfter"),
    )


def _attribute(element: Element) -> Attribute:
    values = tuple(text_of(value) or "" for value in find(element, "./saml:AttributeValue"))
    return Attribute(str(element.get("Name") or ""), values, str(element.get("FriendlyName") or ""))
