"""Invitations: invite, send again, revoke, accept."""

import logging
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.domain import invitations as rules
from accounts.domain import roles
from accounts.domain.invitations import State
from accounts.models import Invitation, Member, Tenant, User
from core import ledger, outbox, tenancy
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole

MOST_OPEN = 100
MOST_A_DAY = 200
PAUSE = timedelta(minutes=1)  # between two mails to one address: a button is no way to flood a mailbox

log = logging.getLogger(__name__)


class UnableToInvite(UseCaseError):
    """The person cannot be invited."""


class UnableToChange(UseCaseError):
    """The invitation is not open any more."""


class UnableToAccept(UseCaseError):
    """The invitation cannot be accepted by this person now."""


_ENDED = {
    State.EXPIRED: ("This invitation has expired.", "Ask whoever invited you to send it again."),
    State.ACCEPTED: ("This invitation has been used.", "Sign in with the address it was sent to."),
    State.REVOKED: ("This invitation was taken back.", "Ask whoever invited you for a new one."),
}


def invite(*, tenant_id: UUID, email: str, role: str, by: Actor, at: datetime) -> Invitation:
    """Invite a person into a tenant by a link that works once and for seven days, and mail it to them.

    Members give roles within their own; the vendor's people invite a tenant's first owner only. If the mail cannot
    leave, the invitation stands with `sent_at` empty, to be sent again.
    """
    _authorise(tenant_id=tenant_id, role=role, by=by)
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise UnableToInvite("That is not an e-mail address.", fix="Enter one like name@airline.example.") from error
    if Member.objects.filter(tenant_id=tenant_id, user__email=address, deactivated_at=None).exists():
        raise UnableToInvite(f"{address} is a member already.")
    _require_no_other_first_owner(tenant_id, address, by=by)
    if _open(tenant_id).count() >= MOST_OPEN:
        raise UnableToInvite(f"{MOST_OPEN} invitations are open already.", fix="Revoke some that are not needed.")
    invited_lately = Invitation.objects.filter(tenant_id=tenant_id, invited_at__gt=at - timedelta(days=1))
    if invited_lately.count() >= MOST_A_DAY:
        raise UnableToInvite(f"{MOST_A_DAY} people were invited within a day.", fix="Go on tomorrow.")
    token = secrets.token_urlsafe(rules.TOKEN_BYTES)
    invitation = Invitation(
        tenant_id=tenant_id,
        email=address,
        role=role,
        token_digest=rules.digest(token),
        invited_at=at,
        invited_by=by.known_id,
        expires_at=at + rules.VALID_FOR,
    )
    try:
        with transaction.atomic(durable=True):
            if by.kind is ActorKind.STAFF:  # one after the other: two at once would each see no other's
                _line_up(tenant_id)
                _authorise(tenant_id=tenant_id, role=role, by=by)
                _require_no_other_first_owner(tenant_id, address, by=by)
            invitation.save(force_insert=True)
            ledger.record(
                "accounts.invitation.created",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=invitation,
                data={"role": role},
                personal={"email": address},
            )
    except IntegrityError as error:
        raise UnableToInvite(f"{address} is invited already.", fix="Send the invitation again instead.") from error
    _send(invitation, token=token, by=by, at=at)
    return invitation


def resend(*, invitation: Invitation, by: Actor, at: datetime) -> Invitation:
    """Send an open or expired invitation again with a new link for seven days; the former link stops working."""
    _authorise(tenant_id=invitation.tenant_id, role=invitation.role, by=by)
    if invitation.sent_at is not None and invitation.sent_at > at - PAUSE:
        raise UnableToChange("The invitation was sent a moment ago.", fix="Give the mail a minute to arrive.")
    token = secrets.token_urlsafe(rules.TOKEN_BYTES)
    with transaction.atomic(durable=True):
        changed = (
            _open(invitation.tenant_id)
            .filter(pk=invitation.pk)
            .update(token_digest=rules.digest(token), expires_at=at + rules.VALID_FOR, sent_at=None)
        )
        if not changed:
            raise UnableToChange("This invitation is not open any more.")
        ledger.record(
            "accounts.invitation.sent_again", by=by, at=at, tenant_id=invitation.tenant_id, subject=invitation
        )
    invitation.refresh_from_db()
    _send(invitation, token=token, by=by, at=at)
    return invitation


