"""Domain names as people type them, and as DNS knows them."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import idna
from publicsuffixlist import PublicSuffixList

from accounts.domain.consumer_mail import CONSUMER_MAIL_DOMAINS

CHALLENGE_LABEL = "_crossing-challenge"
MAX_NAME = 253  # RFC 1035 2.3.4, without the root's dot
MAX_CLAIMED = MAX_NAME - len(CHALLENGE_LABEL) - 1

# Names no public resolver may answer (RFC 6761, 6762, 7686, 8375, 9476, ICANN's .internal): no proof is possible there.
NEVER_PUBLIC = frozenset({"alt", "arpa", "internal", "invalid", "local", "localhost", "onion"})


_TOGETHER = (
    frozenset({"Latin", "Cjk", "Hiragana", "Katakana", "Katakana-hiragana"}),
    frozenset({"Latin", "Cjk", "Bopomofo"}),
    frozenset({"Latin", "Cjk", "Hangul"}),
)
"""Scripts that one language writes side by side (UTS 39, "highly restrictive")."""


class NotClaimableError(ValueError):
    """The text is not a domain that one customer can hold; the message tells that customer why."""


@dataclass(frozen=True)
class DomainName:
    """A claimable domain: `ascii` is what DNS sees (A-labels, lower case), `text` what its owner reads (U-labels)."""

    ascii: str
    text: str


def parse(typed: str) -> DomainName:
    """Turn what a person typed into the domain meant, or raise `NotClaimableError` saying what to type instead.

    Case, blanks around, a closing dot and full-width dots do not matter (UTS 46). Refused are addresses, web addresses,
    names without a registrable part, public suffixes (publicsuffix.org, private section included), and consumer mail
    domains with everything below them.
    """
    name = typed.strip()
    if not name:
        raise NotClaimableError("Enter a domain, for example airline.example.")
    if "@" in name:
        raise NotClaimableError("Enter only the part after the @.")
    if re.search(r"[/:?#\\]", name):
        raise NotClaimableError("Enter the domain alone, without https:// and without a path or port.")
    if name.startswith("*"):
        raise NotClaimableError(
            "Enter the domain itself. A wildcard cannot be proven; subdomains are covered by their parent."
        )
    found = _to_dns(name)
    _refuse_unprovable(found.ascii)
    return found


def _to_dns(name: str) -> DomainName:
    try:
        ascii_name = idna.encode(name, uts46=True, std3_rules=True).decode("ascii").rstrip(".").lower()
        text = idna.decode(ascii_name)
    except (idna.IDNAError, UnicodeError) as error:
        raise NotClaimableError(
            "That is not a domain name: only letters, digits and hyphens between dots, like airline.example."
        ) from error
    if len(ascii_name) > MAX_CLAIMED:
        raise NotClaimableError(
            f"That domain is too long: a challenge record fits below at most {MAX_CLAIMED} characters."
        )
    return DomainName(ascii=ascii_name, text=text)


def _refuse_unprovable(name: str) -> None:
    last = name.rsplit(".", 1)[-1]
    if last.isdigit():
        raise NotClaimableError("That is an IP address. Enter a domain name.")
    if last in NEVER_PUBLIC:
        raise NotClaimableError(f"Names under .{last} are not in public DNS, so nobody can prove to hold them.")
    if "." not in name:
        raise NotClaimableError("Enter the whole domain, for example airline.example.")
    suffixes = _public_suffixes()
    if suffixes.publicsuffix(name) == name:
        raise NotClaimableError(
            f"{name} is a public suffix: many organisations register names under it. Enter your own domain."
        )
    labels = name.split(".")
    if any(".".join(labels[start:]) in CONSUMER_MAIL_DOMAINS for start in range(len(labels) - 1)):
        raise NotClaimableError(
            f"{name} belongs to a public mail service. Enter a domain that your organisation holds."
        )


def scripts(text: str) -> tuple[str, ...]:
    """Return the scripts that a name's letters are taken from, by the first word of their Unicode names."""
    letters = (character for character in text if character.isalpha())
    return tuple(sorted({unicodedata.name(letter, "?").split(" ", 1)[0].capitalize() for letter in letters}))


def is_mixed(text: str) -> bool:
    """Tell whether one label mixes scripts in a way that no language does (UTS 39): it may pass for another name."""
    return any(
        len(found) > 1 and not any(found <= allowed for allowed in _TOGETHER)
        for found in (frozenset(scripts(label)) for label in text.split("."))
    )


def registered(name: str) -> str:
    """Return the part of a domain that was registered: the zone that a DNS provider shows and adds by itself."""
    return _public_suffixes().privatesuffix(name) or name


@cache
def _public_suffixes() -> PublicSuffixList:
    """Read the list once: parsing it takes about 50 ms."""
    return PublicSuffixList()
