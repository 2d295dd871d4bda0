"""Signatures in a response: what each covers, how it was made, and whether a trusted certificate bears it out."""

from collections.abc import Sequence

from onelogin.saml2.utils import OneLogin_Saml2_Utils

from core.saml import Signature, SigningCertificate
from portal.adapters.saml.certificates import armoured, fingerprint_of
from portal.adapters.saml.xml import Element, find, only, text_of

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
TRIED = {EXCLUSIVE, f"{EXCLUSIVE}WithComments", INCLUSIVE, ENVELOPED}
"""What xmlsec is let loose on; anything else (XSLT, XPath) is not even tried."""

NAMED = "./ds:KeyInfo/ds:X509Data/ds:X509Certificate"
"""Where a signature names the certificate of its key."""
PARAMETERS = "./ds:Transforms/ds:Transform/*[local-name() != 'InclusiveNamespaces']"


def read(owner: Element, *, certificates: Sequence[SigningCertificate], sound: bool) -> Signature | None:
    """Return the signature that stands directly in an element; it is tried only in a document without oddities."""
    element = only(owner, "./ds:Signature")
    if element is None:
        return None
    references = find(element, "./ds:SignedInfo/ds:Reference")
    methods = find(element, "./ds:SignedInfo/ds:SignatureMethod")
    canonical = find(element, "./ds:SignedInfo/ds:CanonicalizationMethod")
    reference = references[0] if references else None
    digests = [] if reference is None else find(reference, "./ds:DigestMethod")
    transforms = () if reference is None else find(reference, "./ds:Transforms/ds:Transform")
    found = Signature(
        method=_algorithm(methods),
        digest=_algorithm(digests),
        canonicalisation=_algorithm(canonical),
        transforms=tuple(str(transform.get("Algorithm")) for transform in transforms),
        problem=_problem(owner, element, references),
        claimed=fingerprint_of(text_of(only(element, NAMED)) or ""),
    )
    if not sound or found.problem or not {found.canonicalisation, *found.transforms} <= TRIED:
        return found
    return Signature(
        found.method, found.digest, found.canonicalisation, found.transforms, found.problem,
        verified_by=_verifier(element, certificates), claimed=found.claimed,
    )  # fmt: skip


def _problem(owner: Element, element: Element, references: Sequence[Element]) -> str:
    """Say why the signature might speak of something else than its own element, and of nothing but that."""
    if len(references) != 1:
        return f"it has {len(references)} references instead of one"
    if not owner.get("ID") or references[0].get("URI") != f"#{owner.get('ID')}":
        return "it refers to another element than the one it stands in"
    if find(element, ".//ds:Object"):
        return "it carries an object of its own"
    if len(find(element, "./ds:SignedInfo")) != 1 or find(references[0], PARAMETERS):
        return "it transforms what it signs"
    return ""


def _verifier(element: Element, certificates: Sequence[SigningCertificate]) -> str:
    """Return the fingerprint of the certificate that the signature holds for."""
    root = element.getroottree().getroot()
    for certificate in certificates:
        # By name: python3-saml takes a certificate of its own choice where none is given.
        if OneLogin_Saml2_Utils.validate_node_sign(element, root, cert=armoured(certificate), raise_exceptions=False):
            return certificate.fingerprint
    return ""


def _algorithm(elements: Sequence[Element]) -> str:
    return str(elements[0].get("Algorithm")) if elements else ""
