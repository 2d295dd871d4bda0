"""Handing a domain from one account to another: only by a fresh proof and the approval of one of the vendor's people.

Who asks learns that another account holds the domain, which they know by then, and whether it was handed over; who
holds it learns that somebody has shown to control its DNS, and that it went. Neither learns who the other is.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.domain import transfers as rules
from accounts.domain.diagnosis import Code
from accounts.domain.transfers import OPEN, TransferState
from accounts.models import Domain, DomainTransfer
from accounts.services import domain_tokens, lookups
from core import ledger, outbox
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

LONGEST = 500


class UnableToAsk(UseCaseError):
    """The domain cannot be asked for now."""


class UnableToDecide(UseCaseError):
    """The transfer cannot be decided so."""


def ask(*, domain: Domain, reason: str, by: Actor, at: datetime) -> DomainTransfer:
    """Ask for a domain that another account holds, after a right record has shown that it is so.

    A new token begins the fresh proof: what was published before this was asked shows nothing.
    """
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    last = domain.last_check
    if domain.is_verified or last is None or last.code != Code.HELD_ELSEWHERE:
        raise UnableToAsk(
            "No other account is known to hold this domain.", fix="Publish its record and check it first."
        )
    transfer = DomainTransfer(
        tenant_id=domain.tenant_id,
        domain=domain,
        reason=_words(reason, UnableToAsk, "Say why the domain is yours."),
        asked_at=at,
        asked_by=by.known_id,
    )
    try:
        with transaction.atomic(durable=True):
            transfer.save(force_insert=True)
            if not domain_tokens.replace(domain, at=at):
                raise UnableToAsk("Someone changed this domain a moment ago.", fix="Look at it again.")
            _record("accounts.domain_transfer.asked", transfer, by=by, at=at)
    except IntegrityError as error:
        raise UnableToAsk("You have asked for this domain already.") from error
    domain.refresh_from_db()
    return transfer


def withdraw(*, transfer: DomainTransfer, by: Actor, at: datetime) -> None:
    """Ask no longer. Safe to repeat."""
    by.require(Permission.MANAGE_DOMAINS, tenant_id=transfer.tenant_id)
    with transaction.atomic(durable=True):
        if _move(transfer, TransferState.WITHDRAWN, decided_at=at, decided_by=by.known_id):
            _record("accounts.domain_transfer.withdrawn", transfer, by=by, at=at)


def note_proof(*, domain: Domain, by: Actor, at: datetime) -> None:
    """Keep that the token of an open transfer was seen, in the caller's transaction."""
    asked = DomainTransfer.objects.filter(
        domain=domain, state=TransferState.ASKED, asked_at__lte=domain.token_issued_at
    ).first()
    if asked is not None and _move(asked, TransferState.PROVEN, proven_at=at):
        _record("accounts.domain_transfer.proven", asked, by=by, at=at)


def end_with_proof(*, domain: Domain, by: Actor, at: datetime) -> None:
    """End an open transfer that its domain needs no more, proven while it was free; in the caller's transaction."""
    for transfer in DomainTransfer.objects.filter(domain=domain, state__in=OPEN):
        if _move(transfer, TransferState.WITHDRAWN, decided_at=at, decided_by=by.known_id):
            _record("accounts.domain_transfer.withdrawn", transfer, by=by, at=at)


def tell_holders(*, by: Actor, at: datetime) -> None:
    """Mark each held domain that another account has shown to control, or no longer asks for; needs a staff scope.

    Safe to repeat: a holder is told once per fresh proof.
    """
    by.require(Permission.APPROVE_DOMAIN_TRANSFER)
    asked = {one.domain.name: one for one in waiting().select_related("domain")}
    held = Domain.objects.filter(verified_at__isnull=False)
    for domain in held.filter(Q(name__in=asked) | Q(contested_at__isnull=False)):
        transfer = asked.get(domain.name)
        since = transfer.proven_at if transfer is not None and transfer.tenant_id != domain.tenant_id else None
        with transaction.atomic(durable=True):
            if domain.contested_at != since and held.filter(pk=domain.pk).update(contested_at=since):
                _told("accounts.domain.contested" if since else "accounts.domain.uncontested", domain, by=by, at=at)


