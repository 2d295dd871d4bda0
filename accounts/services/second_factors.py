"""Helping somebody who lost their second factor: it is taken away, their sessions end, and they are told."""

import logging
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from accounts.domain import roles
from accounts.models import Member, User
from accounts.queries import members
from accounts.queries import second_factors as held
from accounts.services import sessions
from core import ledger, outbox, tenancy
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission

EVENT = "accounts.member.second_factor_reset"

log = logging.getLogger(__name__)


class UnableToReset(UseCaseError):
    """The second factor cannot be reset by this person."""


def reset(*, member: Member, by: Actor, at: datetime) -> None:
    """Take a colleague's second factor away, end all their sessions, and tell them by mail.

    Within what the actor's role may give, and never for oneself. A factor guards a person wherever they belong: one
    that guards more than this account is not this account's to take away.
    """
    by.require(Permission.MANAGE_MEMBERS, tenant_id=member.tenant_id)
    if by.kind is ActorKind.MEMBER and member.role not in roles.grantable(by.roles):
        raise UnableToReset("Your role cannot reset this member's second factor.", fix="Ask an owner of your account.")
    user = member.user
    if user.is_staff or len(tenancy.find_memberships(user_id=user.pk)) != 1 or member.deactivated_at is not None:
        raise UnableToReset(
            "This person's second factor cannot be reset from here.", fix="Ask your contact at customer success."
        )
    _reset(user, tenant_ids=[member.tenant_id], by=by, at=at)


def reset_for(*, user: User, by: Actor, at: datetime) -> None:
    """Do the same as the vendor, for staff, for a last owner, and for who belongs to several accounts.

    Leaves an entry in the ledger of each account they belong to, or in the programme's. Needs a staff scope.
    """
    by.require(Permission.MANAGE_STAFF)
    _reset(user, tenant_ids=members.tenants_of(user_id=user.pk), by=by, at=at)


def _reset(user: User, *, tenant_ids: Collection[UUID], by: Actor, at: datetime) -> None:
    if user.pk == by.id:
        raise UnableToReset(
            "You cannot reset your own second factor.", fix="Change it under your account's security settings."
        )
    with transaction.atomic(durable=True):
        counted = held.holders(user_ids=[user.pk])
        Authenticator.objects.filter(user=user).delete()
        if not counted:
            raise UnableToReset("This person has no second factor.")
        sessions.end(user_id=user.pk, by=by)
        for tenant_id in tenant_ids:
            outbox.publish(EVENT, tenant_id=tenant_id, user_id=user.pk)
        chains: list[UUID | None] = [*sorted(tenant_ids)]
        for chain in chains or [None]:
            ledger.record(EVENT, by=by, at=at, tenant_id=chain, subject=user)
    _tell(user, by=by, at=at)


def _tell(user: User, *, by: Actor, at: datetime) -> None:
    """Mail the person; a mail that cannot leave is logged, and the reset stands."""
    tenancy.forbid_transaction("Sending a mail")
    context = {"who": by.name if by.kind is ActorKind.MEMBER else "", "at": at}
    body = render_to_string("accounts/mail/second_factor_reset.txt", context)
    try:
        EmailMessage(subject="Your second factor was reset", body=body, to=[user.email]).send()
    except OSError:
        log.exception("second_factor.not_told user=%s", user.pk)
