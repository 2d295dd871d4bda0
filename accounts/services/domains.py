"""Domains: claim, prove through DNS, renew the token, release."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from accounts.domain import cadence, challenge, diagnosis, names
from accounts.domain.challenge import Challenge
from accounts.domain.diagnosis import Diagnosis, Observation
from accounts.models import Domain, DomainCheck
from core import ledger, outbox, ports
from core.actor import Actor
from core.dns import DnsStatus
from core.errors import UseCaseError
from core.permissions import Permission

MOST_DOMAINS = 50
MOST_EARLIER_TOKENS = 10
CHECKS_KEPT = 20


class UnableToClaim(UseCaseError):
    """The domain cannot be claimed."""


class UnableToCheck(UseCaseError):
    """The claim cannot be checked now."""


class UnableToRenew(UseCaseError):
    """No new token can be issued now."""


def claim(*, tenant_id: UUID, typed: str, by: Actor, at: datetime) -> Domain:
    """Put a domain on the tenant's list with a token to publish; it counts for nothing until it is proven.

    Whether anybody else claims or holds the domain makes no difference here, so that a claim tells nothing.
    """
    by.require(Permission.MANAGE_DOMAINS, tenant_id=tenant_id)
    try:
        name = names.parse(typed)
    except names.NotClaimableError as error:
        raise UnableToClaim(str(error)) from error
    if Domain.objects.filter(tenant_id=tenant_id).count() >= MOST_DOMAINS:
        raise UnableToClaim(f"Your list holds {MOST_DOMAINS} domains already.", fix="Release one you no longer need.")
    domain = Domain(
        tenant_id=tenant_id,
        name=name.ascii,
        text=name.text,
        token=_new_token(),
        claimed_at=at,
        claimed_by=by.known_id,
        token_issued_at=at,
        next_check_at=cadence.next_check_at(issued_at=at, at=at),
    )
    try:
        with transaction.atomic(durable=True):
            domain.save(force_insert=True)
            ledger.record(
                "accounts.domain.claimed",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=domain,
                data={"domain": domain.name},
            )
    except IntegrityError as error:
        raise UnableToClaim(f"{name.text} is on your list already.") from error
    return domain


def check(*, domain: Domain, by: Actor, at: datetime, is_automatic: bool = False) -> Diagnosis:
    """Look the challenge up in DNS now, keep what was found, and mark the domain proven if it is met.

    Safe to repeat: what is proven stays proven whatever DNS answers, and is not audited twice. `domain` comes back
    as it then stands.
    """
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    if domain.failed_at is not None:
        raise UnableToCheck(
            f"The token was given up after {cadence.GIVE_UP_AFTER.days} days without being seen.",
            fix="Get a new token, publish it, and check again.",
        )
    asked = challenge_of(domain)
    with nullcontext() if is_automatic else _alone(domain.tenant_id):
        seen = _observe(asked, at=at)
    found = diagnosis.diagnose(challenge=asked, earlier_tokens=tuple(domain.earlier_tokens), seen=seen, on=at.date())
    if found.is_met and not _prove(domain, by=by, at=at):
        found = diagnosis.held_elsewhere(found)
    with transaction.atomic(durable=True):
        _keep(domain, found, seen=seen, at=at, is_automatic=is_automatic)
        if not found.is_met:
            _plan(domain, by=by, at=at)
    domain.refresh_from_db()
    return found


def renew(*, domain: Domain, by: Actor, at: datetime) -> Domain:
    """Issue a new token: after a failed one, or for a fresh proof; a proof that stands keeps standing meanwhile."""
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    with transaction.atomic(durable=True):
        changed = Domain.objects.filter(pk=domain.pk, tenant_id=domain.tenant_id, token=domain.token).update(
            token=_new_token(),
            earlier_tokens=[domain.token, *domain.earlier_tokens][:MOST_EARLIER_TOKENS],
            token_issued_at=at,
            failed_at=None,
            next_check_at=cadence.next_check_at(issued_at=at, at=at),
        )
        if not changed:
            raise UnableToRenew("Someone changed this domain a moment ago.", fix="Look at it again.")
        ledger.record(
            "accounts.domain.token_renewed",
            by=by,
            at=at,
            tenant_id=domain.tenant_id,
            subject=domain,
            data={"domain": domain.name},
        )
    domain.refresh_from_db()
    return domain


def release(*, domain: Domain, by: Actor, at: datetime) -> None:
    """Take a domain off the tenant's list; its proof ends and someone else may prove it. Safe to repeat."""
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    subject = ("accounts.domain", domain.pk)
    with transaction.atomic(durable=True):
        deleted, _ = Domain.objects.filter(pk=domain.pk, tenant_id=domain.tenant_id).delete()
        if not deleted:
            return
        outbox.publish("accounts.domain.released", tenant_id=domain.tenant_id, domain_id=domain.pk)
        ledger.record(
            "accounts.domain.released",
            by=by,
            at=at,
            tenant_id=domain.tenant_id,
            subject=subject,
            data={"domain": domain.name, "was_verified": domain.is_verified},
        )


