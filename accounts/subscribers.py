"""What accounts does when something has happened."""

from datetime import datetime
from uuid import UUID

from core import readiness
from core.actor import Actor
from core.outbox import subscribe


@subscribe("accounts.domain.verified")
@subscribe("accounts.domain.released")
def ask_about_domains(*, tenant_id: UUID, at: datetime) -> None:
    """Ask the readiness check again as soon as the answer may have changed."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.domain_verified")


@subscribe("accounts.sso.changed")
@subscribe("accounts.sso.tested")
def ask_about_sso(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether sign-in was tested, now that the connection or its last test is another."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.sso_tested")


@subscribe("accounts.member.joined")
@subscribe("accounts.member.role_changed")
@subscribe("accounts.member.deactivated")
@subscribe("accounts.member.second_factor_reset")
def ask_about_owners(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether every owner has a second factor, now that the owners may be others."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.owner_has_second_factor")
