"""Where Crossing may write when a customer names the address: public hosts on web ports, and nothing else.

Shared by the port, its adapters and the rules that judge an address; asks nobody (`docs/adr/0009-guarded-sender.md`).
Python's `ipaddress.is_global` passes NAT64, 6to4 and others in some versions, so the ranges stand here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import idna

type Address = IPv4Address | IPv6Address

WEB_PORTS = frozenset({80, 443, 8080, 8443})
MOST_URL = 2048
_STANDARD = {"http": 80, "https": 443}

_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata too
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's host, from inside every one of its machines
            "169.254.0.0/16",  # link-local, and most clouds' metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata too
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # multicast tunnels
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")  # the only range ever given out; so mapped, NAT64 and local ones are outside
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "2620:4f:8000::/48",  # AS112
            "3ffe::/16",  # 6bone, given back
            "3fff::/20",  # documentation
        ),
    )
)
_LOOPBACK = IPv4Address("127.0.0.1")
_LOCAL_NAMES = ("localhost", "local", "localdomain", "internal", "intranet", "home.arpa", "onion", "alt", "invalid")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_BRACKETED = re.compile(r"\[[0-9a-fA-F:.]+\](:[0-9]*)?\Z")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")


class NotAllowed(ValueError):
    """Crossing does not write to this address; the text says why, in the customer's words."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an installation adds to the rules: its own hosts and networks, and the demo's listeners on loopback."""

    ours: Collection[str] = ()
    """Host names that serve this portal; `.example.com` means every name below it."""
    denied: Collection[IPv4Network | IPv6Network] = ()
    loopback_ports: Collection[int] = ()
    """Ports on 127.0.0.1 that stand for the outside; empty but in the demo and in tests."""

    def permits(self, address: Address, port: int) -> bool:
        """Tell whether a connection to an address may be opened."""
        if address == _LOOPBACK and port in self.loopback_ports:
            return True
        return is_public(address) and not any(address in network for network in self.denied)


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart: what to connect to, and what to ask for there."""

    scheme: str
    host: str
    """A name as DNS sees it, without a closing dot, or an IP address without brackets."""
    port: int
    path: str
    address: Address | None = None
    """Where the host is no name but an IP address."""

    @property
    def origin(self) -> str:
        """The value of the Host header (RFC 9110 7.2)."""
        host = f"[{self.host}]" if self.address and self.address.version == 6 else self.host
        return host if self.port == _STANDARD[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address, written in one way."""
        return f"{self.scheme}://{self.origin}{self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an address answered; the body is as it came, never decompressed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    took_ms: int = 0


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    isatap = (int(address) >> 32) & 0xFDFFFFFF == 0x5EFE  # RFC 5214: an IPv4 address in disguise
    return (
        address in _PUBLIC_6
        and address.scope_id is None
        and not isatap
        and not any(address in network for network in _NOT_PUBLIC_6)
    )


def parse(url: str, *, policy: Policy) -> Target:
    """Take an address apart as strictly as no browser would, and refuse what is never written to."""
    if len(url) > MOST_URL:
        raise NotAllowed(f"The address is longer than {MOST_URL} characters.")
    if any(ord(character) <= 0x20 or character == "\x7f" for character in url) or "\\" in url:
        raise NotAllowed("The address must not hold spaces, control characters or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAllowed("This is not a complete web address.") from error
    scheme = parts.scheme
    if scheme not in _STANDARD or not parts.hostname:
        raise NotAllowed("The address must begin with https:// (or http://) and a host name.")
    if "@" in parts.netloc:
        raise NotAllowed("The address must not hold a user name or password.")
    if parts.netloc.count("[") and not _BRACKETED.match(parts.netloc):
        raise NotAllowed("The host is not a valid IPv6 address.")
    port = _STANDARD[scheme] if port is None else port
    host, address = _host(parts.netloc, parts.hostname)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise NotAllowed("Write characters outside of ASCII in the path percent-encoded, as a browser copies them.")
    target = Target(scheme, host, port, path, address)
    _judge(target, policy)
    return target


def checked(host: str, port: int, answers: Iterable[str], *, policy: Policy) -> list[str]:
    """Return the addresses a name led to, IPv4 first; one bad answer among them refuses all.

    The refusal does not repeat the address: it may be one of ours.
    """
    try:
        found = [ip_address(answer) for answer in answers]
    except ValueError as error:
        raise NotAllowed(f"{host} leads to something that is no address.") from error
    if not found:
        raise NotAllowed(f"{host} has no address.")
    if not all(policy.permits(address, port) for address in found):
        raise NotAllowed(f"{host} leads to an address that is not on the public internet.")
    return [str(address) for address in sorted(set(found), key=lambda each: (each.version, int(each)))]


def networks(texts: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """Read networks; ValueError for one that is none."""
    return [ip_network(text.strip()) for text in texts if text.strip()]


def _host(netloc: str, hostname: str) -> tuple[str, Address | None]:
    """Return the host in its one form, and as an address if it is one; a disguised number is none."""
    if netloc.startswith("["):
        try:
            six = IPv6Address(hostname)
        except ValueError as error:
            raise NotAllowed("The host is not a valid IPv6 address.") from error
        return str(six), six
    name = hostname
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise NotAllowed("The host is not a valid name.") from error
    name = name.lower().removesuffix(".")
    if _NUMBER.match(name.rpartition(".")[2]):  # WHATWG: a host that ends in a number is an IPv4 address, or wrong
        try:
            four = IPv4Address(hostname)
        except ValueError as error:
            raise NotAllowed("Write an IP address as four plain decimal numbers, or better a host name.") from error
        return str(four), four
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.match, labels)):
        raise NotAllowed("The host is not a valid name.")
    return name, None


def _judge(target: Target, policy: Policy) -> None:
    """Refuse what can be told without asking DNS."""
    if target.address == _LOOPBACK and target.port in policy.loopback_ports:
        return
    if target.port not in WEB_PORTS:
        allowed = ", ".join(map(str, sorted(WEB_PORTS)))
        raise NotAllowed(f"Port {target.port} is not one that we connect to; use one of {allowed}.")
    if target.address is None and ("." not in target.host or _is_below(target.host, _LOCAL_NAMES)):
        raise NotAllowed(f"{target.host} is a name of a local network, not of the public internet.")
    if target.address is not None and not policy.permits(target.address, target.port):
        raise NotAllowed(f"{target.host} is not an address on the public internet.")
    if any(_is_ours(target.host, name.lower()) for name in policy.ours):
        raise NotAllowed("This is an address of the portal itself; give one of yours.")


def _is_ours(host: str, name: str) -> bool:
    """Match a host as Django's ALLOWED_HOSTS does."""
    return host == name or (name.startswith(".") and _is_below(host, [name[1:]]))


def _is_below(host: str, names: Iterable[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)
