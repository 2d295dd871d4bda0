"""Who may change whom a tenant's provider speaks for, and telling of it: to the ledger, the checks, the people."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.domain import roles
from accounts.models import LinkedIdentity, SsoConnection, StandingRule
from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import PermissionRefused
from core.permissions import Permission, TenantRole


def require_trust(*, tenant_id: UUID, by: Actor) -> None:
    """Raise PermissionRefused unless the actor may say whom to believe, and about whom.

    An admin may, until owners sign in by the provider: one who added a key of their own could come in as an owner.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    if by.kind not in (ActorKind.MEMBER, ActorKind.TOKEN) or TenantRole.OWNER in roles.grantable(by.roles):
        return
    owners = LinkedIdentity.objects.filter(
        tenant_id=tenant_id, member__role=TenantRole.OWNER, member__deactivated_at=None
    )
    rules = StandingRule.objects.filter(tenant_id=tenant_id, kind=StandingRule.Kind.LINK, ended_at=None)
    if owners.exists() or rules.exists():
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
