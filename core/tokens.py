"""Tokens: scoped secrets for a tenant's machines, shown once, kept as a digest, revocable, with an end (rule 13).

A token never does more than whoever issued it may do at that moment, and stops with their membership
(`docs/adr/0010-api.md`). Its scopes are declared by the apps, each for one permission.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from core import ledger
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.models import Token
from core.permissions import Permission, tenant_grants
from core.registry import Registry

LONGEST = timedelta(days=365)
LONGEST_OVERLAP = timedelta(days=7)
MOST_IN_FORCE = 50
_MARK = "crossing"
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What a token may do; whoever issues it must hold the permission themselves.

    `managed_by` lets another token issue, rotate and revoke tokens of this scope alone; without it only people do.
    """

    name: str
    title: str
    permission: Permission
    managed_by: Permission | None = None


SCOPES: Registry[TokenScope] = Registry("token scope")


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token speaks for, and what it may do."""

    tenant_id: UUID
    token_id: UUID
    scopes: frozenset[str]
    issuer_role: str

    @property
    def actor(self) -> Actor:
        """Return the token as an actor: the permissions of its scopes that its issuer holds right now."""
        wanted = {SCOPES[scope].permission for scope in self.scopes if scope in SCOPES}
        return Actor.token(
            token_id=self.token_id,
            tenant_id=self.tenant_id,
            grants=wanted & tenant_grants(self.issuer_role),
            role=self.issuer_role,
        )


class UnableToIssue(UseCaseError):
    """The token cannot be issued like this."""


class UnableToRotate(UseCaseError):
    """The token cannot be replaced like this."""


def scopes_of(actor: Actor, *, tenant_id: UUID) -> list[TokenScope]:
    """Return the scopes that an actor may give a token."""
    return [scope for scope in SCOPES.values() if actor.can(scope.permission, tenant_id=tenant_id)]


def listed(*, tenant_id: UUID) -> QuerySet[Token]:
    """Return the tenant's tokens, those in force first, the newest first."""
    return Token.objects.filter(tenant_id=tenant_id).order_by("-created_at")


def issuer(token_id: UUID, *, tenant_id: UUID) -> UUID | None:
    """Return in whose name a token of the tenant stands, also once it has ended; None for an id of no token."""
    return Token.objects.filter(tenant_id=tenant_id, pk=token_id).values_list("created_by", flat=True).first()


def issue(
    *, tenant_id: UUID, name: str, scopes: Collection[str], expires_at: datetime, by: Actor, at: datetime
) -> tuple[Token, str]:
    """Issue a token and return it with its secret, which is shown once and can never be read again.

    One that a token issues stands in the name of whoever issued that one, and ends with it at the latest.
    """
    if by.kind is not ActorKind.TOKEN:
        by.require(Permission.MANAGE_TOKENS, tenant_id=tenant_id)
    if not scopes:
        raise UnableToIssue("Choose at least one thing the token may do.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise UnableToIssue(f"There is no scope called “{unknown[0]}”.")
    _require_scopes(by, scopes, tenant_id=tenant_id)
    if not name.strip():
        raise UnableToIssue("Give the token a name that says what uses it.")
    if len(name.strip()) > 100 or not name.strip().isprintable():
        raise UnableToIssue("A token's name has at most 100 characters, all of them visible.")
    if not at < expires_at <= at + LONGEST:
        raise UnableToIssue(f"A token ends within {LONGEST.days} days, and not in the past.")
    with transaction.atomic(durable=True):
        _take_turns(tenant_id)
        if _is_full(tenant_id, at=at):
            raise UnableToIssue(
                f"Your account has {MOST_IN_FORCE} tokens in force.", fix="Revoke one you no longer need."
            )
        token, secret = _make(tenant_id=tenant_id, name=name, scopes=scopes, expires_at=expires_at, by=by, at=at)
        ledger.record(
            "core.token.issued",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=token,
            data={"scopes": token.scopes, "expires_at": token.expires_at},
        )
    return token, secret


def rotate(token: Token, *, overlap: timedelta, by: Actor, at: datetime) -> tuple[Token, str]:
    """Replace a token by a new one with the same name, scopes and lifetime; the old one ends after the overlap.

    The new one stands in the name of whoever rotates, who must hold the permissions of its scopes; what the old one
    issued is the new one's from then on. A token is replaced once. Returns the new token with its secret, shown once.
    """
    if by.kind is not ActorKind.TOKEN:
        by.require(Permission.MANAGE_TOKENS, tenant_id=token.tenant_id)
    for scope in token.scopes:
        if scope not in SCOPES:
            raise UnableToRotate(f"The scope “{scope}” exists no more.", fix="Issue a new token instead.")
    _require_scopes(by, token.scopes, tenant_id=token.tenant_id)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise UnableToRotate(f"The old secret may stay valid for {LONGEST_OVERLAP.days} days at most.")
    ends_at = min(token.expires_at, at + overlap)
    with transaction.atomic(durable=True):
        _take_turns(token.tenant_id)
        if overlap and _is_full(token.tenant_id, at=at):  # both count until the old one ends
            raise UnableToRotate(
                f"Your account has {MOST_IN_FORCE} tokens in force.",
                fix="Revoke one, or let the old secret end at once.",
            )
        in_force = Token.objects.filter(pk=token.pk, revoked_at=None, replaced_at=None, expires_at__gt=at)
        ending = {"expires_at": ends_at} if overlap else {"revoked_at": at, "revoked_by": by.known_id}
        if not in_force.update(replaced_at=at, replaced_by=by.known_id, **ending):
            raise UnableToRotate("This token has ended or was replaced already.", fix="Issue a new token instead.")
        lifetime = min(token.expires_at - token.created_at, LONGEST)
        made, secret = _make(
            tenant_id=token.tenant_id, name=token.name, scopes=token.scopes, expires_at=at + lifetime, by=by, at=at
        )
        Token.objects.filter(tenant_id=token.tenant_id, issued_through=token.pk).update(issued_through=made.pk)
        ledger.record(
            "core.token.rotated",
            by=by,
            at=at,
            tenant_id=token.tenant_id,
            subject=made,
            data={"replaces": token.pk, "old_ends_at": ends_at, "scopes": made.scopes, "expires_at": made.expires_at},
        )
    return made, secret


def authenticate(secret: str, *, at: datetime) -> Bearer | None:
    """Return whom a secret speaks for, or None: unknown, expired, revoked and ownerless ones look the same.

    Works before any tenant is known; open the tenant's scope with the answer.
    """
    if not secret.startswith(f"{_MARK}_") or not secret.isascii():
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, token_id, scopes, expires_at, revoked_at, issuer_role FROM crossing.token(%s)",
            [digest(secret)],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    tenant_id, token_id, scopes, expires_at, revoked_at, issuer_role = row
    if revoked_at is not None or expires_at <= at or issuer_role is None:
        return None
    return Bearer(tenant_id, token_id, frozenset(scopes), issuer_role)


def note_use(bearer: Bearer, *, at: datetime) -> None:
    """Write down when a token was last used, at most once a minute; inside the tenant's scope."""
    Token.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=at - _USE_NOTED_EVERY), pk=bearer.token_id).update(
        last_used_at=at
    )


