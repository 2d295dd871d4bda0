"""Who may change whom a tenant's provider speaks for, and telling of it: to the ledger, the checks, the people."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.domain import roles
from accounts.models import LinkedIdentity, SsoConnection, StandingRule
from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import PermissionRefused, UseCaseError
from core.permissions import Permission, TenantRole


class UnableToTrustToken(UseCaseError):
    """A token may not do this any more; a person of the tenant may."""


def require_trust(*, tenant_id: UUID, by: Actor) -> None:
    """Raise PermissionRefused unless the actor may say whom to believe, and about whom.

    An admin may, until owners sign in by the provider: one who added a key of their own could come in as an owner.
    A token may, until anybody does: whoever came by its secret could come in as anybody, and would have a session.
    Then it raises UnableToTrustToken.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    if by.kind not in (ActorKind.MEMBER, ActorKind.TOKEN):
        return
    linked = LinkedIdentity.objects.filter(tenant_id=tenant_id, member__deactivated_at=None)
    rules = StandingRule.objects.filter(tenant_id=tenant_id, ended_at=None)
    if by.kind is ActorKind.TOKEN and (linked.exists() or rules.exists()):
        raise UnableToTrustToken(
            "People sign in by your provider, so a person changes what it is believed, and not a token.",
            fix="An owner or admin does this on the page “Single sign-on”.",
        )
    if TenantRole.OWNER in roles.grantable(by.roles):
        return
    if linked.filter(member__role=TenantRole.OWNER).exists() or rules.filter(kind=StandingRule.Kind.LINK).exists():
        raise PermissionRefused(
            "Owners sign in by your provider, so only an owner changes what it is believed.",
            fix="Ask an owner of your account to do this.",
        )


def tell(what: str, connection: SsoConnection, *, by: Actor, at: datetime, data: dict[str, Any] | None = None) -> None:
    """Record a change and have the checks asked again, in the caller's transaction."""
    outbox.publish("accounts.sso.changed", tenant_id=connection.tenant_id, connection_id=connection.pk)
    ledger.record(f"accounts.sso.{what}", by=by, at=at, tenant_id=connection.tenant_id, subject=connection, data=data)


def notify(what: str, connection: SsoConnection, *, occasion: str) -> None:
    """Have the tenant's owners and admins told by mail, once on an occasion, in the caller's transaction."""
    outbox.publish("accounts.sso.noticed", tenant_id=connection.tenant_id, what=what, occasion=occasion)
