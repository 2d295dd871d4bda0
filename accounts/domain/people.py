"""Whom an assertion speaks of: the address by which a member is found."""

import idna

from core.saml import Assertion

EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
EMAIL_ATTRIBUTES = frozenset(
    {
        "email",
        "mail",
        "emailaddress",
        "e-mail",
        "urn:oid:0.9.2342.19200300.100.1.3",
        "urn:oid:1.2.840.113549.1.9.1",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    }
)
FRIENDLY_EMAIL = frozenset({"mail", "email"})
"""How providers call the address, in lower case; `email_verified` and the like count for nothing here."""


def addresses(assertion: Assertion) -> tuple[str, ...]:
    """Return the different e-mail addresses asserted, in lower case: of the attributes, or else the NameID."""
    named = [
        value
        for attribute in assertion.attributes
        if attribute.name.lower() in EMAIL_ATTRIBUTES or attribute.friendly.lower() in FRIENDLY_EMAIL
        for value in attribute.values
    ]
    if not named and assertion.name_id and (assertion.name_id_format == EMAIL_FORMAT or domain_of(assertion.name_id)):
        named = [assertion.name_id]
    return tuple(dict.fromkeys(value.strip().lower() for value in named))


def domain_of(address: str) -> str:
    """Return the domain of an address as DNS knows it; empty unless it is one plain address.

    A domain in a spelling that DNS merely takes for it (full-width letters, another dot) is none: the address would not
    be found beside the same one spelled plainly.
    """
    local, at, domain = address.strip().partition("@")
    if not (local and at and domain) or "@" in domain or not address.strip().isprintable() or " " in address.strip():
        return ""
    try:
        known = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
        return known if domain.lower() in (known, idna.decode(known)) else ""
    except (idna.IDNAError, UnicodeError):
        return ""
