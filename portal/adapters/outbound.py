"""The guarded sender: all that goes to an address a customer gave (`docs/adr/0009-guarded-sender.md`).

httpcore without httpx on top: no redirects, no proxies from the environment, no cookies and no decompression that
would have to be turned off again. The name is resolved once, every answer is judged, and the connection goes to the
judged address; the host name stays what it was for SNI, the certificate and the Host header.
"""

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any
from urllib.parse import urljoin

import certifi
import dns.exception
import dns.resolver
import httpcore

from core import tenancy
from core.outbound import NotAllowed, Policy, Reply, Target, checked, networks, parse
from core.ports import Rejected, Unavailable
from portal.adapters.dns import endpoint

MOST_REDIRECTS = 3
MOST_ADDRESSES = 4
HEADROOM = 128 * 1024
"""Bytes for headers and framing beside the body's."""
_MOVED = frozenset({301, 302, 303, 307, 308})
type Resolve = Callable[[str, float], Sequence[str]]
"""Returns every address of a name within so many seconds; raises Unavailable without an answer."""


class TooMuch(Exception):
    """The answer grew past the cap."""


class GuardedSender:
    """Sends as `core.ports.Outbound` promises; `resolve` and `backend` are a test's own."""

    def __init__(
        self,
        *,
        loopback_ports: Iterable[int] = (),
        ours: Iterable[str] = (),
        denied: Iterable[str] = (),
        resolver: str = "",
        most_seconds: float = 10.0,
        most_bytes: int = 1_000_000,
        resolve: Resolve | None = None,
        backend: httpcore.NetworkBackend | None = None,
    ) -> None:
        self.policy = Policy(tuple(ours), networks(denied), frozenset(loopback_ports))
        self.most_seconds, self.most_bytes = most_seconds, most_bytes
        self.resolve = resolve or DnsAddresses(resolver)
        self.backend = backend or httpcore.SyncBackend()
        self.tls = ssl.create_default_context(cafile=certifi.where())

    def check(self, url: str) -> str:
        """Refuse an address that is never written to; see `core.ports.Outbound`."""
        return self._parse(url).url

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        same_host: bool = False,
        most_bytes: int | None = None,
    ) -> Reply:
        """Fetch, following at most three redirects; see `core.ports.Outbound`."""
        until, target = monotonic() + self.most_seconds, self._parse(url)
        for _ in range(MOST_REDIRECTS + 1):
            reply = self._send("GET", target, headers=headers or {}, body=b"", until=until, cut=most_bytes)
            if reply.status not in _MOVED or not (place := reply.headers.get("location")):
                return reply
            onward = self._parse(urljoin(target.url, place))
            if same_host and (target.scheme, target.origin) != (onward.scheme, onward.origin):
                return reply
            if (target.scheme, onward.scheme) == ("https", "http"):
                raise Rejected(f"{target.host} redirects from https to http.")
            target = onward
        raise Rejected(f"{target.host} redirects more than {MOST_REDIRECTS} times.")

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send; a redirect is an answer like any other. See `core.ports.Outbound`."""
        until = monotonic() + self.most_seconds
        return self._send("POST", self._parse(url), headers=headers or {}, body=body, until=until)

    def _parse(self, url: str) -> Target:
        try:
            return parse(url, policy=self.policy)
        except NotAllowed as refusal:
            raise Rejected(str(refusal)) from refusal

    def _send(
        self,
        method: str,
        target: Target,
        *,
        headers: Mapping[str, str],
        body: bytes,
        until: float,
        cut: int | None = None,
    ) -> Reply:
        """Exchange one request for one answer before `until`; both caps hold from the first look-up on."""
        tenancy.forbid_transaction("Writing to an address outside")
        began = monotonic()
        sent = {name.lower(): value for name, value in headers.items()}
        sent |= {"host": target.origin, "user-agent": "Crossing/1"}
        sent |= {"accept-encoding": "identity", "connection": "close"}
        sent |= {"content-length": str(len(body))} if method == "POST" else {}
        guard = _Guard(self, target, until=until)
        at = httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        )
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self.tls, network_backend=guard, max_connections=1) as pool,
                pool.stream(method, at, headers=list(sent.items()), content=body) as answer,
            ):
                content = _read(answer.iter_stream(), most=self.most_bytes, cut=cut)
                said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                return Reply(answer.status, said, content, int((monotonic() - began) * 1000))
        except NotAllowed as refusal:
            raise Rejected(str(refusal)) from refusal
        except TooMuch as error:
            raise Rejected(f"{target.host} answered with more than {self.most_bytes:,} bytes.") from error
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unavailable(self._words(error, guard)) from error

    def _words(self, error: Exception, guard: "_Guard") -> str:
        """Say in the customer's words why there is no answer."""
        host, cause = guard.target.host, error.__cause__
        if isinstance(error, httpcore.TimeoutException) or monotonic() >= guard.until:
            return f"{host} did not finish answering within {self.most_seconds:g} seconds."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The certificate of {host} is not valid: {cause.verify_message}."
        if isinstance(error, httpcore.ConnectError) and not guard.has_connected:
            return f"{host} does not accept connections on port {guard.target.port}."
        if isinstance(error, httpcore.ConnectError):
            return f"{host} did not agree on an encrypted connection."
        return f"{host} broke off without a complete HTTP answer."


