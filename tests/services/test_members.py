"""Members on PostgreSQL: roles change, memberships end, an owner remains."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from accounts.models import Invitation, Member, Tenant
from accounts.services import invitations, members
from accounts.services.members import UnableToChangeRole, UnableToDeactivate
from core import ledger, tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.permissions import TenantRole
from tests import make

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Desk:
    """One tenant with a member of each role."""

    tenant: Tenant
    of: dict[str, Member]

    def by(self, role: str) -> Actor:
        return make.actor(self.of[role])

    def told(self) -> list[str]:
        return [entry.event for entry in reversed(ledger.recent(tenant_id=self.tenant.pk, limit=100))]


@pytest.fixture
def desk() -> Iterator[Desk]:
    tenant = make.tenant()
    of = {role.value: make.member(tenant, role) for role in TenantRole}
    with tenancy.scope(tenant_id=tenant.pk):
        yield Desk(tenant, of)


def test_a_role_changes_at_once_and_is_audited_once(desk: Desk) -> None:
    member = desk.of["member"]
    for _ in range(2):
        members.change_role(member=member, role="auditor", by=desk.by("owner"), at=AT)
    assert Member.objects.get(pk=member.pk).role == "auditor"
    assert desk.told() == ["accounts.member.role_changed"]
    (entry,) = ledger.recent(tenant_id=desk.tenant.pk)
    assert entry.text == "changed a member's role from member to auditor"


@pytest.mark.parametrize(
    ("by", "whose", "to"),
    [
        ("admin", "owner", "member"),
        ("admin", "member", "owner"),
        ("admin", "admin", "owner"),
        ("owner", "admin", "king"),
    ],
)
def test_nobody_gives_or_takes_more_than_they_hold(desk: Desk, by: str, whose: str, to: str) -> None:
    with pytest.raises(UnableToChangeRole):
        members.change_role(member=desk.of[whose], role=to, by=desk.by(by), at=AT)
    assert Member.objects.get(pk=desk.of[whose].pk).role == whose


def test_an_admin_cannot_end_an_owner(desk: Desk) -> None:
    with pytest.raises(UnableToDeactivate, match="Your role cannot"):
        members.deactivate(member=desk.of["owner"], by=desk.by("admin"), at=AT)


def test_the_last_owner_stays_an_owner(desk: Desk) -> None:
    owner, by = desk.of["owner"], desk.by("owner")
    with pytest.raises(UnableToChangeRole, match="this is the last") as refusal:
        members.change_role(member=owner, role="admin", by=by, at=AT)
    assert "Make another member an owner" in refusal.value.fix
    with pytest.raises(UnableToDeactivate, match="this is the last"):
        members.deactivate(member=owner, by=by, at=AT)
    members.change_role(member=desk.of["admin"], role="owner", by=by, at=AT)
    members.deactivate(member=owner, by=by, at=AT)
    assert Member.objects.get(pk=owner.pk).deactivated_by == by.id


def test_a_deactivated_owner_does_not_count_as_one(desk: Desk) -> None:
    with tenancy.empty_scope():
        second = make.member(desk.tenant, TenantRole.OWNER)
    members.deactivate(member=second, by=desk.by("owner"), at=AT)
    with pytest.raises(UnableToDeactivate, match="this is the last"):
        members.deactivate(member=desk.of["owner"], by=desk.by("owner"), at=AT)


def test_a_deactivated_member_is_a_stranger_at_the_door(desk: Desk) -> None:
    member = desk.of["auditor"]
    for _ in range(2):
        members.deactivate(member=member, by=desk.by("admin"), at=AT)
    assert tenancy.find_membership(user_id=member.user_id, slug=desk.tenant.slug) is None
    assert desk.told() == ["accounts.member.deactivated"]
    with pytest.raises(UnableToChangeRole, match="a moment ago"):
        members.change_role(member=member, role="admin", by=desk.by("owner"), at=AT)


@pytest.mark.parametrize("role", ["auditor", "member"])
def test_who_may_not_manage_members_is_refused(desk: Desk, role: str) -> None:
    with pytest.raises(PermissionRefused):
        members.change_role(member=desk.of["member"], role="admin", by=desk.by(role), at=AT)
    with pytest.raises(PermissionRefused):
        members.deactivate(member=desk.of["member"], by=desk.by(role), at=AT)


def test_another_tenants_owner_is_refused(desk: Desk) -> None:
    with tenancy.empty_scope():
        stranger = make.actor(make.member(make.tenant()))
    with pytest.raises(PermissionRefused):
        members.change_role(member=desk.of["member"], role="owner", by=stranger, at=AT)


def invited(desk: Desk, role: str, *, by: str) -> Invitation:
    return invitations.invite(
        tenant_id=desk.tenant.pk, email=f"{role}-of-{by}@airline.example", role=role, by=desk.by(by), at=AT
    )


def test_whoever_is_sent_away_cannot_come_back_by_a_link_they_had_given(desk: Desk) -> None:
    theirs, ours = invited(desk, "admin", by="admin"), invited(desk, "admin", by="owner")
    members.deactivate(member=desk.of["admin"], by=desk.by("owner"), at=AT)
    theirs.refresh_from_db()
    ours.refresh_from_db()
    assert theirs.revoked_at == AT
    assert ours.revoked_at is None
    assert desk.told()[-2:] == ["accounts.member.deactivated", "accounts.invitation.revoked"]


def test_a_lesser_role_ends_the_links_it_could_not_give(desk: Desk) -> None:
    other = make.member(desk.tenant, TenantRole.OWNER)
    as_owner, as_admin = invited(desk, "owner", by="owner"), invited(desk, "admin", by="owner")
    members.change_role(member=desk.of["owner"], role="admin", by=make.actor(other), at=AT)
    as_owner.refresh_from_db()
    as_admin.refresh_from_db()
    assert as_owner.revoked_at == AT
    assert as_admin.revoked_at is None