def revoke(*, invitation: Invitation, by: Actor, at: datetime) -> None:
    """Take an invitation back; its link stops working at once. Safe to repeat."""
    _authorise(tenant_id=invitation.tenant_id, role=invitation.role, by=by)
    with transaction.atomic(durable=True):
        if _open(invitation.tenant_id).filter(pk=invitation.pk).update(revoked_at=at, revoked_by=by.known_id):
            ledger.record(
                "accounts.invitation.revoked", by=by, at=at, tenant_id=invitation.tenant_id, subject=invitation
            )
        elif Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=False).exists():
            raise UnableToChange("This invitation has been accepted.", fix="Deactivate the member instead.")


def take_back_given(*, tenant_id: UUID, giver: UUID, still: Collection[str], by: Actor, at: datetime) -> None:
    """Take back the open invitations to roles that a person may no longer give, inside the caller's transaction.

    Or whoever is sent away could come back by a link they had sent to another address of theirs.
    """
    for invitation in _open(tenant_id).filter(invited_by=giver).exclude(role__in=still).select_for_update():
        Invitation.objects.filter(pk=invitation.pk).update(revoked_at=at, revoked_by=by.known_id)
        ledger.record("accounts.invitation.revoked", by=by, at=at, tenant_id=tenant_id, subject=invitation)


def require_open(*, invitation: Invitation, at: datetime) -> None:
    """Raise `UnableToAccept`, saying why and what to do, unless the link still works."""
    state = rules.state(
        at=at,
        expires_at=invitation.expires_at,
        accepted_at=invitation.accepted_at,
        revoked_at=invitation.revoked_at,
    )
    if state is not State.PENDING:
        message, fix = _ENDED[state]
        raise UnableToAccept(message, fix=fix)


def join(*, invitation: Invitation, user: User, at: datetime) -> Member:
    """Accept an invitation as a person who has an account and is signed in with the invited address."""
    require_open(invitation=invitation, at=at)
    if not is_meant_for(invitation=invitation, user=user):
        raise UnableToAccept(
            f"This invitation was sent to {rules.mask(invitation.email)}, and you are signed in with another address.",
            fix="Sign out, then open the link again.",
        )
    with transaction.atomic(durable=True):
        return _accept(invitation, user=user, at=at)


def register(*, invitation: Invitation, name: str, password: str, at: datetime) -> User:
    """Accept an invitation as a new person: make their account with a password, and the member.

    The link was delivered to the address, which proves it. Raises `UnableToAccept` if there is an account with the
    address (they sign in and join instead), ValidationError for a weak password.
    """
    require_open(invitation=invitation, at=at)
    user = User(email=invitation.email, name=name.strip())
    validate_password(password, user)
    user.set_password(password)
    try:
        with transaction.atomic(durable=True):
            user.save(force_insert=True)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            _accept(invitation, user=user, at=at)
    except IntegrityError as error:
        raise UnableToAccept(
            "There is an account with this address already.", fix="Sign in with it, then open the link again."
        ) from error
    return user


def is_meant_for(*, invitation: Invitation, user: User) -> bool:
    """Tell whether the person has shown to own the invited address."""
    return bool(EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True).exists())


