"""How a tenant's directory names a person: the one key of SAML and SCIM, or the same person would come twice.

First the id that the directory never gives to another (`externalId` of SCIM, a persistent NameID or an object id of
SAML), then the name by which it lets them sign in (`userName` of SCIM, any other NameID). An e-mail address is no key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from accounts.domain import people
from core.saml import Assertion

PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EXTERNAL_ID_ATTRIBUTES = frozenset(
    {
        "externalid",
        "urn:ietf:params:scim:schemas:core:2.0:user:externalid",
        "http://schemas.microsoft.com/identity/claims/objectidentifier",
    }
)
"""How providers call the id that SCIM sends as `externalId`, in lower case."""

LONGEST_KEY = 320


@dataclass(frozen=True, slots=True)
class Key:
    """Who the directory says somebody is. An id counts to the letter, a name in whatever case (RFC 7643 4.1.1)."""

    external_id: str = ""
    user_name: str = ""

    def __bool__(self) -> bool:
        return bool(self.external_id or self.user_name)


class Keyed(Protocol):
    """What carries a key: a linked identity, or a proposal of one."""

    @property
    def external_id(self) -> str:
        """The id that the directory never gives to another; may be empty."""
        ...

    @property
    def user_name(self) -> str:
        """The name to sign in by, in lower case; may be empty."""
        ...


@dataclass(frozen=True, slots=True)
class Match[K: Keyed]:
    """What a key is known as. `clash`: known by the name alone, under another id: the name may have a new owner."""

    found: K | None = None
    clash: K | None = None


def provisioned(*, external_id: str | None, user_name: str) -> Key:
    """Return the key of a SCIM user."""
    return Key(_fitting((external_id or "").strip()), _fitting(_folded(user_name)))


def asserted(assertion: Assertion) -> Key:
    """Return the key of whom an assertion names; an empty one for a name made for this one sign-in."""
    name, form = (assertion.name_id or "").strip(), assertion.name_id_format
    stated = {
        value.strip()
        for attribute in assertion.attributes
        if attribute.name.lower() in EXTERNAL_ID_ATTRIBUTES
        for value in attribute.values
    }
    external_id = stated.pop() if len(stated) == 1 else ""
    if not external_id and form == PERSISTENT:
        external_id = name
    if form not in (PERSISTENT, TRANSIENT):
        return Key(_fitting(external_id), _fitting(_folded(name)))
    addresses = people.addresses(assertion) if external_id else ()
    return Key(_fitting(external_id), _fitting(_folded(addresses[0])) if len(addresses) == 1 else "")


def match[K: Keyed](key: Key, known: Iterable[K]) -> Match[K]:
    """Return what the key is known as: by its id, or else by its name unless that stands under another id."""
    rows = list(known)
    if key.external_id:
        for each in rows:
            if each.external_id == key.external_id:
                return Match(found=each)
    for each in rows:
        if key.user_name and each.user_name == key.user_name:
            differs = bool(key.external_id and each.external_id)
            return Match(clash=each) if differs else Match(found=each)
    return Match()


def _folded(name: str) -> str:
    return name.strip().lower()


def _fitting(text: str) -> str:
    """Return a key's text, or nothing for one so long that nobody has it."""
    return text if len(text) <= LONGEST_KEY and text.isprintable() else ""
