"""A provider's metadata, and ours."""

import hashlib
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from core.ports import Rejected
from core.saml import MOST_METADATA, ProviderMetadata, ServiceProvider, Signature, SigningCertificate, Unreadable
from portal.adapters.saml import certificates as known
from portal.adapters.saml import signatures
from portal.adapters.saml.xml import MD, Element, UnreadableError, find, has_repeated_ids, only, parse, text_of
from portal.saml_keys import Signer

MOST_CERTIFICATES = 10
LONGEST_ENTITY_ID = 1024  # SAML 2.0 core 8.3.6

_WORDS = {
    Unreadable.DOCTYPE: "The file has a document type or entities, which metadata never needs.",
    Unreadable.NOT_XML: "This is not an XML file in UTF-8.",
}


def read(document: bytes, *, certificates: Sequence[SigningCertificate]) -> ProviderMetadata:
    """Read what the provider of an IDPSSODescriptor is and signs with; raises Rejected.

    A signature around it is tried against the certificates that are trusted, and against the one that it names.
    """
    if not document.strip():
        raise Rejected("The metadata are empty.")
    if len(document) > MOST_METADATA:
        raise Rejected(f"The metadata are larger than {MOST_METADATA // 1024} KB. Upload those of one provider only.")
    try:
        root = parse(document, comments=False)
    except UnreadableError as error:
        raise Rejected(_WORDS[error.why]) from error
    entity = _entity(root)
    descriptor = find(entity, "./md:IDPSSODescriptor")[0]
    entity_id = (entity.get("entityID") or "").strip()
    if not entity_id or len(entity_id) > LONGEST_ENTITY_ID:
        raise Rejected("The metadata have no entityID, or one that is too long.")
    return ProviderMetadata(
        entity_id,
        _sso_url(descriptor),
        _certificates(descriptor),
        wants_signed_requests=descriptor.get("WantAuthnRequestsSigned") in ("true", "1"),
        signature=_signature(root, entity, certificates),
        valid_until=tuple(
            each.get("validUntil") for each in (descriptor, *descriptor.iterancestors()) if each.get("validUntil")
        ),
    )


def describe(sp: ServiceProvider, *, signers: Sequence[Signer], signs_requests: bool) -> str:
    """Write our metadata, signed by the first of our keys; each key's certificate is told, also before it signs.

    They carry no end of validity: a provider that was given them as a file would turn our people away the day after.
    """
    keys = "".join(
        f'    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{Names.NS_DS}"><ds:X509Data>'
        f"<ds:X509Certificate>{signer.der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\n"
        for signer in signers
    )
    content = (
        f'  <md:SPSSODescriptor AuthnRequestsSigned="{str(signs_requests).lower()}" WantAssertionsSigned="true" '
        f'protocolSupportEnumeration="{Names.NS_SAMLP}">\n{keys}'
        f"    <md:NameIDFormat>{escape(Names.NAMEID_EMAIL_ADDRESS)}</md:NameIDFormat>\n"
        f'    <md:AssertionConsumerService Binding="{Names.BINDING_HTTP_POST}" Location={quoteattr(sp.acs_url)} '
        'index="0" isDefault="true"/>\n'
        "  </md:SPSSODescriptor>\n"
    )
    # By its content, so that the same metadata are the same to the letter whenever somebody asks.
    ident = f"_{hashlib.sha256(f'{sp.entity_id}{content}'.encode()).hexdigest()[:40]}"
    unsigned = (
        f'<md:EntityDescriptor xmlns:md="{Names.NS_MD}" entityID={quoteattr(sp.entity_id)} ID="{ident}">\n'
        f"{content}</md:EntityDescriptor>\n"
    )
    signed = OneLogin_Saml2_Utils.add_sign(unsigned, signers[0].key, signers[0].certificate)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{signed.decode()}\n'


def _entity(root: Element) -> Element:
    """Return the one entity with an identity provider in it."""
    entities = find(root, "descendant-or-self::md:EntityDescriptor[md:IDPSSODescriptor]")
    if len(entities) == 1 and len(find(entities[0], "./md:IDPSSODescriptor")) == 1:
        return entities[0]
    if entities:
        raise Rejected("The file describes several identity providers. Upload the metadata of yours alone.")
    if find(root, "descendant-or-self::md:SPSSODescriptor"):
        raise Rejected("These are the metadata of an application. Upload those of your identity provider.")
    if root.tag in (f"{MD}EntityDescriptor", f"{MD}EntitiesDescriptor"):
        raise Rejected("These metadata describe no identity provider (they have no IDPSSODescriptor).")
    raise Rejected("This is XML, but not SAML metadata (it has no EntityDescriptor).")


def _signature(root: Element, entity: Element, certificates: Sequence[SigningCertificate]) -> Signature | None:
    """Return the signature that covers the entity: its own, or that of the whole file."""
    owner = root if only(entity, "./ds:Signature") is None else entity
    standing = find(root, "//ds:Signature")
    # What stands within a signature is not signed by it, and of two the other might say more than it may.
    sound = len(standing) == 1 and not find(standing[0], ".//md:*") and not has_repeated_ids(root)
    if sound:
        xmlsec.tree.add_ids(root, ["ID"])
    return signatures.read(owner, certificates=[*certificates, *_named(standing)], sound=sound)


def _named(standing: Sequence[Element]) -> list[SigningCertificate]:
    try:
        texts = [text_of(element) or "" for each in standing for element in find(each, signatures.NAMED)]
        return [known.read(text) for text in texts[:1]]
    except Rejected:
        return []


def _sso_url(descriptor: Element) -> str:
    services = find(descriptor, "./md:SingleSignOnService")
    for service in services:
        if service.get("Binding") == Names.BINDING_HTTP_REDIRECT and service.get("Location"):
            return str(service.get("Location")).strip()
    offered = ", ".join(sorted({str(service.get("Binding")).rsplit(":", 1)[-1] for service in services})) or "none"
    raise Rejected(
        f"The provider has no sign-in address for the binding HTTP-Redirect (it offers: {offered}). Turn it on there."
    )


def _certificates(descriptor: Element) -> tuple[SigningCertificate, ...]:
    """Return every signing certificate, each once: while a provider changes its key, it has two."""
    path = "./md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Certificate"
    texts = dict.fromkeys("".join((text_of(element) or "").split()) for element in find(descriptor, path))
    if not texts:
        raise Rejected("The metadata carry no signing certificate, so nothing the provider says could be checked.")
    if len(texts) > MOST_CERTIFICATES:
        raise Rejected(f"The metadata carry more than {MOST_CERTIFICATES} signing certificates.")
    return tuple({each.fingerprint: each for each in map(known.read, texts)}.values())
