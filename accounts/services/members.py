"""Members: change roles, deactivate; a tenant never loses its last owner."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain import roles
from accounts.models import Member, User
from accounts.services import invitations, sessions
from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole


class UnableToChangeRole(UseCaseError):
    """The member's role cannot be changed so."""


class UnableToDeactivate(UseCaseError):
    """The member cannot be deactivated."""


_BOUND = (ActorKind.MEMBER, ActorKind.TOKEN)
"""Who never does more than their role, or that of whoever issued their token, may give."""
_LAST_OWNER = "An account must keep an owner, and this is the last."
_LAST_OWNER_FIX = "Make another member an owner first."


def change_role(*, member: Member, role: str, by: Actor, at: datetime, durable: bool = True) -> Member:
    """Give a member another role, at once for everything they do from now on. Safe to repeat.

    Their open invitations to roles that are no longer theirs to give are taken back. With `durable=False` it is a part
    of the caller's transaction.
    """
    _authorise(by, tenant_id=member.tenant_id)
    if role not in {known.value for known in TenantRole}:
        raise UnableToChangeRole("There is no such role.")
    if by.kind in _BOUND and not roles.may_change(by_roles=by.roles, old=member.role, new=role):
        raise UnableToChangeRole("Your role cannot make this change.", fix="Ask an owner of your account.")
    with transaction.atomic(durable=durable):
        owners = _locked_owners(member.tenant_id)
        if owners == {member.pk} and role != TenantRole.OWNER:
            raise UnableToChangeRole(_LAST_OWNER, fix=_LAST_OWNER_FIX)
        active = Member.objects.filter(pk=member.pk, tenant_id=member.tenant_id, deactivated_at=None, role=member.role)
        if member.role != role and active.update(role=role):
            outbox.publish("accounts.member.role_changed", tenant_id=member.tenant_id, member_id=member.pk)
            ledger.record(
                "accounts.member.role_changed",
                by=by,
                at=at,
                tenant_id=member.tenant_id,
                subject=member,
                data={"from": member.role, "to": role},
            )
            _take_back(member, still=roles.grantable([role]), by=by, at=at)
    member.refresh_from_db()
    if member.role != role:
        raise UnableToChangeRole("Someone changed this member a moment ago.", fix="Look at the list again.")
    return member


def join(*, tenant_id: UUID, address: str, role: str, why: str, by: Actor, at: datetime, name: str = "") -> Member:
    """Make a new person a member, inside the caller's transaction; `why` stands in the ledger.

    They have no password: they sign in by their provider, or set one by the link for a forgotten password.
    """
    user = User.objects.create_user(address, name=name)
    member = Member.objects.create(tenant_id=tenant_id, user=user, role=role, joined_at=at)
    outbox.publish("accounts.member.joined", tenant_id=tenant_id, member_id=member.pk)
    ledger.record(
        "accounts.member.joined", by=by, at=at, tenant_id=tenant_id, subject=member, data={"role": role, "by": why}
    )
    return member


def reactivate(*, member: Member, by: Actor, at: datetime) -> None:
    """Let a person's membership stand again, inside the caller's transaction. Safe to repeat."""
    _authorise(by, tenant_id=member.tenant_id)
    if by.kind in _BOUND and member.role not in roles.grantable(by.roles):
        raise UnableToDeactivate("Your role cannot bring this member back.", fix="Ask an owner of your account.")
    ended = Member.objects.filter(pk=member.pk, tenant_id=member.tenant_id).exclude(deactivated_at=None)
    if ended.update(deactivated_at=None, deactivated_by=None):
        outbox.publish("accounts.member.joined", tenant_id=member.tenant_id, member_id=member.pk)
        ledger.record("accounts.member.reactivated", by=by, at=at, tenant_id=member.tenant_id, subject=member)


def deactivate(*, member: Member, by: Actor, at: datetime, durable: bool = True) -> None:
    """End a person's membership: they are signed out at once, and the tenant is gone for them. Safe to repeat.

    The invitations they gave and that nobody has accepted yet end with it. With `durable=False` it is a part of the
    caller's transaction.
    """
    _authorise(by, tenant_id=member.tenant_id)
    if by.kind in _BOUND and member.role not in roles.grantable(by.roles):
        raise UnableToDeactivate("Your role cannot deactivate this member.", fix="Ask an owner of your account.")
    with transaction.atomic(durable=durable):
        if _locked_owners(member.tenant_id) == {member.pk}:
            raise UnableToDeactivate(_LAST_OWNER, fix=_LAST_OWNER_FIX)
        active = Member.objects.filter(pk=member.pk, tenant_id=member.tenant_id, deactivated_at=None, role=member.role)
        if active.update(deactivated_at=at, deactivated_by=by.known_id):
            outbox.publish("accounts.member.deactivated", tenant_id=member.tenant_id, member_id=member.pk)
            ledger.record("accounts.member.deactivated", by=by, at=at, tenant_id=member.tenant_id, subject=member)
            _take_back(member, still=(), by=by, at=at)
            sessions.end(user_id=member.user_id, by=by)
    member.refresh_from_db()


def _authorise(by: Actor, *, tenant_id: UUID) -> None:
    """Let people in who manage members, and a directory's token, which says who belongs to the account."""
    needed = Permission.PROVISION_MEMBERS if by.kind is ActorKind.TOKEN else Permission.MANAGE_MEMBERS
    by.require(needed, tenant_id=tenant_id)


def _take_back(member: Member, *, still: Collection[str], by: Actor, at: datetime) -> None:
    invitations.take_back_given(tenant_id=member.tenant_id, giver=member.user_id, still=still, by=by, at=at)


def _locked_owners(tenant_id: UUID) -> set[UUID]:
    """Lock the tenant's owners, so that two of them cannot remove each other at the same moment."""
    owners = Member.objects.filter(tenant_id=tenant_id, role=TenantRole.OWNER, deactivated_at=None)
    return set(owners.order_by("pk").select_for_update().values_list("pk", flat=True))