def challenge_of(domain: Domain) -> Challenge:
    """Return what the holder of a domain is to publish."""
    return Challenge(domain=domain.name, token=domain.token, zone=settings.DOMAIN_CONTROL_ZONE)


def _new_token() -> str:
    return challenge.token_from(secrets.token_bytes(challenge.TOKEN_BYTES))


def lookup_lock(tenant_id: UUID) -> str:
    """Return the name of the advisory lock under which a tenant's people look domains up."""
    return f"accounts.domains.check:{tenant_id}"


@contextmanager
def _alone(tenant_id: UUID) -> Iterator[None]:
    """Let a tenant's people look up one domain at a time: slow name servers of theirs must not hold all our threads."""
    name = [lookup_lock(tenant_id)]
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


def _observe(asked: Challenge, *, at: datetime) -> Observation:
    """Ask DNS; ask for clues only where the servers answer and the record is not right."""
    dns, host = ports.dns(), asked.txt.host
    answer = dns.txt(host)
    if asked.is_met(answer=answer, on=at.date()) or answer.status.is_outage:
        return Observation(answer)
    is_found = answer.status is DnsStatus.FOUND
    return Observation(
        answer,
        twice=dns.txt(f"{host}.{asked.domain}") if len(host) + len(asked.domain) < names.MAX_NAME else None,
        apex=dns.txt(asked.domain),
        beside=dns.txt(f"{challenge.SIBLING_LABEL}.{asked.domain}") if is_found else None,
    )


def _prove(domain: Domain, *, by: Actor, at: datetime) -> bool:
    """Mark the domain proven by its current token, once; False if another tenant holds it."""
    unproven = Q(proven_at=None) | Q(proven_at__lt=F("token_issued_at"))
    first = not domain.is_verified
    try:
        with transaction.atomic(durable=True):
            proven = Domain.objects.filter(unproven, pk=domain.pk, token=domain.token).update(
                verified_at=Coalesce("verified_at", at),
                verified_by=Coalesce("verified_by", by.known_id),
                proven_at=at,
                failed_at=None,
                next_check_at=None,
            )
            if not proven and not Domain.objects.filter(pk=domain.pk, token=domain.token).exists():
                raise UnableToCheck("Someone changed this domain a moment ago.", fix="Look at it again.")
            if proven:
                outbox.publish("accounts.domain.verified", tenant_id=domain.tenant_id, domain_id=domain.pk)
                ledger.record(
                    "accounts.domain.verified" if first else "accounts.domain.proven_again",
                    by=by,
                    at=at,
                    tenant_id=domain.tenant_id,
                    subject=domain,
                    data={"domain": domain.name},
                )
    except IntegrityError:  # one verified owner per domain
        return False
    return True


def _plan(domain: Domain, *, by: Actor, at: datetime) -> None:
    """Set the next automatic check of a token not yet seen, or give the token up when its time is over."""
    waiting = Domain.objects.filter(pk=domain.pk, token=domain.token, failed_at=None)
    due = cadence.next_check_at(issued_at=domain.token_issued_at, at=at) if domain.awaits_proof else None
    if due is not None or not domain.awaits_proof:
        waiting.update(next_check_at=due)
    elif waiting.update(next_check_at=None, failed_at=at):
        ledger.record(
            "accounts.domain.token_given_up",
            by=by,
            at=at,
            tenant_id=domain.tenant_id,
            subject=domain,
            data={"domain": domain.name},
        )


def _keep(domain: Domain, found: Diagnosis, *, seen: Observation, at: datetime, is_automatic: bool) -> None:
    """Keep what a look-up found, and only the newest of them."""
    if not Domain.objects.filter(pk=domain.pk).exists():
        return  # released while we asked
    DomainCheck.objects.create(
        tenant_id=domain.tenant_id,
        domain=domain,
        checked_at=at,
        is_automatic=is_automatic,
        code=found.code.value,
        summary=found.summary,
        found=list(found.found),
        expected=found.expected,
        fix=found.fix,
        ttl=found.ttl,
        is_authenticated=seen.answer.authenticated,
    )
    kept = DomainCheck.objects.filter(domain=domain).order_by("-checked_at").values("pk")[:CHECKS_KEPT]
    DomainCheck.objects.filter(domain=domain).exclude(pk__in=kept).delete()
