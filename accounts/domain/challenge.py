"""The challenge of a domain: its token, its records, its file, and whether an answer meets it.

After draft-ietf-dnsop-domain-verification-techniques: a random token of 160 bits at a name of its own, so that it says
nothing about the domain's other uses and can be removed afterwards.
"""

import base64
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from accounts.domain.names import CHALLENGE_LABEL, MAX_NAME, registered
from core.dns import DnsAnswer, DnsStatus

SIBLING_LABEL = "_crossing-nothing-here"  # nobody publishes it: only a wildcard answers there
TOKEN_BYTES = 20  # 160 bits; the draft asks for 128 or more
FILE_FOLDER = "/.well-known/crossing-challenge/"
MOST_FILE_BYTES = 1024
_VALUE = re.compile(r"token=(\S*?)(?: expiry=(\d{4}-\d{2}-\d{2}))?", re.ASCII)


class Method(StrEnum):
    """Where a domain's holder publishes the token; a record in DNS counts always, a file where it was chosen."""

    DNS = "dns"
    FILE = "file"


class Via(StrEnum):
    """What a challenge was met by."""

    TXT = "txt"
    CNAME = "cname"
    FILE = "file"


@dataclass(frozen=True)
class Record:
    """One DNS record as it is to be typed at a DNS provider."""

    kind: str  # TXT or CNAME
    host: str  # the whole name
    label: str  # what providers want that add the zone by themselves
    value: str


@dataclass(frozen=True)
class WebFile:
    """What stood at the address of a challenge's file: a status with its content, or why nobody answered.

    `content` is cut one byte past `MOST_FILE_BYTES`; `onward` is where a redirect leads that is not followed.
    """

    status: int = 0
    content: bytes = b""
    onward: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Challenge:
    """What the holder of a domain is asked to publish. `zone` is ours, for the CNAME form."""

    domain: str
    token: str
    zone: str

    @property
    def txt(self) -> Record:
        """The usual form."""
        return Record("TXT", host(self.domain), self._label, value(self.token))

    @property
    def cname(self) -> Record:
        """The form for providers that offer no TXT records; never at the apex, where a CNAME is not allowed."""
        return Record("CNAME", host(self.domain), self._label, f"{self.token}.{self.zone}")

    @property
    def file_url(self) -> str:
        """The address of the file, for who may change the web site and not DNS."""
        return f"https://{self.domain}{FILE_FOLDER}{self.token}"

    @property
    def file_content(self) -> str:
        """What the file holds; blanks and line breaks around it do not matter."""
        return value(self.token)

    @property
    def _label(self) -> str:
        """The host without the zone that a provider adds by itself: the registered domain, also for a name below it."""
        return host(self.domain).removesuffix(f".{registered(self.domain)}")

    @property
    def mistaken_hosts(self) -> tuple[str, ...]:
        """Where people publish by mistake, the likeliest first; without the names that DNS has no room for."""
        right, zone = host(self.domain), registered(self.domain)
        hosts = (
            f"{right}.{zone}", self.domain, f"{right}.{self.domain}", host(zone), f"www.{self.domain}",
            host(f"www.{self.domain}"), f"{CHALLENGE_LABEL.lstrip('_')}.{self.domain}",
        )  # fmt: skip
        return tuple(dict.fromkeys(each for each in hosts if each != right and len(each) <= MAX_NAME))

    def met_by(self, *, answer: DnsAnswer, on: date) -> Via | None:
        """Tell by what an answer meets the challenge: a TXT value with the token, or an alias of the name we gave."""
        if any(_same_name(alias, self.cname.value) for alias in answer.cnames):
            return Via.CNAME
        carried = map(parse_value, answer.values if answer.status is DnsStatus.FOUND else ())
        if any(one is not None and one.token == self.token and not one.has_expired(on=on) for one in carried):
            return Via.TXT
        return None

    def is_met_by_file(self, seen: WebFile) -> bool:
        """Tell whether the file carries the token, and nothing else: a page that repeats its address is no proof."""
        exact = seen.content.strip() == self.file_content.encode()
        return seen.status == 200 and len(seen.content) <= MOST_FILE_BYTES and exact


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
    read = _VALUE.fullmatch(text)
    if read is None:
        return None
    token, expiry = read.groups()
    try:
        return ParsedValue(token, date.fromisoformat(expiry) if expiry else None)
    except ValueError:  # no such day
        return None


def _same_name(one: str, other: str) -> bool:
    return one.rstrip(".").lower() == other.rstrip(".").lower()
