"""Whose rows may be seen: the signed context that the database's policies check."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from core.actor import Actor


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's place in a tenant, found before any tenant's rows may be read."""

    tenant_id: UUID
    member_id: UUID
    role: str


@contextmanager
def scope(*, tenant_id: UUID) -> Iterator[None]:
    """Let the connection see one tenant's rows."""
    raise NotImplementedError
    yield


@contextmanager
def staff_scope(*, by: Actor, reason: str) -> Iterator[None]:
    """Let the connection see every tenant's rows, for a named reason."""
    raise NotImplementedError
    yield


def find_membership(*, user_id: UUID, slug: str) -> Membership | None:
    """Return the user's active membership of the tenant called so, or None for a stranger."""
    raise NotImplementedError
