"""Telling of a change to a tenant's connection: to the ledger, to the checks, and to its people."""

from datetime import datetime
from typing import Any

from accounts.models import SsoConnection
from core import ledger, outbox
from core.actor import Actor


def tell(what: str, connection: SsoConnection, *, by: Actor, at: datetime, data: dict[str, Any] | None = None) -> None:
    """Record a change and have the checks asked again, in the caller's transaction."""
    outbox.publish("accounts.sso.changed", tenant_id=connection.tenant_id, connection_id=connection.pk)
    ledger.record(f"accounts.sso.{what}", by=by, at=at, tenant_id=connection.tenant_id, subject=connection, data=data)


def notify(what: str, connection: SsoConnection, *, occasion: str) -> None:
    """Have the tenant's owners and admins told by mail, once on an occasion, in the caller's transaction."""
    outbox.publish("accounts.sso.noticed", tenant_id=connection.tenant_id, what=what, occasion=occasion)
