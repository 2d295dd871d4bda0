"""A customer whose people sign in by their own provider."""

from dataclasses import dataclass

from django.utils import timezone

from accounts.models import LinkedIdentity, Member, SsoConnection, SsoSignIn
from accounts.services import identity_links
from core import tenancy
from core.actor import Actor
from core.permissions import TenantRole
from tests import make, sso
from tests.sso import EMAIL


@dataclass
class Company:
    """A tenant with a proven domain, a connected provider, its owner, and Olivia, a member."""

    connection: SsoConnection
    owner: Actor
    olivia: Member

    @property
    def tenant_id(self):
        return self.connection.tenant_id

    def link(self) -> LinkedIdentity:
        return sso.linked(self.olivia, self.owner)

    def rule(self, kind: str) -> None:
        with tenancy.scope(tenant_id=self.tenant_id):
            identity_links.make_rule(
                tenant_id=self.tenant_id, domain="airline.example", kind=kind, by=self.owner, at=timezone.now()
            )

    def last(self) -> SsoSignIn:
        with tenancy.scope(tenant_id=self.tenant_id):
            return SsoSignIn.objects.select_related("member").latest("started_at")


def found() -> Company:
    """Make one."""
    tenant = make.tenant("JetBlue")
    owner = make.actor(make.member(tenant))
    olivia = make.member(tenant, TenantRole.MEMBER, person=make.user("Olivia", email=EMAIL, password=make.PASSWORD))
    with tenancy.scope(tenant_id=tenant.pk):
        sso.prove(tenant.pk, "airline.example", owner)
        return Company(sso.connected(tenant.pk, owner), owner, olivia)
