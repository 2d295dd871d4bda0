"""Taking passwords away once the company's sign-in carries: sealed for thirty days, given back, or forgotten."""

from collections.abc import Mapping
from datetime import datetime
from itertools import batched
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts.domain import removals as domain
from accounts.models import Member, PasswordRemoval, SealedPassword, User
from accounts.queries import cutbacks, enforcement
from accounts.queries import removals as known
from core import ledger, outbox, sealing, toggles
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

_AT_ONCE = 1000


class UnableToRemove(UseCaseError):
    """The passwords cannot be taken away now."""


class UnableToRestore(UseCaseError):
    """The passwords cannot be given back."""


def remove(*, tenant_id: UUID, reason: str, excepted_list: str, by: Actor, at: datetime) -> PasswordRemoval:
    """Take the passwords of the tenant's people away; sealed, they can be given back for thirty days.

    Who belongs to another account too, or is one of the vendor's people, keeps theirs: it opens nothing here anyway.
    `excepted_list` is the digest of the list of those who have not signed in by their company yet, as it was seen.
    """
    by.require(Permission.REMOVE_PASSWORDS, tenant_id=tenant_id)
    if not reason.strip():
        raise UnableToRemove("Say why: the reason is kept with it.")
    untried = known.untried(tenant_id=tenant_id)
    if problem := domain.refusal(_asked(tenant_id, untried, excepted_list, at=at)):
        raise UnableToRemove(problem[0], fix=problem[1])
    try:
        with transaction.atomic(durable=True):
            removal = PasswordRemoval.objects.create(
                tenant_id=tenant_id, reason=reason.strip(), removed_at=at, removed_by=by.known_id,
                reversible_until=at + domain.REVERSIBLE, excepted=untried.count,
            )  # fmt: skip
            removal.sealed, removal.kept = _seal(removal)
            removal.save(update_fields=["sealed", "kept"])
            data = {"sealed": removal.sealed, "kept": removal.kept, "excepted": untried.count}
            _tell("removed", removal, by=by, at=at, data=data)
    except IntegrityError as error:
        raise UnableToRemove("The passwords are taken away already.") from error
    return removal


def restore(*, removal: PasswordRemoval, by: Actor, at: datetime) -> int:
    """Give the passwords back, but to who has a new one; return to how many. Safe to repeat.

    Raises UnableToRestore once they are forgotten, or where one cannot be opened: all are given back, or none.
    """
    by.require(Permission.REMOVE_PASSWORDS, tenant_id=removal.tenant_id)
    with transaction.atomic(durable=True):
        locked = PasswordRemoval.objects.select_for_update(of=("self",)).get(pk=removal.pk)
        if locked.restored_at is not None:
            return 0
        if locked.destroyed_at is not None or at >= locked.reversible_until:
            raise UnableToRestore(
                "The thirty days are over, and the passwords are forgotten.",
                fix="People can set a new password by mail once your company's sign-in is not enforced.",
            )
        given = 0
        rows = locked.passwords.select_related("member__user").select_for_update(of=("member__user",))
        for some in batched(rows.iterator(chunk_size=_AT_ONCE), _AT_ONCE):
            users = [_unsealed(each) for each in some if not each.member.user.has_usable_password()]
            given += User.objects.bulk_update(users, ["password"])
        locked.passwords.all().delete()
        locked.restored_at, locked.restored_by = at, by.known_id
        locked.save(update_fields=["restored_at", "restored_by"])
        _tell("restored", locked, by=by, at=at, data={"given": given})
    return given


def forget_due(*, at: datetime) -> int:
    """Forget the sealed passwords of every removal whose way back is over; return of how many. Needs a staff scope."""
    due = PasswordRemoval.objects.filter(restored_at=None, destroyed_at=None, reversible_until__lte=at)
    for removal in due:
        with transaction.atomic(durable=True):
            standing = PasswordRemoval.objects.filter(pk=removal.pk, restored_at=None, destroyed_at=None)
            if standing.update(destroyed_at=at):
                removal.passwords.all().delete()
                _tell("forgotten", removal, by=Actor.system("beat"), at=at, data={"sealed": removal.sealed})
    return len(due)


def open_switch(*, tenant_id: UUID, reason: str, by: Actor, at: datetime) -> None:
    """Let an owner of the tenant take the passwords away within two weeks; raises `toggles.UnableToSwitch`."""
    toggles.switch_on(
        known.FLAG.name, tenant_id=tenant_id, expires_at=at + domain.FLAG_LASTS, reason=reason, by=by, at=at
    )


def _asked(tenant_id: UUID, untried: domain.Untried, excepted_list: str, *, at: datetime) -> domain.Asked:
    return domain.Asked(
        is_flagged=toggles.is_on(known.FLAG.name, tenant_id=tenant_id, at=at),
        state=enforcement.standing(tenant_id=tenant_id, at=at).state(at=at),
        has_cutback=cutbacks.open_one(tenant_id=tenant_id, at=at) is not None,
        break_glass=len(enforcement.holders(tenant_id=tenant_id)),
        untried=untried,
        excepted_list=excepted_list,
    )


def _seal(removal: PasswordRemoval) -> tuple[int, int]:
    """Seal and take away every password of somebody who is here alone; return how many, and how many stayed."""
    elsewhere = known.elsewhere(tenant_id=removal.tenant_id)
    members = Member.objects.filter(tenant_id=removal.tenant_id).select_related("user").select_for_update(of=("user",))
    sealed = kept = 0
    for some in batched(members.order_by("pk").iterator(chunk_size=_AT_ONCE), _AT_ONCE):
        with_one = [member for member in some if member.user.has_usable_password()]
        ours = [each for each in with_one if not each.user.is_staff and each.user_id not in elsewhere]
        SealedPassword.objects.bulk_create(
            SealedPassword(
                tenant_id=removal.tenant_id, removal=removal, member=each, sealed=sealing.seal(each.user.password)
            )
            for each in ours
        )
        for each in ours:
            each.user.password = make_password(None)
        User.objects.bulk_update([each.user for each in ours], ["password"])
        sealed, kept = sealed + len(ours), kept + len(with_one) - len(ours)
    return sealed, kept


def _unsealed(each: SealedPassword) -> User:
    user: User = each.member.user
    try:
        user.password = sealing.unseal(each.sealed)
    except InvalidToken as error:
        raise UnableToRestore(
            "The key that these passwords are sealed with is not here any more; nothing was changed.",
            fix="Ask your runbook owner to have the former key put back into FIELD_KEYS, and try again.",
        ) from error
    return user


def _tell(what: str, removal: PasswordRemoval, *, by: Actor, at: datetime, data: Mapping[str, object]) -> None:
    outbox.publish(f"accounts.passwords.{what}", tenant_id=removal.tenant_id, removal_id=removal.pk)
    ledger.record(f"accounts.passwords.{what}", by=by, at=at, tenant_id=removal.tenant_id, subject=removal, data=data)
