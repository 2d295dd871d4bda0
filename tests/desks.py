"""One tenant's admin at work with domains."""

from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.domain.diagnosis import Diagnosis
from accounts.models import Domain, Tenant
from accounts.services import domains
from core import ledger
from core.actor import Actor
from core.permissions import TenantRole
from tests import make
from tests.fakes.dns import FakeDns

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Desk:
    """One tenant's admin at work."""

    tenant: Tenant
    by: Actor

    def claim(self, typed: str = "jetblue.example", *, at: datetime = AT) -> Domain:
        return domains.claim(tenant_id=self.tenant.pk, typed=typed, by=self.by, at=at)

    def check(self, domain: Domain, *, at: datetime = AT, is_automatic: bool = False) -> Diagnosis:
        return domains.check(domain=domain, by=self.by, at=at, is_automatic=is_automatic)

    def told(self) -> list[str]:
        return [entry.event for entry in reversed(ledger.recent(tenant_id=self.tenant.pk, limit=100))]


def desk_of(tenant: Tenant, role: TenantRole = TenantRole.ADMIN) -> Desk:
    return Desk(tenant, make.actor(make.member(tenant, role)))


def publish(domain: Domain, value: str = "") -> None:
    """Publish the record that a domain asks for, or another value there."""
    FakeDns.publish(f"_crossing-challenge.{domain.name}", value or f"token={domain.token}")