def revoke(token: Token, *, by: Actor, at: datetime, and_issued: bool = False) -> bool:
    """Revoke a token at once, and those that it issued if asked to; say whether it was in force. Safe to repeat."""
    if by.kind is ActorKind.TOKEN:
        _require_scopes(by, token.scopes, tenant_id=token.tenant_id)
    else:
        by.require(Permission.MANAGE_TOKENS, tenant_id=token.tenant_id)
    if and_issued:
        by.require(Permission.MANAGE_TOKENS, tenant_id=token.tenant_id)
    with transaction.atomic(durable=True):
        _take_turns(token.tenant_id)
        was_in_force = _revoke(token, by=by, at=at)
        if and_issued:
            for issued in Token.objects.filter(tenant_id=token.tenant_id, issued_through=token.pk, expires_at__gt=at):
                _revoke(issued, by=by, at=at)
    return was_in_force


def _revoke(token: Token, *, by: Actor, at: datetime) -> bool:
    if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at, revoked_by=by.known_id):
        return False
    ledger.record("core.token.revoked", by=by, at=at, tenant_id=token.tenant_id, subject=token)
    return True


def digest(secret: str) -> bytes:
    """Return the SHA-256 digest under which a secret is kept; it has 256 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()


def _take_turns(tenant_id: UUID) -> None:
    """Let an account's tokens be changed by one transaction after the other; call it first.

    An act changes several rows and the ledger besides: locked one by one, two acts could each hold what the other waits
    for. What a token does that is being revoked comes before its end, or is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"core.tokens:{tenant_id}"])


def _require_scopes(by: Actor, scopes: Collection[str], *, tenant_id: UUID) -> None:
    """Let people give what they may do themselves, and a token only scopes of which its own permission is to manage."""
    for scope in scopes:
        if by.kind is not ActorKind.TOKEN:
            by.require(SCOPES[scope].permission, tenant_id=tenant_id)
        else:  # of a scope that exists no more, no permission says who manages it
            managed_by = SCOPES[scope].managed_by if scope in SCOPES else None
            by.require(managed_by or Permission.MANAGE_TOKENS, tenant_id=tenant_id)


def _is_full(tenant_id: UUID, *, at: datetime) -> bool:
    in_force = Token.objects.filter(tenant_id=tenant_id, revoked_at=None, expires_at__gt=at)
    return in_force.count() >= MOST_IN_FORCE


def _make(
    *, tenant_id: UUID, name: str, scopes: Collection[str], expires_at: datetime, by: Actor, at: datetime
) -> tuple[Token, str]:
    whose = by.known_id
    if by.kind is ActorKind.TOKEN:
        in_force = Token.objects.filter(tenant_id=tenant_id, pk=by.known_id, revoked_at=None, expires_at__gt=at)
        asking = in_force.first()
        if asking is None:
            raise UnableToIssue("The token that asks for it has ended.", fix="Use one that is in force.")
        whose, expires_at = asking.created_by, min(expires_at, asking.expires_at)
    public = secrets.token_hex(4)
    secret = f"{_MARK}_{public}_{secrets.token_urlsafe(32)}"
    token = Token.objects.create(
        tenant_id=tenant_id,
        name=name.strip(),
        prefix=f"{_MARK}_{public}",
        sha256=digest(secret),
        scopes=sorted(set(scopes)),
        created_at=at,
        created_by=whose,
        issued_through=by.known_id if by.kind is ActorKind.TOKEN else None,
        expires_at=expires_at,
    )
    return token, secret
