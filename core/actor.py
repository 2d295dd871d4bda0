"""The actor: who does something, and what they may do."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID, uuid5

from core.errors import PermissionRefused
from core.permissions import Permission, staff_grants, tenant_grants

_SYSTEM_NAMESPACE = UUID("8f2b7c1e-5f0d-4b7e-9c55-0f6f0c1d2a10")


class ActorKind(StrEnum):
    """What kind of actor this is."""

    ANONYMOUS = "anonymous"
    MEMBER = "member"
    TOKEN = "token"  # noqa: S105  (a kind of actor, no password)
    """A tenant's machine, by an API token."""
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone (or some part of the house) who acts, with the permissions they hold right now.

    `id` is the user's id, the token's, or a stable id of the system part. `name` is for screens only and is never
    written to the ledger or a log. A member's and a token's permissions hold for `tenant_id` alone.
    """

    kind: ActorKind
    id: UUID | None = None
    name: str = field(default="", compare=False)
    tenant_id: UUID | None = None
    grants: frozenset[Permission] = frozenset()
    roles: frozenset[str] = frozenset()

    @classmethod
    def anonymous(cls) -> "Actor":
        """Return the actor who may do nothing."""
        return cls(ActorKind.ANONYMOUS)

    @classmethod
    def member(cls, *, user_id: UUID, tenant_id: UUID, role: str, name: str = "") -> "Actor":
        """Return a tenant's member in their role."""
        return cls(ActorKind.MEMBER, user_id, name, tenant_id, tenant_grants(role), frozenset({role}))

    @classmethod
    def token(
        cls, *, token_id: UUID, tenant_id: UUID, grants: "set[Permission] | frozenset[Permission]", role: str = ""
    ) -> "Actor":
        """Return a tenant's machine with what its token lets it do, bound by the role of whoever issued it."""
        return cls(ActorKind.TOKEN, token_id, "", tenant_id, frozenset(grants), frozenset({role} - {""}))

    @classmethod
    def staff(cls, *, user_id: UUID, roles: "frozenset[str] | set[str] | list[str]", name: str = "") -> "Actor":
        """Return one of the vendor's people; their permissions hold for every tenant."""
        return cls(ActorKind.STAFF, user_id, name, None, staff_grants(frozenset(roles)), frozenset(roles))

    @classmethod
    def system(cls, part: str) -> "Actor":
        """Return a part of the house (`beat`, `queue`, `loader`) acting by itself; it may do everything."""
        return cls(ActorKind.SYSTEM, uuid5(_SYSTEM_NAMESPACE, part), part, None, frozenset(Permission))

    @property
    def known_id(self) -> UUID:
        """Return the id for a `*_by` column; raises ValueError for an anonymous actor, who changes nothing."""
        if self.id is None:
            raise ValueError("An anonymous actor changes nothing.")
        return self.id

    def can(self, permission: Permission, *, tenant_id: UUID | None = None) -> bool:
        """Say whether the actor holds the permission for the tenant (None: for the programme)."""
        if permission not in self.grants:
            return False
        bound = self.kind in (ActorKind.MEMBER, ActorKind.TOKEN)
        return not bound or (tenant_id is not None and tenant_id == self.tenant_id)

    def require(self, permission: Permission, *, tenant_id: UUID | None = None) -> None:
        """Raise `PermissionRefused` unless the actor holds the permission for the tenant."""
        if not self.can(permission, tenant_id=tenant_id):
            raise PermissionRefused(
                f"Your role does not include “{permission.value.replace('_', ' ')}”.",
                fix="Ask an owner of your account to do this or to change your role.",
            )
