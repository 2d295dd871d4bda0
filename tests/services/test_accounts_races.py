"""Two people at the same moment: one is first, the other is told, and what must hold still holds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Cutback, Domain, Invitation, Member, User
from accounts.services import cutbacks, domains, invitations, members
from core import tenancy
from core.activity import recent
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import StaffRole, TenantRole
from tests import enforcing, make
from tests.enforcing import Company
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


def test_two_of_staff_invite_one_first_owner() -> None:
    for number in range(ROUNDS):
        tenant = make.tenant()
        lead, other = (make.staff_actor(make.staff(StaffRole.CS)) for _ in range(2))

        def invite(by: Actor, name: str, tenant_id: UUID = tenant.pk, number: int = number) -> Callable[[], object]:
            email = f"{name}{number}@a.example"
            return lambda: invitations.invite(tenant_id=tenant_id, email=email, role="owner", by=by, at=AT)

        refused = at_once((tenant.pk, invite(lead, "right")), (tenant.pk, invite(other, "wrong")))
        assert refused == ["The first owner is invited already."]
        with make.arranging():
            assert Invitation.objects.filter(tenant=tenant).count() == 1


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


def approved_at_once(*by: Actor, found: Company) -> tuple[list[str], Cutback, int]:
    """Let people approve one cutback at the same moment; return what was refused, it, and how often one began."""
    now = timezone.now()
    with tenancy.scope(tenant_id=found.tenant_id):
        cutback = cutbacks.ask(tenant_id=found.tenant_id, reason="Down.", hours=1, by=found.by, at=now)

    def approve(actor: Actor) -> tuple[UUID, Callable[[], object]]:
        return found.tenant_id, lambda: cutbacks.approve(cutback=cutback, by=actor, at=now)

    refused = at_once(*map(approve, by))
    with tenancy.scope(tenant_id=found.tenant_id):
        cutback.refresh_from_db()
        begun = sum(entry.event == "accounts.cutback.begun" for entry in recent(tenant_id=found.tenant_id, limit=200))
        if cutback.ended_at is None:
            cutbacks.end(cutback=cutback, by=found.by, at=now)
    return refused, cutback, begun


def test_approvals_at_the_same_moment_begin_one_cutback_by_two_people() -> None:
    found = enforcing.company(password="long and secret")
    with tenancy.scope(tenant_id=found.tenant_id):
        enforcing.enforce(enforcing.prepare(found))
    one, other = map(make.actor, found.owners)
    leads = [make.staff_actor(make.staff(StaffRole.SRE_LEAD)) for _ in range(2)]
    for number in range(1, ROUNDS + 1):
        refused, cutback, begun = approved_at_once(one, other, *leads, found=found)
        assert len(refused) == 2  # one of each side was first
        assert cutback.starts_at
        assert begun == number
    refused, cutback, begun = approved_at_once(one, one, other, found=found)
    assert refused  # one side alone, however many of it
    assert (cutback.starts_at, begun) == (None, ROUNDS)
