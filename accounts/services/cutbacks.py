"""Cutbacks: ask for passwords for a few hours, approve from both sides, end by itself."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.domain import cutbacks as domain
from accounts.domain.cutbacks import Request, Side
from accounts.models import Cutback
from accounts.queries import cutbacks as known
from accounts.queries import enforcement, passwords
from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission

BEAT = Actor.system("beat")


class UnableToAsk(UseCaseError):
    """No cutback can be asked for now."""


class UnableToApprove(UseCaseError):
    """The cutback cannot be approved by this person now."""


def ask(*, tenant_id: UUID, reason: str, hours: int, by: Actor, at: datetime) -> Cutback:
    """Ask that passwords sign the tenant's people in again for some hours, once both sides have approved it.

    Raises UnableToAsk where nothing is enforced, another is open, or no password would work.
    """
    by.require(Permission.REQUEST_CUTBACK, tenant_id=tenant_id)
    if not reason.strip():
        raise UnableToAsk("Say why: everyone who approves it reads the reason, and it is kept.")
    if not 1 <= hours <= domain.LONGEST_HOURS:
        raise UnableToAsk(f"A cutback lasts from 1 to {domain.LONGEST_HOURS} hours.")
    if not enforcement.standing(tenant_id=tenant_id, at=at).state(at=at).refuses_passwords:
        raise UnableToAsk("Passwords sign your people in as it is: there is nothing to cut back to.")
    _require_passwords(tenant_id, UnableToAsk)
    _end_lapsed(tenant_id, at=at)
    try:
        with transaction.atomic(durable=True):
            cutback = Cutback.objects.create(
                tenant_id=tenant_id, reason=reason.strip(), hours=hours, requested_at=at, requested_by=by.known_id,
                lapses_at=at + domain.APPROVABLE,
            )  # fmt: skip
            _tell("asked", cutback, by=by, at=at, data={"hours": hours})
    except IntegrityError as error:  # one open at a time
        raise UnableToAsk("A cutback is open already.", fix="Approve that one, or end it first.") from error
    return cutback


def approve(*, cutback: Cutback, by: Actor, at: datetime) -> Cutback:
    """Approve for one's side; the second side's approval begins it. Safe to repeat by the same person.

    Two different people approve: one of the customer's owners, one of the vendor's leads. That passwords work is
    proven again before it begins.
    """
    by.require(Permission.APPROVE_CUTBACK, tenant_id=cutback.tenant_id)
    side = _side(by)
    found = _require_passwords(cutback.tenant_id, UnableToApprove)
    with transaction.atomic(durable=True):
        locked = Cutback.objects.select_for_update(of=("self",)).get(pk=cutback.pk)
        if getattr(locked, f"{side.value}_approved_by") == by.id:
            return locked
        if problem := domain.refusal(_request(locked, at=at), side=side, by=by.known_id):
            raise UnableToApprove(problem)
        setattr(locked, f"{side.value}_approved_at", at)
        setattr(locked, f"{side.value}_approved_by", by.known_id)
        _tell("approved", locked, by=by, at=at, data={"side": side.value})
        if getattr(locked, f"{side.other.value}_approved_by") is not None:
            locked.starts_at, locked.ends_at = at, at + timedelta(hours=locked.hours)
            locked.preflight = {"members": found.members, "intact": found.intact, "owners_intact": found.owners_intact}
            _tell("begun", locked, by=by, at=at, data={"ends_at": locked.ends_at, **locked.preflight})
        locked.save()
    return locked


def end(*, cutback: Cutback, by: Actor, at: datetime) -> None:
    """End a cutback before its time, or take back one that waits for approval. Safe to repeat."""
    by.require(Permission.REQUEST_CUTBACK, tenant_id=cutback.tenant_id)
    with transaction.atomic(durable=True):
        _end(cutback, by=by, at=at)


def end_due(*, at: datetime) -> int:
    """Write down the end of every cutback whose time is over; return how many. Needs a staff scope.

    May come late or twice: the time itself has ended them.
    """
    ended = 0
    for cutback in Cutback.objects.filter(_due(at)):
        with transaction.atomic(durable=True):
            ended += _end(cutback, by=BEAT, at=at)
    return ended


def _end(cutback: Cutback, *, by: Actor, at: datetime) -> bool:
    standing = Cutback.objects.select_for_update(of=("self",)).filter(pk=cutback.pk, ended_at=None).first()
    if standing is None:
        return False
    # Of a running one the end is its own: a job that comes late must not make it look longer.
    standing.ended_at = min(at, standing.ends_at or at)
    standing.ended_by = by.known_id
    standing.save(update_fields=["ended_at", "ended_by"])
    _tell("ended" if standing.starts_at else "lapsed" if by == BEAT else "withdrawn", standing, by=by, at=at)
    return True


def _end_lapsed(tenant_id: UUID, *, at: datetime) -> None:
    for cutback in Cutback.objects.filter(_due(at), tenant_id=tenant_id):
        with transaction.atomic(durable=True):
            _end(cutback, by=BEAT, at=at)


def _due(at: datetime) -> Q:
    return Q(ended_at=None) & (Q(ends_at__lte=at) | Q(ends_at=None, lapses_at__lte=at))


def _side(by: Actor) -> Side:
    if by.kind is ActorKind.MEMBER:
        return Side.CUSTOMER
    if by.kind is ActorKind.STAFF:
        return Side.VENDOR
    raise UnableToApprove("A person approves a cutback.")


def _request(cutback: Cutback, *, at: datetime) -> Request:
    approved: dict[Side, UUID | None] = {
        Side.CUSTOMER: cutback.customer_approved_by,
        Side.VENDOR: cutback.vendor_approved_by,
    }
    return Request(known.state_of(cutback, at=at), approved)


def _require_passwords(tenant_id: UUID, refused: type[UseCaseError]) -> domain.Intact:
    found = passwords.intact(tenant_id=tenant_id)
    if problem := domain.preflight_refusal(found):
        raise refused(problem[0], fix=problem[1])
    return found


def _tell(what: str, cutback: Cutback, *, by: Actor, at: datetime, data: dict[str, object] | None = None) -> None:
    outbox.publish(f"accounts.cutback.{what}", tenant_id=cutback.tenant_id, cutback_id=cutback.pk)
    ledger.record(f"accounts.cutback.{what}", by=by, at=at, tenant_id=cutback.tenant_id, subject=cutback, data=data)
