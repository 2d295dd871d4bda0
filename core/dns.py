"""What a DNS server answered, as facts: shared by the port, its adapters and the rules that judge an answer."""

from dataclasses import dataclass
from enum import StrEnum

MAX_CNAME_HOPS = 8


class DnsStatus(StrEnum):
    """How a look-up ended; each one has a different cure for the person who published the record."""

    FOUND = "found"
    NXDOMAIN = "nxdomain"  # the name does not exist
    NO_DATA = "no_data"  # the name exists, but not with a record of this type
    TIMEOUT = "timeout"
    SERVFAIL = "servfail"  # also what a resolver answers when DNSSEC validation fails
    REFUSED = "refused"
    CNAME_LOOP = "cname_loop"  # a circle, or more than MAX_CNAME_HOPS hops

    @property
    def is_outage(self) -> bool:
        """Tell whether the answer says nothing about the record, only about the servers."""
        return self in {DnsStatus.TIMEOUT, DnsStatus.SERVFAIL, DnsStatus.REFUSED}


@dataclass(frozen=True)
class DnsAnswer:
    """The answer to one TXT question.

    `values` holds each TXT record with its character strings joined (RFC 7208 3.3 reads them so), without the
    presentation format's quotes. `cnames` are the targets followed, in order. `ttl` is in seconds: of the records, or
    for NXDOMAIN and NO_DATA how long resolvers keep the absence (RFC 2308); None when the server did not say.
    `authenticated` is the AD bit of a trusted loopback resolver.
    """

    status: DnsStatus
    values: tuple[str, ...] = ()
    cnames: tuple[str, ...] = ()
    ttl: int | None = None
    authenticated: bool = False
