"""Two people at the same moment: one is first, the other is told, and what must hold still holds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Domain, Invitation, Member, User
from accounts.services import domains, invitations, members
from core import tenancy
from core.errors import UseCaseError
from core.permissions import TenantRole
from tests import make
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.usefixtures("committed_db")
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROUNDS = 5


def at_once(*deeds: tuple[UUID, Callable[[], object]]) -> list[str]:
    """Do each deed in a thread and tenant scope of its own, all let go together; return what was refused."""
    barrier = Barrier(len(deeds), timeout=30)

    def run(tenant_id: UUID, deed: Callable[[], object]) -> str:
        try:
            with tenancy.scope(tenant_id=tenant_id):
                connection.ensure_connection()
                barrier.wait()
                deed()
        except UseCaseError as refusal:
            return refusal.message
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(deeds)) as pool:
        done = [pool.submit(run, tenant_id, deed) for tenant_id, deed in deeds]
        return [said for future in done if (said := future.result())]


def test_two_owners_cannot_remove_each_other() -> None:
    for _ in range(ROUNDS):
        tenant = make.tenant()
        one, other = make.member(tenant), make.member(tenant)

        def end(member: Member, by: Member) -> tuple[UUID, Callable[[], object]]:
            return member.tenant_id, lambda: members.deactivate(member=member, by=make.actor(by), at=AT)

        refused = at_once(end(one, other), end(other, one))
        assert refused == ["An account must keep an owner, and this is the last."]
        with make.arranging():
            assert Member.objects.filter(tenant=tenant, deactivated_at=None).count() == 1


def test_a_link_opened_twice_at_once_makes_one_person() -> None:
    for number in range(ROUNDS):
        owner = make.member(make.tenant())
        with tenancy.scope(tenant_id=owner.tenant_id):
            invitation = invitations.invite(
                tenant_id=owner.tenant_id, email=f"n{number}@a.example", role="admin", by=make.actor(owner), at=AT
            )
            twin = Invitation.objects.get()

        def register(link: Invitation, name: str) -> tuple[UUID, Callable[[], object]]:
            return link.tenant_id, lambda: invitations.register(
                invitation=link, name=name, password=make.PASSWORD, at=AT
            )

        assert len(at_once(register(invitation, "One"), register(twin, "Two"))) == 1
        assert User.objects.filter(email=f"n{number}@a.example").count() == 1
        with make.arranging():
            assert Member.objects.filter(tenant_id=owner.tenant_id, role=TenantRole.ADMIN).count() == 1


def test_two_accounts_cannot_prove_one_domain(fake_dns: type[FakeDns]) -> None:
    for number in range(ROUNDS):
        name, deeds = f"airline{number}.example", []
        fake_dns.zones.domains.append(name)
        for _ in range(2):
            admin = make.member(make.tenant(), TenantRole.ADMIN)
            with tenancy.scope(tenant_id=admin.tenant_id):
                domain = domains.claim(tenant_id=admin.tenant_id, typed=name, by=make.actor(admin), at=AT)
            fake_dns.publish(f"_crossing-challenge.{name}", f"token={domain.token}")

            def prove(domain: Domain = domain, admin: Member = admin) -> object:
                return domains.check(domain=domain, by=make.actor(admin), at=AT)

            deeds.append((admin.tenant_id, prove))
        assert at_once(*deeds) == [], "the second is told by the diagnosis, not by an error"
        with make.arranging():
            assert Domain.objects.filter(name=name, verified_at__isnull=False).count() == 1
            held = Domain.objects.get(name=name, verified_at=None)
            assert [check.code for check in held.checks.all()] == ["held_elsewhere"]
