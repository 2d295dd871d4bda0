"""API tokens as their page shows them."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.queries import members
from core import tokens
from core.models import Token
from core.permissions import tenant_grants
from core.tokens import SCOPES


@dataclass(frozen=True, slots=True)
class Row:
    """One token."""

    token: Token
    issuer: str
    is_member: bool
    """Whether its issuer is still of the account; a token stops with them."""
    held_back: tuple[str, ...]
    """Scopes that its issuer may no longer give."""
    is_over: bool
    through: Token | None = None
    """The token that asked for it; None if a person did."""
    issued: int = 0
    """How many tokens it issued that are in force still."""

    @property
    def state(self) -> str:
        """The state's name among the components."""
        if self.token.revoked_at or self.is_over:
            return "stopped" if self.token.revoked_at else "expired"
        if not self.is_member:
            return "stopped"
        return "warn" if self.token.replaced_at or self.held_back else "pass"

    @property
    def words(self) -> str:
        """The state in words."""
        if self.token.revoked_at:
            return "Replaced" if self.token.replaced_at else "Revoked"
        if self.is_over:
            return "Replaced" if self.token.replaced_at else "Ended"
        if not self.is_member:
            return "Stopped"
        if self.token.replaced_at:
            return "Being replaced"
        return "Partly in force" if self.held_back else "In force"

    @property
    def in_force(self) -> bool:
        """Whether there is anything to revoke."""
        return not (self.token.revoked_at or self.is_over)

    @property
    def can_rotate(self) -> bool:
        """Whether it can be replaced by a new one."""
        return self.in_force and self.token.replaced_at is None


def rows(*, tenant_id: UUID, at: datetime) -> list[Row]:
    """Return the tenant's tokens, those in force first, then the newest first."""
    people = {member.user_id: member for member in members.active(tenant_id=tenant_id)}
    every = {token.pk: token for token in tokens.listed(tenant_id=tenant_id)}
    issued = Counter(
        token.issued_through for token in every.values() if token.revoked_at is None and token.expires_at > at
    )
    found = [
        replace(
            _row(token, people.get(token.created_by), at=at),
            through=every.get(token.issued_through) if token.issued_through else None,
            issued=issued[token.pk],
        )
        for token in every.values()
    ]
    return sorted(found, key=lambda row: not row.in_force)


def find(*, tenant_id: UUID, token_id: UUID) -> Token | None:
    """Return one token of the tenant."""
    return tokens.listed(tenant_id=tenant_id).filter(pk=token_id).first()


def _row(token: Token, issuer: Any, *, at: datetime) -> Row:
    grants = tenant_grants(issuer.role) if issuer else frozenset()
    return Row(
        token=token,
        issuer=str(issuer.user) if issuer else "Someone who left",
        is_member=issuer is not None and issuer.user.is_active,
        held_back=tuple(
            scope for scope in token.scopes if scope not in SCOPES or SCOPES[scope].permission not in grants
        )
        if issuer
        else (),
        is_over=token.expires_at <= at,
    )
