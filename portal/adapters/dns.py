"""DNS by dnspython: the system's resolver, or one named resolver. Keeps no cache of its own."""

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
from django.core.exceptions import ImproperlyConfigured
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT
from dns.rrset import RRset

from core import tenancy
from core.dns import MAX_CNAME_HOPS, DnsAnswer, DnsStatus
from core.outbound import Policy, networks

MOST_SERVERS = 2
"""How many of a zone's own name servers are asked."""
UDP_PAYLOAD = 1232  # DNS Flag Day 2020: fits every path without fragments


class DnspythonDns:
    """Asks DNS; `resolver` is `host:port` or `[v6]:port` (the port may be left out), empty for the system's.

    A zone's own name servers are whatever its holder says, so they are judged like any address that a customer gives:
    `denied` are networks of ours, `source_port` and `loopback_ports` a test's own.
    """

    def __init__(
        self,
        *,
        resolver: str = "",
        timeout: float = 2.0,
        lifetime: float = 5.0,
        denied: Iterable[str] = (),
        loopback_ports: Collection[int] = (),
        source_port: int = 53,
    ) -> None:
        self._resolver = dns.resolver.Resolver(configure=not resolver)
        if resolver:
            host, port = endpoint(resolver)
            self._resolver.nameservers, self._resolver.port = [host], port
        self._resolver.timeout, self._resolver.lifetime = timeout, lifetime
        self._resolver.use_edns(0, 0, UDP_PAYLOAD)
        self._resolver.flags = dns.flags.RD | dns.flags.AD  # AD in a question: tell me whether you validated (RFC 6840)
        self._trusts_ad = all(_is_loopback(str(server)) for server in self._resolver.nameservers)
        self._policy, self._source_port = Policy((), networks(denied), loopback_ports), source_port

    def txt(self, name: str) -> DnsAnswer:
        """Ask for the TXT records of a name; see `core.ports.Dns`."""
        tenancy.forbid_transaction("Asking DNS")
        wanted = dns.name.from_text(name)
        passed: list[dns.name.Name] = []
        while True:
            answer, stopped_at = self._ask(self._resolver, wanted, passed)
            # Only an authoritative server hands out an alias without its target: follow it ourselves.
            if answer is not None:
                return answer
            if stopped_at in (*passed[:-1], dns.name.from_text(name)) or len(passed) > MAX_CNAME_HOPS:
                return DnsAnswer(DnsStatus.CNAME_LOOP, cnames=_texts(passed))
            wanted = stopped_at

    def source(self, name: str) -> DnsAnswer | None:
        """Ask the name's own name servers; see `core.ports.Dns`."""
        tenancy.forbid_transaction("Asking DNS")
        wanted = dns.name.from_text(name)
        try:
            servers = self._servers(wanted)
        except dns.exception.DNSException:
            return None
        if not servers:
            return None
        source = dns.resolver.Resolver(configure=False)
        source.nameservers, source.port = servers, self._source_port
        source.timeout, source.lifetime, source.flags = self._resolver.timeout, self._resolver.timeout, 0
        source.use_edns(0, 0, UDP_PAYLOAD)
        passed: list[dns.name.Name] = []
        answer, _ = self._ask(source, wanted, passed)
        return replace(answer or DnsAnswer(DnsStatus.NO_DATA, cnames=_texts(passed)), authenticated=False)

    def _servers(self, name: dns.name.Name) -> list[str]:
        """Return addresses of the name servers of the zone that a name lies in, only such as may be asked."""
        ask, seconds = self._resolver, self._resolver.timeout  # for each step: somebody may be waiting for the page
        zone = dns.resolver.zone_for_name(name, resolver=ask, lifetime=seconds)
        rows = ask.resolve(zone, "NS", search=False, lifetime=seconds)
        hosts = [cast("NS", row).target for row in rows][:MOST_SERVERS]
        answers = [ask.resolve_name(host, search=False, lifetime=seconds).addresses() for host in hosts]
        places = [ipaddress.ip_address(address) for addresses in answers for address in addresses]
        if not all(self._policy.permits(place, self._source_port) for place in places):
            return []  # as for every address outside: one bad answer refuses all
        return [str(place) for place in sorted(places, key=lambda each: (each.version, int(each)))[:MOST_SERVERS]]

    def _ask(
        self, resolver: dns.resolver.Resolver, name: dns.name.Name, passed: list[dns.name.Name]
    ) -> tuple[DnsAnswer | None, dns.name.Name]:
        """Ask one question and note the aliases passed: its answer, or None and the alias's target to ask for."""
        try:
            found = resolver.resolve(name, "TXT", raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN as absent:
            response = cast("dns.message.QueryMessage", absent.kwargs["responses"][name])
            passed += _targets(response.answer, name)
            return self._answer(DnsStatus.NXDOMAIN, passed, response, ttl=_negative_ttl(response)), name
        except dns.resolver.LifetimeTimeout:
            return DnsAnswer(DnsStatus.TIMEOUT, cnames=_texts(passed)), name
        except (dns.resolver.NoNameservers, dns.resolver.YXDOMAIN) as refusal:
            return self._refusal(refusal, name, passed), name
        chain = [cast("dns.name.Name", alias[0].target) for alias in found.chaining_result.cnames]
        passed += chain
        response = found.response
        if found.rrset is not None:
            texts = tuple(_joined(cast("TXT", record)) for record in found.rrset)
            if len(passed) > MAX_CNAME_HOPS:
                return DnsAnswer(DnsStatus.CNAME_LOOP, cnames=_texts(passed)), name
            return self._answer(DnsStatus.FOUND, passed, response, values=texts, ttl=found.rrset.ttl), name
        if chain and _negative_ttl(response) is None:
            return None, chain[-1]
        return self._answer(DnsStatus.NO_DATA, passed, response, ttl=_negative_ttl(response)), name

    def _answer(
        self,
        status: DnsStatus,
        passed: list[dns.name.Name],
        response: dns.message.Message,
        *,
        values: tuple[str, ...] = (),
        ttl: int | None = None,
    ) -> DnsAnswer:
        authenticated = self._trusts_ad and bool(response.flags & dns.flags.AD)
        return DnsAnswer(status, values=values, cnames=_texts(passed), ttl=ttl, authenticated=authenticated)

    def _refusal(
        self, refusal: dns.exception.DNSException, name: dns.name.Name, passed: list[dns.name.Name]
    ) -> DnsAnswer:
        """Tell apart by response code what dnspython reports as one error."""
        codes: set[int] = set()
        for _server, _tcp, _port, error, response in refusal.kwargs.get("errors", ()):
            if isinstance(error, dns.message.ChainTooLong):
                return DnsAnswer(DnsStatus.CNAME_LOOP, cnames=_texts(passed))
            if response is not None:
                chain = _targets(response.answer, name)
                if len(passed) + len(chain) > MAX_CNAME_HOPS or len(set(chain)) < len(chain) or name in chain:
                    return DnsAnswer(DnsStatus.CNAME_LOOP, cnames=_texts([*passed, *chain]))
                codes.add(response.rcode())
        if dns.rcode.REFUSED in codes:
            return DnsAnswer(DnsStatus.REFUSED, cnames=_texts(passed))
        return DnsAnswer(DnsStatus.SERVFAIL if codes else DnsStatus.TIMEOUT, cnames=_texts(passed))


def _targets(rows: Iterable[RRset], name: dns.name.Name) -> list[dns.name.Name]:
    """Return the aliases of a name in an answer, in order, to the second sight of one already passed."""
    aliases = {row.name: cast("dns.name.Name", row[0].target) for row in rows if row.rdtype == dns.rdatatype.CNAME}
    found: list[dns.name.Name] = []
    while name in aliases and len(found) <= len(aliases):
        name = aliases[name]
        found.append(name)
    return found


def _negative_ttl(response: dns.message.Message) -> int | None:
    """Return how long resolvers keep an absence (RFC 2308 5), or None without a start of authority."""
    for row in response.authority:
        if row.rdtype == dns.rdatatype.SOA:
            return min(row.ttl, cast("SOA", row[0]).minimum)
    return None


def _joined(record: TXT) -> str:
    return b"".join(record.strings).decode("utf-8", errors="backslashreplace")


def _texts(names: Iterable[dns.name.Name]) -> tuple[str, ...]:
    return tuple(name.to_text(omit_final_dot=True).lower() for name in names)


def endpoint(text: str) -> tuple[str, int]:
    """Read `host:port` or `[v6]:port`; the port may be left out."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"DNS_RESOLVER must be an IP address with an optional port, not {text!r}."
        ) from error


def _is_loopback(server: str) -> bool:
    return ipaddress.ip_address(server).is_loopback
