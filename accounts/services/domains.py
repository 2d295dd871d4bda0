"""Domains: claim, choose a way of proof, prove, renew the token, release."""

from contextlib import nullcontext
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from accounts.domain import cadence, diagnosis, names
from accounts.domain.challenge import Method, Via
from accounts.domain.diagnosis import Code, Diagnosis
from accounts.models import Domain, DomainCheck
from accounts.services import domain_tokens, domain_transfers, lookups
from accounts.services.lookups import UnableToCheck, challenge_of
from core import ledger, outbox
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

MOST_DOMAINS = 50
CHECKS_KEPT = 20

__all__ = [
    "UnableToCheck", "UnableToChoose", "UnableToClaim", "UnableToRenew",
    "ask_afresh", "challenge_of", "check", "choose", "claim", "release", "renew",
]  # fmt: skip


class UnableToClaim(UseCaseError):
    """The domain cannot be claimed."""


class UnableToChoose(UseCaseError):
    """The way of proof cannot be chosen."""


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
        token=domain_tokens.new(),
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
    """Look the challenge up now, keep what was found, and mark the domain proven if it is met.

    Safe to repeat: what is proven stays proven whatever DNS answers, and is not audited twice. `domain` comes back
    as it then stands.
    """
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    if domain.failed_at is not None:
        raise UnableToCheck(
            f"The token was given up after {cadence.GIVE_UP_AFTER.days} days without being seen.",
            fix="Get a new token, publish it, and check again.",
        )
    with nullcontext() if is_automatic else lookups.alone(domain.tenant_id):
        found, answer = lookups.look(domain, at=at)
    if found.via and not _prove(domain, via=found.via, by=by, at=at):
        found = diagnosis.held_elsewhere(found)
    with transaction.atomic(durable=True):
        _keep(domain, found, is_authenticated=answer.authenticated, at=at, is_automatic=is_automatic)
        if not found.is_met:
            _plan(domain, by=by, at=at)
        if found.code is Code.HELD_ELSEWHERE:
            domain_transfers.note_proof(domain=domain, by=by, at=at)
    domain.refresh_from_db()
    return found


def renew(*, domain: Domain, by: Actor, at: datetime) -> Domain:
    """Issue a new token: after a failed one, or for a fresh proof; a proof that stands keeps standing meanwhile."""
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    with transaction.atomic(durable=True):
        if not domain_tokens.replace(domain, at=at):
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


def choose(*, domain: Domain, method: str, by: Actor, at: datetime) -> Domain:
    """Say where the token will be published: in DNS, or as a file on the domain's web site. Safe to repeat."""
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    if method not in {known.value for known in Method}:
        raise UnableToChoose("There is no such way of proof.", fix="Choose DNS or the file.")
    with transaction.atomic(durable=True):
        mine = Domain.objects.filter(pk=domain.pk, tenant_id=domain.tenant_id)
        if mine.exclude(method=method).update(method=method):
            ledger.record(
                "accounts.domain.method_chosen",
                by=by,
                at=at,
                tenant_id=domain.tenant_id,
                subject=domain,
                data={"domain": domain.name, "method": method},
            )
    domain.refresh_from_db()
    return domain


def ask_afresh(*, tenant_id: UUID, since: datetime, by: Actor, at: datetime) -> int:
    """Ask for a fresh proof of every proven domain that was proven last before `since`; return of how many.

    The former proof keeps standing meanwhile, and whatever becomes of the new token. Safe to repeat.
    """
    by.require(Permission.MANAGE_DOMAINS, tenant_id=tenant_id)
    asked = 0
    stale = Q(fresh_asked_at=None) | Q(fresh_asked_at__lt=since)
    for domain in Domain.objects.filter(stale, tenant_id=tenant_id, proven_at__lt=since):
        with transaction.atomic(durable=True):
            if not Domain.objects.filter(stale, pk=domain.pk).update(fresh_asked_at=at):
                continue
            if domain.token_issued_at < since:  # one that was issued since is fresh enough, whoever asked for it
                domain_tokens.replace(domain, at=at)
            outbox.publish(
                "accounts.domain.fresh_proof_asked", tenant_id=tenant_id, domain_id=domain.pk,
                occasion=f"{since:%Y%m%dT%H%M}",
            )  # fmt: skip
            ledger.record(
                "accounts.domain.fresh_proof_asked",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=domain,
                data={"domain": domain.name},
            )
        asked += 1
    return asked


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


def _prove(domain: Domain, *, via: Via, by: Actor, at: datetime) -> bool:
    """Mark the domain proven by its current token, once; False if another tenant holds it."""
    unproven = Q(proven_at=None) | Q(proven_at__lt=F("token_issued_at"))
    first = not domain.is_verified
    try:
        with transaction.atomic(durable=True):
            proven = Domain.objects.filter(unproven, pk=domain.pk, token=domain.token).update(
                verified_at=Coalesce("verified_at", at),
                verified_by=Coalesce("verified_by", by.known_id),
                proven_at=at,
                proven_via=via.value,
                passed_on_at=None,
                failed_at=None,
                next_check_at=None,
            )
            if not proven and not Domain.objects.filter(pk=domain.pk, token=domain.token).exists():
                raise UnableToCheck("Someone changed this domain a moment ago.", fix="Look at it again.")
            if proven:
                domain_transfers.end_with_proof(domain=domain, by=by, at=at)
                outbox.publish("accounts.domain.verified", tenant_id=domain.tenant_id, domain_id=domain.pk)
                ledger.record(
                    "accounts.domain.verified" if first else "accounts.domain.proven_again",
                    by=by,
                    at=at,
                    tenant_id=domain.tenant_id,
                    subject=domain,
                    data={"domain": domain.name, "via": via.value},
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
        notice = cadence.notice_due(issued_at=domain.token_issued_at, at=at) if due is not None else None
        if notice is not None:
            _tell("accounts.domain.token_ending", domain, days=notice.days)
    elif waiting.update(next_check_at=None, failed_at=at):
        _tell("accounts.domain.token_given_up", domain, days=0)
        ledger.record(
            "accounts.domain.token_given_up",
            by=by,
            at=at,
            tenant_id=domain.tenant_id,
            subject=domain,
            data={"domain": domain.name},
        )


def _tell(event: str, domain: Domain, *, days: int) -> None:
    """Let the tenant's people be told of a token; said once, however often its days are counted."""
    occasion = f"{domain.pk}:{domain.token_issued_at:%Y%m%d}:{days}"
    outbox.publish(event, tenant_id=domain.tenant_id, domain_id=domain.pk, occasion=occasion)


def _keep(domain: Domain, found: Diagnosis, *, is_authenticated: bool, at: datetime, is_automatic: bool) -> None:
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
        is_authenticated=is_authenticated,
    )
    kept = DomainCheck.objects.filter(domain=domain).order_by("-checked_at").values("pk")[:CHECKS_KEPT]
    DomainCheck.objects.filter(domain=domain).exclude(pk__in=kept).delete()
