"""The demo's DNS server: answers over UDP and TCP on loopback, from the zone file as it is at that moment."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dnslib import CNAME, NS, QTYPE, RCODE, RD, RR, SOA, TXT, A, DNSError, DNSRecord
from dnslib.server import DNSHandler, DNSLogger, DNSServer

from core.dns import MAX_CNAME_HOPS
from portal.demo.dns import Fault, Record, Zones

log = logging.getLogger(__name__)

NEGATIVE_TTL = 30
LOOKS_EVERY = 0.05
"""Seconds between two looks whether a listener is to end: `socketserver`'s own half second would hold up Ctrl-C."""
UDP_PAYLOAD = 1232  # DNS Flag Day 2020; anything longer goes over TCP


class Resolver:
    """Answers from zones, like a recursive resolver for the whole (small) world, or like one authoritative server.

    A recursive one (`chases`) follows aliases itself; an authoritative one leaves that to who asks. `validates` sets
    the bit of a resolver that has checked DNSSEC signatures.
    """

    def __init__(self, read: Callable[[], Zones], *, chases: bool = True, validates: bool = False) -> None:
        self.read = read
        self.chases = chases
        self.validates = validates

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """Answer one question; raising DNSError answers nothing at all, which is how a timeout looks."""
        reply = self._answer(request)
        if handler.protocol == "udp" and len(reply.pack()) > UDP_PAYLOAD:
            # Ask again over TCP; dnslib's own truncation drops the question, and a careful client drops that answer.
            reply = request.reply(ra=self.chases)
            reply.header.tc = 1
        return reply

    def _answer(self, request: DNSRecord) -> DNSRecord:
        zones, reply = self.read(), request.reply(aa=not self.chases, ra=self.chases)
        reply.header.ad = int(self.validates)  # dnslib copies it from the question
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        followed = 0
        while True:
            match zones.fault_of(name):
                case Fault.TIMEOUT:
                    raise DNSError(f"made to time out: {name}")
                case Fault.SERVFAIL:
                    reply.header.rcode = RCODE.SERVFAIL
                    return reply
                case Fault.REFUSED:
                    reply.header.rcode = RCODE.REFUSED
                    return reply
            here = zones.find(name)
            wanted = [record for record in here if record.kind == kind]
            alias = next((record for record in here if record.kind == "CNAME"), None)
            for record in wanted:
                reply.add_answer(_row(name, record))
            if wanted or alias is None:
                break
            reply.add_answer(_row(name, alias))
            followed += 1
            if not self.chases:
                return reply
            if followed > MAX_CNAME_HOPS:
                reply.header.rcode = RCODE.SERVFAIL
                return reply
            name = alias.value.rstrip(".").lower()
        if not wanted:
            if not here and not zones.exists(name):
                reply.header.rcode = RCODE.NXDOMAIN
            if domain := zones.domain_of(name):
                reply.add_auth(_start_of_authority(domain))
        return reply


class Server:
    """Both listeners of one port; a context manager that leaves no thread behind."""

    def __init__(self, resolver: Resolver, *, port: int, host: str = "127.0.0.1") -> None:
        quiet = DNSLogger(log="error", prefix=False, logf=log.debug)
        self.listeners = [DNSServer(resolver, port=port, address=host, tcp=tcp, logger=quiet) for tcp in (False, True)]

        self.threads = [
            threading.Thread(target=listener.server.serve_forever, args=(LOOKS_EVERY,), daemon=True)
            for listener in self.listeners
        ]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener, thread in zip(self.listeners, self.threads, strict=True):
            listener.stop()
            thread.join()


def _row(name: str, record: Record) -> RR:
    data: RD = _DATA[record.kind](record.value) if record.kind in _DATA else TXT([s.encode() for s in record.strings])
    return RR(name, getattr(QTYPE, record.kind), rdata=data, ttl=record.ttl)


_DATA: dict[str, Callable[[str], RD]] = {"CNAME": CNAME, "NS": NS, "A": A}


def _start_of_authority(domain: str) -> RR:
    times = (1, 3600, 600, 86400, NEGATIVE_TTL)  # serial, refresh, retry, expire, negative TTL
    return RR(domain, QTYPE.SOA, rdata=SOA(f"ns.{domain}", f"hostmaster.{domain}", times), ttl=NEGATIVE_TTL)
