"""Break-glass: two owners with one-use codes, the way in when the company's sign-in fails."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.domain import recovery
from accounts.models import BreakGlassOwner, Member, RecoveryCode, User
from accounts.queries import enforcement
from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole


class UnableToName(UseCaseError):
    """The person cannot be a break-glass owner."""


class UnableToIssue(UseCaseError):
    """No codes can be made by this person."""


class UnableToRecover(UseCaseError):
    """The code signs nobody in; the same words whatever is wrong, so that nobody learns what was right."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "This code and address sign nobody in.",
            fix="A code works once, for the owner who made it. Try another of your set, or ask your other break-glass "
            "owner.",
        )


def name(*, tenant_id: UUID, member: Member, seat: int, by: Actor, at: datetime) -> BreakGlassOwner:
    """Name an owner for one of the two seats, in place of whoever had it; that one's codes end. Safe to repeat."""
    by.require(Permission.MANAGE_BREAK_GLASS, tenant_id=tenant_id)
    if seat not in recovery.SEATS:
        raise UnableToName("There are two seats, 1 and 2.")
    if member.tenant_id != tenant_id or member.role != TenantRole.OWNER or member.deactivated_at is not None:
        raise UnableToName("Only an active owner can hold recovery codes.", fix="Make the person an owner first.")
    rows = BreakGlassOwner.objects.filter(tenant_id=tenant_id, ended_at=None)
    try:
        with transaction.atomic(durable=True):
            standing = rows.select_for_update().filter(seat=seat).first()
            if standing is not None and standing.member_id == member.pk:
                return standing
            if standing is not None:
                _end(standing, by=by, at=at)
            named = BreakGlassOwner.objects.create(
                tenant_id=tenant_id, member=member, seat=seat, named_at=at, named_by=by.known_id
            )
            _tell("named", named, by=by, at=at, data={"seat": seat})
    except IntegrityError as error:
        raise UnableToName("This owner has the other seat.", fix="Name two different people.") from error
    return named


def issue(*, owner: BreakGlassOwner, by: Actor, at: datetime, is_lent: bool = False) -> list[str]:
    """Make a new set of codes for the owner who asks, in place of their earlier one; return them, this once.

    Nobody makes codes for somebody else: whoever sees one can sign in by it. Nor does who came in by a password for the
    hours of a cutback (`is_lent`): the codes would open the account ever after.
    """
    by.require(Permission.MANAGE_BREAK_GLASS, tenant_id=owner.tenant_id)
    if by.kind is not ActorKind.MEMBER or owner.member.user_id != by.id:
        raise UnableToIssue("Each break-glass owner makes their own codes.", fix="Ask them to open this page.")
    if is_lent:
        raise UnableToIssue(
            "A cutback let you in by your password, and codes would open the account when it is over.",
            fix="Make them once your company's sign-in works again, or come in by a passkey or a code that you hold.",
        )
    codes = [recovery.write(secrets.choice) for _ in range(recovery.CODES)]
    with transaction.atomic(durable=True):
        locked = BreakGlassOwner.objects.select_for_update().filter(pk=owner.pk, ended_at=None).first()
        if locked is None:
            raise UnableToIssue("Somebody else has this seat now.")
        _replace(locked, at=at)
        RecoveryCode.objects.bulk_create(
            RecoveryCode(tenant_id=owner.tenant_id, owner=locked, digest=recovery.digest(code), issued_at=at)
            for code in codes
        )
        _tell("codes_issued", locked, by=by, at=at, data={"codes": len(codes), "seat": locked.seat})
    return codes


def use(*, tenant_id: UUID, code_id: UUID, email: str, at: datetime) -> User:
    """Use up a code and return whom it signs in; the others of its set hold for a day, then a new set is needed.

    Raises UnableToRecover.
    """
    with transaction.atomic(durable=True):
        usable = enforcement.usable_codes(tenant_id=tenant_id, at=at)
        code = usable.select_for_update(of=("self",)).filter(pk=code_id).first()
        owner = (
            enforcement.break_glass(tenant_id=tenant_id).filter(pk=code.owner_id).first() if code is not None else None
        )
        if code is None or owner is None or owner.member.user.email != email.strip().lower():
            raise UnableToRecover
        user: User = owner.member.user
        RecoveryCode.objects.filter(pk=code.pk).update(used_at=at)
        others = RecoveryCode.objects.filter(owner=owner, used_at=None, replaced_at=None, lapses_at=None)
        others.update(lapses_at=at + recovery.OTHERS_HOLD)
        by = Actor.member(user_id=user.pk, tenant_id=tenant_id, role=owner.member.role, name=str(user))
        _tell("used", owner, by=by, at=at, data={"seat": owner.seat}, code_id=code.pk)
    return user


def _end(owner: BreakGlassOwner, *, by: Actor, at: datetime) -> None:
    BreakGlassOwner.objects.filter(pk=owner.pk).update(ended_at=at, ended_by=by.known_id)
    _replace(owner, at=at)
    _tell("ended", owner, by=by, at=at, data={"seat": owner.seat})


def _replace(owner: BreakGlassOwner, *, at: datetime) -> None:
    RecoveryCode.objects.filter(owner=owner, used_at=None, replaced_at=None).update(replaced_at=at)


def _tell(
    what: str, owner: BreakGlassOwner, *, by: Actor, at: datetime, data: dict[str, object], **more: object
) -> None:
    outbox.publish(f"accounts.break_glass.{what}", tenant_id=owner.tenant_id, owner_id=owner.pk, **more)
    ledger.record(f"accounts.break_glass.{what}", by=by, at=at, tenant_id=owner.tenant_id, subject=owner, data=data)
