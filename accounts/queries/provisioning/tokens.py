"""The tokens by which a tenant's directory calls: which of them count, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.queries import members
from core import tokens
from core.models import Token
from core.permissions import Permission, tenant_grants

SCOPE = "scim"
"""What a directory's token may do."""


@dataclass(frozen=True, slots=True)
class DirectoryToken:
    """One token. It counts while it is in force and whoever issued it may still say who is a member."""

    token: Token
    issuer: str
    counts: bool

    @property
    def last_used_at(self) -> datetime | None:
        """When the directory called with it last, to the minute."""
        return self.token.last_used_at


@dataclass(frozen=True, slots=True)
class Keyring:
    """A tenant's tokens for its directory, the newest first."""

    every: Sequence[DirectoryToken]

    @property
    def counting(self) -> list[DirectoryToken]:
        """Those that open something."""
        return [each for each in self.every if each.counts]

    @property
    def in_use(self) -> DirectoryToken | None:
        """The one by which the directory called last; None if it never did by one that still counts."""
        used = [each for each in self.counting if each.last_used_at is not None]
        return max(used, key=lambda each: each.last_used_at or each.token.created_at, default=None)

    @property
    def last_end(self) -> datetime | None:
        """When the last of them ends."""
        return max((each.token.expires_at for each in self.counting), default=None)


def keyring(*, tenant_id: UUID, at: datetime) -> Keyring:
    """Return the tenant's tokens for its directory, those that ended too."""
    people = {member.user_id: member for member in members.active(tenant_id=tenant_id)}
    found = []
    for token in tokens.listed(tenant_id=tenant_id).filter(scopes__contains=[SCOPE]):
        issuer = people.get(token.created_by)
        may = issuer is not None and issuer.user.is_active
        may = may and Permission.PROVISION_MEMBERS in tenant_grants(issuer.role if issuer else "")
        in_force = token.revoked_at is None and token.expires_at > at
        found.append(DirectoryToken(token, str(issuer.user) if issuer else "Someone who left", may and in_force))
    return Keyring(found)