def _read(chunks: Iterable[bytes], *, most: int, cut: int | None) -> bytes:
    """Join a body as long as it is small enough, and no more than one byte past `cut`; raises TooMuch."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if cut is not None and len(content) > cut:
            return bytes(content[: cut + 1])
        if len(content) > most:
            raise TooMuch
    return bytes(content)


class _Guard(httpcore.NetworkBackend):
    """Opens connections of one request: to judged addresses only, and none outlives its time."""

    def __init__(self, sender: GuardedSender, target: Target, *, until: float) -> None:
        self.sender, self.target, self.until = sender, target, until
        self.has_connected = False

    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.NetworkStream:
        """Resolve, judge all answers, then connect to the first that accepts."""
        target, policy = self.target, self.sender.policy
        answers = [target.host] if target.address else self.sender.resolve(target.host, left(self.until))
        places = checked(target.host, target.port, answers, policy=policy)[:MOST_ADDRESSES]
        for tried, place in enumerate(places, start=1):
            share = left(self.until) / (len(places) - tried + 1)  # one that swallows packets leaves time for the rest
            try:
                stream = self.sender.backend.connect_tcp(place, target.port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(places):
                    raise
                continue
            self.has_connected = True
            return _Capped(stream, until=self.until, budget=self.sender.most_bytes + HEADROOM)
        raise NotAllowed(f"{target.host} has no address.")


class _Capped(httpcore.NetworkStream):
    """A connection whose every step counts against one time and one size: slow headers and slow bodies alike."""

    def __init__(self, stream: httpcore.NetworkStream, *, until: float, budget: int) -> None:
        self.stream, self.until, self.budget = stream, until, budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read within what is left; the budget holds framing and headers that no reader counts."""
        if self.budget <= 0:
            raise TooMuch
        data = self.stream.read(min(max_bytes, self.budget), left(self.until))
        self.budget -= len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within what is left."""
        for start in range(0, len(buffer), 16_384):  # a receiver that reads a byte at a time gets no time of its own
            self.stream.write(buffer[start : start + 16_384], left(self.until))

    def close(self) -> None:
        """Close."""
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Agree on encryption within what is left."""
        stream = self.stream.start_tls(ssl_context, server_hostname, left(self.until))
        return _Capped(stream, until=self.until, budget=self.budget)

    def get_extra_info(self, info: str) -> Any:
        """Answer for the connection."""
        return self.stream.get_extra_info(info)


class DnsAddresses:
    """Every address of a name, asked of DNS alone: a hosts file or a search domain of ours answers nobody's URL."""

    def __init__(self, resolver: str) -> None:
        self.resolver = dns.resolver.Resolver(configure=not resolver)
        if resolver:
            host, self.resolver.port = endpoint(resolver)
            self.resolver.nameservers = [host]

    def __call__(self, name: str, seconds: float) -> Sequence[str]:
        """Return IPv4 and IPv6 addresses; aliases are followed by the resolver."""
        try:
            return [*self.resolver.resolve_name(f"{name}.", lifetime=seconds, search=False).addresses()]
        except dns.resolver.NXDOMAIN as absent:
            raise Unavailable(f"{name} does not exist in DNS.") from absent
        except dns.resolver.NoAnswer as empty:
            raise Unavailable(f"{name} has no address in DNS.") from empty
        except dns.exception.DNSException as outage:
            raise Unavailable(f"DNS did not answer for {name}.") from outage


def left(until: float) -> float:
    """Return the seconds left; raises httpcore's timeout when there are none."""
    seconds = until - monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout
    return seconds
