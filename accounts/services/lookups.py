"""Looking a challenge up: in DNS, at its zone's own servers, and on the web site where its holder chose that."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from accounts.domain import challenge, diagnosis, web_file
from accounts.domain.challenge import MOST_FILE_BYTES, Challenge, Method, WebFile
from accounts.domain.diagnosis import Diagnosis, Observation
from accounts.domain.names import MAX_NAME
from accounts.models import Domain
from core import ports
from core.dns import DnsAnswer, DnsStatus
from core.errors import UseCaseError
from core.outbound import Reply
from core.ports import Rejected, Unavailable

MOST_SECONDS = 8.0
"""How long clues are looked for, beyond the last one begun: somebody may be waiting for the page."""


class UnableToCheck(UseCaseError):
    """The claim cannot be checked now."""


def challenge_of(domain: Domain) -> Challenge:
    """Return what the holder of a domain is to publish."""
    return Challenge(domain=domain.name, token=domain.token, zone=settings.DOMAIN_CONTROL_ZONE)


def look(domain: Domain, *, at: datetime) -> tuple[Diagnosis, DnsAnswer]:
    """Ask outside whether a domain's challenge is met, and if not, why; changes nothing.

    The record counts whichever way was chosen, so that who changes their mind need not tell us.
    """
    asked, earlier, on = challenge_of(domain), tuple(domain.earlier_tokens), at.date()
    answer = ports.dns().txt(asked.txt.host)
    if domain.method == Method.FILE and not asked.met_by(answer=answer, on=on):
        return web_file.diagnose(challenge=asked, earlier_tokens=earlier, seen=_fetch(asked)), answer
    seen = _observe(asked, answer, at=at)
    return diagnosis.diagnose(challenge=asked, earlier_tokens=earlier, seen=seen, on=on), answer


def lock_name(tenant_id: UUID) -> str:
    """Return the name of the advisory lock under which a tenant's people look domains up."""
    return f"accounts.domains.check:{tenant_id}"


@contextmanager
def alone(tenant_id: UUID) -> Iterator[None]:
    """Let a tenant's people look up one domain at a time: slow name servers of theirs must not hold all our threads."""
    name = [lock_name(tenant_id)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", name)
        row = cursor.fetchone()
    if not (row and row[0]):
        raise UnableToCheck("Another domain of yours is being looked up.", fix="Check again in a few seconds.")
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:  # a connection that broke took its lock along
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", name)


def _observe(asked: Challenge, answer: DnsAnswer, *, at: datetime) -> Observation:
    """Ask for clues only where the servers answer and the record is not right."""
    on, until = at.date(), monotonic() + MOST_SECONDS
    if asked.met_by(answer=answer, on=on) or answer.status.is_outage:
        return Observation(answer)
    dns = ports.dns()
    source = dns.source(asked.txt.host)
    if source is not None and asked.met_by(answer=source, on=on):
        return Observation(answer, source=source)
    clues: dict[str, DnsAnswer] = {}
    for host in asked.mistaken_hosts:
        if monotonic() > until:
            break
        clues[host] = dns.txt(host)
        if asked.met_by(answer=clues[host], on=on) or clues[host].status.is_outage:
            break
    sibling = f"{challenge.SIBLING_LABEL}.{asked.domain}"
    is_found = answer.status is DnsStatus.FOUND and len(sibling) <= MAX_NAME
    return Observation(answer, source=source, clues=clues, beside=dns.txt(sibling) if is_found else None)


def _fetch(asked: Challenge) -> WebFile:
    """Fetch the file of a challenge; nobody answering is an answer too."""
    try:
        reply = ports.outbound().get(asked.file_url, same_host=True, most_bytes=MOST_FILE_BYTES)
    except (Rejected, Unavailable) as problem:
        return WebFile(problem=str(problem))
    return WebFile(reply.status, reply.body, _onward(reply))


def _onward(reply: Reply) -> str:
    return reply.headers.get("location", "") if 300 <= reply.status < 400 else ""