def _authorise(*, tenant_id: UUID, role: str, by: Actor) -> None:
    if by.kind is ActorKind.STAFF:
        by.require(Permission.INVITE_FIRST_OWNER, tenant_id=tenant_id)
        owners = Member.objects.filter(tenant_id=tenant_id, role=TenantRole.OWNER, deactivated_at=None)
        if role != TenantRole.OWNER or owners.exists():
            raise UnableToInvite("Staff invites a tenant's first owner only.", fix="Ask an owner of the account.")
        return
    by.require(Permission.MANAGE_MEMBERS, tenant_id=tenant_id)
    if by.kind is ActorKind.MEMBER and role not in roles.grantable(by.roles):
        raise UnableToInvite(f"Your role cannot give the role “{role}”.", fix="Ask an owner of your account.")
    if role not in {known.value for known in TenantRole}:
        raise UnableToInvite("There is no such role.")


def _require_no_other_first_owner(tenant_id: UUID, address: str, *, by: Actor) -> None:
    """Refuse staff a second link: it would still make an owner after the first has joined, past the owner's own say."""
    if by.kind is ActorKind.STAFF and _open(tenant_id).exclude(email=address).exists():
        raise UnableToInvite("The first owner is invited already.", fix="Send that invitation again, or revoke it.")


def _line_up(tenant_id: UUID) -> None:
    """Wait, inside a transaction, until nobody else of staff invites a first owner of the tenant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"accounts.invitations.first_owner:{tenant_id}"]
        )


def _open(tenant_id: UUID) -> QuerySet[Invitation]:
    return Invitation.objects.filter(tenant_id=tenant_id, accepted_at=None, revoked_at=None)


def _accept(invitation: Invitation, *, user: User, at: datetime) -> Member:
    """Use the link up and make the member, inside the caller's transaction; the second to come is refused."""
    claimed = (
        _open(invitation.tenant_id)
        .filter(pk=invitation.pk, token_digest=invitation.token_digest, expires_at__gt=at)
        .update(accepted_at=at, accepted_by=user.pk)
    )
    if not claimed:
        message, fix = _ENDED[State.ACCEPTED]
        raise UnableToAccept(message, fix=fix)
    member, made = Member.objects.get_or_create(
        tenant_id=invitation.tenant_id, user=user, defaults={"role": invitation.role, "joined_at": at}
    )
    if not made and member.deactivated_at is not None:
        Member.objects.filter(pk=member.pk).update(
            role=invitation.role, joined_at=at, deactivated_at=None, deactivated_by=None
        )
        member.refresh_from_db()
    actor = Actor.member(user_id=user.pk, tenant_id=invitation.tenant_id, role=member.role, name=str(user))
    outbox.publish("accounts.member.joined", tenant_id=invitation.tenant_id, member_id=member.pk)
    ledger.record(
        "accounts.member.joined",
        by=actor,
        at=at,
        tenant_id=invitation.tenant_id,
        subject=member,
        data={"role": member.role, "invitation": invitation.pk},
    )
    return member


def _send(invitation: Invitation, *, token: str, by: Actor, at: datetime) -> None:
    """Mail the link; a mail that cannot leave leaves `sent_at` empty and is only logged: the link is in no log."""
    tenancy.forbid_transaction("Sending a mail")
    tenant = Tenant.objects.get(pk=invitation.tenant_id)
    context = {
        "tenant": tenant,
        "role": invitation.get_role_display(),
        "inviter": by.name if by.kind is ActorKind.MEMBER else "",
        "link": f"{settings.PUBLIC_URL.rstrip('/')}{reverse('invitations:open', args=[token])}",
        "expires_at": invitation.expires_at,
    }
    mail = EmailMessage(
        subject=" ".join(render_to_string("accounts/mail/invitation_subject.txt", context).split()),
        body=render_to_string("accounts/mail/invitation.txt", context),
        to=[invitation.email],
    )
    try:
        mail.send()
    except OSError:
        log.exception("invitation.not_sent invitation=%s", invitation.pk)
        return
    Invitation.objects.filter(pk=invitation.pk, token_digest=invitation.token_digest).update(sent_at=at)
    invitation.sent_at = at
