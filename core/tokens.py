"""Tokens: scoped secrets for a tenant's machines, shown once, kept as a digest, revocable, with an end (rule 13)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from core import ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.models import Token
from core.permissions import Permission
from core.registry import Registry

LONGEST = timedelta(days=365)
_MARK = "crossing"
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What a token may do; whoever issues it must hold the permission themselves."""

    name: str
    title: str
    permission: Permission


SCOPES: Registry[TokenScope] = Registry("token scope")


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token speaks for, and what it may do."""

    tenant_id: UUID
    token_id: UUID
    scopes: frozenset[str]


class UnableToIssue(UseCaseError):
    """The token cannot be issued like this."""


def issue(
    *, tenant_id: UUID, name: str, scopes: Collection[str], expires_at: datetime, by: Actor, at: datetime
) -> tuple[Token, str]:
    """Issue a token and return it with its secret, which is shown once and can never be read again."""
    if not scopes:
        raise UnableToIssue("Choose at least one thing the token may do.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise UnableToIssue(f"There is no scope called “{unknown[0]}”.")
    for scope in scopes:
        by.require(SCOPES[scope].permission, tenant_id=tenant_id)
    if not name.strip():
        raise UnableToIssue("Give the token a name that says what uses it.")
    if not at < expires_at <= at + LONGEST:
        raise UnableToIssue(f"A token ends within {LONGEST.days} days, and not in the past.")
    public = secrets.token_hex(4)
    secret = f"{_MARK}_{public}_{secrets.token_urlsafe(32)}"
    with transaction.atomic(durable=True):
        token = Token.objects.create(
            tenant_id=tenant_id,
            name=name.strip(),
            prefix=f"{_MARK}_{public}",
            sha256=digest(secret),
            scopes=sorted(set(scopes)),
            created_at=at,
            created_by=by.known_id,
            expires_at=expires_at,
        )
        ledger.record(
            "core.token.issued",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=token,
            data={"scopes": token.scopes, "expires_at": expires_at},
        )
    return token, secret


def authenticate(secret: str, *, at: datetime) -> Bearer | None:
    """Return whom a secret speaks for, or None: unknown, expired and revoked ones look the same.

    Works before any tenant is known; open the tenant's scope with the answer.
    """
    if not secret.startswith(f"{_MARK}_"):
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, token_id, scopes, expires_at, revoked_at FROM crossing.token(%s)", [digest(secret)]
        )
        row = cursor.fetchone()
    if row is None:
        return None
    tenant_id, token_id, scopes, expires_at, revoked_at = row
    if revoked_at is not None or expires_at <= at:
        return None
    return Bearer(tenant_id, token_id, frozenset(scopes))


def note_use(bearer: Bearer, *, at: datetime) -> None:
    """Write down when a token was last used, at most once a minute; inside the tenant's scope."""
    Token.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=at - _USE_NOTED_EVERY), pk=bearer.token_id).update(
        last_used_at=at
    )


def revoke(token: Token, *, by: Actor, at: datetime) -> bool:
    """Revoke a token at once; say whether it was in force. Safe to repeat."""
    for scope in token.scopes:
        # A scope that a newer release no longer knows must not keep its token alive.
        by.require(SCOPES[scope].permission if scope in SCOPES else Permission.VIEW_TENANT, tenant_id=token.tenant_id)
    with transaction.atomic(durable=True):
        if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at, revoked_by=by.id):
            return False
        ledger.record("core.token.revoked", by=by, at=at, tenant_id=token.tenant_id, subject=token)
    return True


def digest(secret: str) -> bytes:
    """Return the SHA-256 digest under which a secret is kept; it has 256 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()
