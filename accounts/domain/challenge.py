"""The DNS challenge: its token, its records, and whether an answer meets it.

After draft-ietf-dnsop-domain-verification-techniques: a random token of 160 bits at a name of its own, so that it says
nothing about the domain's other uses and can be removed afterwards.
"""

import base64
from dataclasses import dataclass
from datetime import date

from accounts.domain.names import CHALLENGE_LABEL
from core.dns import DnsAnswer, DnsStatus

SIBLING_LABEL = "_crossing-nothing-here"  # nobody publishes it: only a wildcard answers there
TOKEN_BYTES = 20  # 160 bits; the draft asks for 128 or more


@dataclass(frozen=True)
class Record:
    """One DNS record as it is to be typed at a DNS provider."""

    kind: str  # TXT or CNAME
    host: str  # the whole name
    label: str  # what providers want that add the zone by themselves
    value: str


@dataclass(frozen=True)
class Challenge:
    """What the holder of a domain is asked to publish. `zone` is ours, for the CNAME form."""

    domain: str
    token: str
    zone: str

    @property
    def txt(self) -> Record:
        """The usual form."""
        return Record("TXT", host(self.domain), CHALLENGE_LABEL, value(self.token))

    @property
    def cname(self) -> Record:
        """The form for providers that offer no TXT records; never at the apex, where a CNAME is not allowed."""
        return Record("CNAME", host(self.domain), CHALLENGE_LABEL, f"{self.token}.{self.zone}")

    def is_met(self, *, answer: DnsAnswer, on: date) -> bool:
        """Tell whether a TXT value carries the token, or the challenge name is an alias of the name we gave it."""
        if answer.cnames and _same_name(answer.cnames[0], self.cname.value):
            return True
        if answer.status is not DnsStatus.FOUND:
            return False
        return any(
            parsed is not None and parsed.token == self.token and not parsed.has_expired(on=on)
            for parsed in map(parse_value, answer.values)
        )


@dataclass(frozen=True)
class ParsedValue:
    """A well-formed TXT value: the token and, if its publisher set one, the last day on which it counts."""

    token: str
    expires_on: date | None = None

    def has_expired(self, *, on: date) -> bool:
        """Tell whether its last day is over."""
        return self.expires_on is not None and self.expires_on < on


def token_from(random_bytes: bytes) -> str:
    """Write 160 random bits as lower-case base32 without padding: one DNS label, safe from case changes."""
    if len(random_bytes) != TOKEN_BYTES:
        raise ValueError(f"a token needs {TOKEN_BYTES} random bytes, got {len(random_bytes)}")
    return base64.b32encode(random_bytes).decode("ascii").lower()


def host(domain: str) -> str:
    """Return the name that the challenge of a domain stands at."""
    return f"{CHALLENGE_LABEL}.{domain}"


def value(token: str) -> str:
    """Return the TXT value that carries a token."""
    return f"token={token}"


def parse_value(text: str) -> ParsedValue | None:
    """Read `token=<t>` or `token=<t> expiry=YYYY-MM-DD`; None for anything else. Exact, nothing is trimmed inside."""
    head, *rest = text.split(" ")
    if not head.startswith("token="):
        return None
    token = head.removeprefix("token=")
    match rest:
        case []:
            return ParsedValue(token)
        case [expiry] if expiry.startswith("expiry="):
            try:
                return ParsedValue(token, date.fromisoformat(expiry.removeprefix("expiry=")))
            except ValueError:
                return None
        case _:
            return None


def _same_name(one: str, other: str) -> bool:
    return one.rstrip(".").lower() == other.rstrip(".").lower()