def approve(*, transfer: DomainTransfer, reason: str, by: Actor, at: datetime) -> DomainTransfer:
    """Hand the domain over: it is looked up once more, then the one account loses it and the other has it, in one.

    Needs a staff scope. Both accounts are told.
    """
    by.require(Permission.APPROVE_DOMAIN_TRANSFER)
    words = _words(reason, UnableToDecide, "Say on what grounds.")
    _require_fresh(transfer, at=at)
    domain = transfer.domain
    found, _ = lookups.look(domain, at=at)
    if found.via is None:
        raise UnableToDecide(f"The proof does not stand any more: {found.summary}", fix="Ask them to publish it again.")
    try:
        with transaction.atomic(durable=True):
            if not _move(transfer, TransferState.APPROVED, decided_at=at, decided_by=by.known_id, answer=words):
                raise UnableToDecide(_GONE)
            if (holder := _holder(domain)) is not None:
                _take_from(holder, by=by, at=at)
            given = Domain.objects.filter(pk=domain.pk, token=domain.token, verified_at=None).update(
                verified_at=at, verified_by=by.known_id, proven_at=at, proven_via=found.via.value, next_check_at=None,
                failed_at=None, passed_on_at=None,
            )  # fmt: skip
            if not given:
                raise UnableToDecide("The domain was changed or proven a moment ago.", fix="Look at it again.")
            _record("accounts.domain_transfer.approved", transfer, by=by, at=at, grounds=words)
            outbox.publish("accounts.domain.verified", tenant_id=domain.tenant_id, domain_id=domain.pk)
            _told("accounts.domain.taken_over", domain, by=by, at=at)
    except IntegrityError as error:  # another account proved it in between
        raise UnableToDecide("Another account has proven this domain a moment ago.", fix="Look at it again.") from error
    transfer.refresh_from_db()
    return transfer


def decline(*, transfer: DomainTransfer, reason: str, by: Actor, at: datetime) -> DomainTransfer:
    """Leave the domain where it is, and tell who asked why."""
    by.require(Permission.APPROVE_DOMAIN_TRANSFER)
    words = _words(reason, UnableToDecide, "Say why, for who asked.")
    with transaction.atomic(durable=True):
        if not _move(transfer, TransferState.DECLINED, decided_at=at, decided_by=by.known_id, answer=words):
            raise UnableToDecide(_GONE)
        _record("accounts.domain_transfer.declined", transfer, by=by, at=at, grounds=words)
        outbox.publish(
            "accounts.domain.transfer_declined", tenant_id=transfer.tenant_id, domain_id=transfer.domain_id,
            occasion=transfer.pk,
        )  # fmt: skip
    transfer.refresh_from_db()
    return transfer


def waiting() -> QuerySet[DomainTransfer]:
    """Return the transfers that wait for our decision."""
    return DomainTransfer.objects.filter(state=TransferState.PROVEN)


_GONE = "This transfer was decided or withdrawn a moment ago."


def _require_fresh(transfer: DomainTransfer, *, at: datetime) -> None:
    if transfer.state != TransferState.PROVEN:
        raise UnableToDecide("There is no fresh proof yet." if transfer.state == TransferState.ASKED else _GONE)
    if not rules.is_fresh(proven_at=transfer.proven_at, at=at):
        days = rules.FRESH_FOR.days
        raise UnableToDecide(f"The proof is older than {days} days.", fix="Decline it; they may ask and prove again.")


def _holder(domain: Domain) -> Domain | None:
    """Return the same domain with the account that holds it."""
    others = Domain.objects.filter(name=domain.name, verified_at__isnull=False).exclude(tenant_id=domain.tenant_id)
    return others.first()


def _take_from(holder: Domain, *, by: Actor, at: datetime) -> None:
    """End a holder's proof, in the caller's transaction; it stays on their list, and they may ask for it in turn."""
    taken = Domain.objects.filter(pk=holder.pk, verified_at=holder.verified_at).update(
        verified_at=None, verified_by=None, proven_at=None, proven_via="", contested_at=None, passed_on_at=at,
        failed_at=at, next_check_at=None,
    )  # fmt: skip
    if not taken:
        raise UnableToDecide("The domain was changed by who holds it a moment ago.", fix="Look at it again.")
    _told("accounts.domain.passed_on", holder, by=by, at=at)


def _move(transfer: DomainTransfer, target: TransferState, **changes: object) -> bool:
    sources = [source.value for source, targets in rules.TRANSITIONS.items() if target in targets]
    return bool(DomainTransfer.objects.filter(pk=transfer.pk, state__in=sources).update(state=target.value, **changes))


def _words(text: str, error: type[UseCaseError], missing: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise error(missing)
    if len(words) > LONGEST:
        raise error(f"That is longer than {LONGEST} characters.")
    return words


def _told(event: str, domain: Domain, *, by: Actor, at: datetime) -> None:
    """Record what happened to a domain in its account's ledger, and tell its people."""
    outbox.publish(event, tenant_id=domain.tenant_id, domain_id=domain.pk, occasion=f"{domain.pk}:{at:%Y%m%dT%H%M%S}")
    ledger.record(
        event, by=by, at=at, tenant_id=domain.tenant_id, subject=domain, data={"domain": domain.name}
    )  # fmt: skip


def _record(event: str, transfer: DomainTransfer, *, by: Actor, at: datetime, grounds: str = "") -> None:
    ledger.record(
        event,
        by=by,
        at=at,
        tenant_id=transfer.tenant_id,
        subject=transfer,
        data={"domain": transfer.domain.name},
        personal={"grounds": grounds} if grounds else None,
    )
