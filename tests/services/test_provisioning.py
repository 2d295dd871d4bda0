"""What follows for members from what a directory says: on trial nothing, enabled what an admin could have done."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import (
    Domain,
    LinkedIdentity,
    LinkProposal,
    Member,
    ProvisionedGroup,
    ProvisionedUser,
    Provisioning,
    ProvisioningCall,
)
from accounts.services import identity_links, members
from accounts.services.provisioning import calls, switch
from accounts.services.provisioning.switch import UnableToSwitch
from core import ledger, queue, tenancy
from core.permissions import TenantRole
from tests import api, holding, make
from tests.scim import Directory

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
OURS = "hawaiian.example"


class Desk:
    """A tenant with a proven domain, an owner, and its directory."""

    def __init__(self) -> None:
        self.tenant = make.tenant()
        self.owner = make.member(self.tenant, TenantRole.OWNER, person=make.user(email=f"owner@{OURS}"))
        self.directory = Directory(self.owner)
        with make.arranging():
            Domain.objects.create(
                tenant=self.tenant, name=OURS, text=OURS, token="t", claimed_by=self.owner.user_id, verified_at=AT,
                verified_by=self.owner.user_id, proven_at=AT,
            )  # fmt: skip

    def enable(self) -> None:
        with tenancy.scope(tenant_id=self.tenant.pk):
            switch.enable(tenant_id=self.tenant.pk, by=make.actor(self.owner), at=timezone.now())
        queue.run_pending()

    def member(self, name: str) -> Member | None:
        with make.arranging():
            return Member.objects.filter(tenant=self.tenant, user__email=f"{name}@{OURS}").first()

    def active(self) -> dict[str, str]:
        with make.arranging():
            rows = Member.objects.filter(tenant=self.tenant, deactivated_at=None).select_related("user")
            return {row.user.email.partition("@")[0]: row.role for row in rows}

    def outcome(self, ident: str) -> tuple[str, str]:
        with make.arranging():
            row = ProvisionedUser.objects.get(pk=ident)
            return row.outcome, row.reason

    def user(self, name: str, **more: Any) -> str:
        return self.directory.user(f"{name}@{OURS}", **more)["id"]

    def set_active(self, ident: str, active: bool, *, status: int = 200) -> dict[str, Any]:
        operation = {"op": "replace", "path": "active", "value": active}
        return self.directory.patch(f"Users/{ident}", operation, status=status)

    def give(self, group: str, role: str) -> None:
        with tenancy.scope(tenant_id=self.tenant.pk):
            switch.give_role(
                tenant_id=self.tenant.pk, group_id=group, role=role, by=make.actor(self.owner), at=timezone.now()
            )
        queue.run_pending()

    def told(self) -> list[str]:
        with tenancy.scope(tenant_id=self.tenant.pk):
            return [entry.event for entry in reversed(ledger.recent(tenant_id=self.tenant.pk, limit=100))]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_on_trial_nobodys_access_changes_and_everybody_is_told_what_would(desk):
    bob = make.member(desk.tenant, person=make.user(email=f"bob@{OURS}"), role=TenantRole.ADMIN)
    ann, known = desk.user("ann", externalId="1"), desk.user("bob", externalId="2")
    before = desk.told()
    desk.set_active(known, False)
    desk.directory.told("DELETE", f"Users/{ann}", status=204)
    assert desk.active() == {"owner": "owner", "bob": "admin"}
    assert desk.told() == before
    with make.arranging():
        told = list(
            ProvisioningCall.objects.filter(tenant=desk.tenant)
            .order_by("called_at")
            .values_list("outcome", "was_trial")
        )
        assert not LinkedIdentity.objects.filter(tenant=desk.tenant).exists()
        assert not LinkProposal.objects.filter(member=bob).exists()
    assert told == [("joined", True), ("waiting", True), ("nothing", True), ("nothing", True)]


def test_enabling_makes_up_for_what_was_sent_and_goes_on(desk):
    desk.user("ann", externalId="1")
    desk.enable()
    desk.user("carl", externalId="3")
    assert desk.active() == {"owner": "owner", "ann": "member", "carl": "member"}
    with make.arranging():
        keys = set(LinkedIdentity.objects.filter(tenant=desk.tenant).values_list("external_id", "user_name", "source"))
    assert keys == {("1", f"ann@{OURS}", "provisioning"), ("3", f"carl@{OURS}", "provisioning")}
    assert desk.told().count("accounts.member.joined") == 2
    desk.enable()
    assert desk.told().count("accounts.provisioning.enabled") == 1


def test_an_address_alone_is_a_proposal_and_its_approval_lets_the_directory_decide(desk):
    make.member(desk.tenant, person=make.user(email=f"bob@{OURS}"), role=TenantRole.MEMBER)
    desk.enable()
    bob = desk.user("bob", externalId="2")
    assert desk.outcome(bob) == ("waiting", "")
    desk.set_active(bob, False)
    assert "bob" in desk.active(), "an address alone ends no membership"
    desk.set_active(bob, True)
    with tenancy.scope(tenant_id=desk.tenant.pk):
        proposal = LinkProposal.objects.get(tenant=desk.tenant)
        identity_links.decide(
            tenant_id=desk.tenant.pk, proposal_ids=[proposal.pk], approve=True, by=make.actor(desk.owner), at=AT
        )
    desk.set_active(bob, False)
    assert "bob" not in desk.active()
    desk.set_active(bob, True)
    assert desk.active()["bob"] == "member"


def test_who_is_put_out_by_people_stays_out(desk):
    desk.enable()
    ann = desk.user("ann", externalId="1")
    with tenancy.scope(tenant_id=desk.tenant.pk):
        members.deactivate(member=desk.member("ann"), by=make.actor(desk.owner), at=timezone.now())
    desk.directory.patch(f"Users/{ann}", {"op": "replace", "path": "displayName", "value": "Ann"})
    assert desk.outcome(ann) == ("nobody", "put_out_here")
    assert "ann" not in desk.active()


def test_deleting_puts_out_and_is_undone_by_people_or_by_sending_again(desk):
    desk.enable()
    ann = desk.user("ann", externalId="1")
    desk.directory.told("DELETE", f"Users/{ann}", status=204)
    assert "ann" not in desk.active()
    with tenancy.scope(tenant_id=desk.tenant.pk):
        switch.restore(tenant_id=desk.tenant.pk, user_id=ann, by=make.actor(desk.owner), at=timezone.now())
    assert desk.active()["ann"] == "member"
    assert desk.directory.told("GET", f"Users/{ann}")["userName"] == f"ann@{OURS}"


def test_a_name_given_to_somebody_else_brings_nobody_back(desk):
    desk.enable()
    ann = desk.user("ann", externalId="1")
    desk.directory.told("DELETE", f"Users/{ann}", status=204)
    desk.user("ann", externalId="2")
    assert "ann" not in desk.active()


def test_what_was_deleted_is_forgotten_after_a_quarter_unless_a_legal_hold_stands(desk):
    ann, bob = desk.user("ann", externalId="1"), desk.user("bob", externalId="2")
    crew = desk.directory.group("Crew", ann, bob)["id"]
    for address in (f"Users/{ann}", f"Groups/{crew}"):
        desk.directory.told("DELETE", address, status=204)
    now = timezone.now()
    with make.arranging():
        hold = holding.place(desk.tenant.pk, at=now)
        assert switch.forget_deleted(at=now + timedelta(days=91)) == 0
        holding.release(hold)
        assert switch.forget_deleted(at=now + timedelta(days=89)) == 0
        assert switch.forget_deleted(at=now + timedelta(days=91)) == 4, "with an address and a membership"
        assert set(ProvisionedUser.objects.values_list("pk", flat=True)) == {UUID(bob)}
        assert not ProvisionedGroup.objects.exists()


def test_the_last_owner_is_not_put_out_and_the_directory_is_told_why(desk):
    desk.enable()
    owner = desk.user("owner", externalId="0")
    with tenancy.scope(tenant_id=desk.tenant.pk):
        by = make.actor(desk.owner)
        proposals = list(LinkProposal.objects.values_list("pk", flat=True))
        identity_links.decide(tenant_id=desk.tenant.pk, proposal_ids=proposals, approve=True, by=by, at=AT)
    told = desk.set_active(owner, False, status=403)
    assert "last" in told["detail"]
    assert desk.active() == {"owner": "owner"}
    assert desk.directory.told("GET", f"Users/{owner}")["active"] is True
    desk.directory.told("DELETE", f"Users/{owner}", status=403)
    with make.arranging():
        refused = ProvisioningCall.objects.filter(tenant=desk.tenant, status=403)
        assert all("last" in call.refusal for call in refused)
        assert refused.count() == 2


def test_a_token_of_an_admin_touches_no_owner(desk):
    desk.enable()
    other = make.member(desk.tenant, person=make.user(email=f"second@{OURS}"), role=TenantRole.OWNER)
    second = desk.user("second", externalId="9")
    with tenancy.scope(tenant_id=desk.tenant.pk):
        proposals = list(LinkProposal.objects.values_list("pk", flat=True))
        identity_links.decide(
            tenant_id=desk.tenant.pk, proposal_ids=proposals, approve=True, by=make.actor(desk.owner), at=AT
        )
    admin = make.member(desk.tenant, TenantRole.ADMIN)
    desk.directory.secret = api.token(admin, "scim")
    assert "owner" in desk.set_active(second, False, status=403)["detail"]
    assert desk.active()["second"] == "owner"
    desk.directory.secret = api.token(other, "scim")
    desk.set_active(second, False)
    assert "second" not in desk.active()


def test_groups_give_roles_and_take_them_back(desk):
    desk.enable()
    ann, carl = desk.user("ann", externalId="1"), desk.user("carl", externalId="3")
    group = desk.directory.group("Leads", ann)["id"]
    assert desk.active()["ann"] == "member"
    desk.give(group, "admin")
    assert desk.active() == {"owner": "owner", "ann": "admin", "carl": "member"}
    desk.directory.patch(f"Groups/{group}", {"op": "replace", "path": "members", "value": [{"value": carl}]})
    assert desk.active() == {"owner": "owner", "ann": "member", "carl": "admin"}
    desk.directory.told("DELETE", f"Groups/{group}", status=204)
    assert desk.active() == {"owner": "owner", "ann": "member", "carl": "member"}


def test_nobody_maps_more_than_they_may_give(desk):
    group = desk.directory.group("Leads")["id"]
    admin = make.actor(make.member(desk.tenant, TenantRole.ADMIN))
    with tenancy.scope(tenant_id=desk.tenant.pk):
        more = {"tenant_id": desk.tenant.pk, "group_id": group, "at": AT}
        with pytest.raises(UnableToSwitch):
            switch.give_role(role="owner", by=admin, **more)
        switch.give_role(role="owner", by=make.actor(desk.owner), **more)
        with pytest.raises(UnableToSwitch):
            switch.give_role(role="", by=admin, **more)


def test_only_a_proven_domain_vouches_for_anybody(desk):
    desk.enable()
    make.user(email=f"known@{OURS}")
    ids = {
        "not_proven": desk.directory.user("x@elsewhere.example")["id"],
        "no_address": desk.directory.user("plain")["id"],
        "elsewhere": desk.user("known"),
    }
    assert {reason: desk.outcome(ident) for reason, ident in ids.items()} == {
        reason: ("nobody", reason) for reason in ids
    }
    assert desk.active() == {"owner": "owner"}


def test_back_on_trial_everybody_stays_as_they_are(desk):
    desk.enable()
    ann = desk.user("ann", externalId="1")
    with tenancy.scope(tenant_id=desk.tenant.pk):
        switch.go_back(tenant_id=desk.tenant.pk, by=make.actor(desk.owner), at=AT)
    desk.set_active(ann, False)
    assert "ann" in desk.active()
    assert desk.outcome(ann) == ("put_out", "")


def test_calls_are_forgotten_after_a_fortnight_and_beyond_the_newest(desk, monkeypatch):
    for name in ("ann", "bob", "carl"):
        desk.user(name)
    monkeypatch.setattr(calls, "MOST_KEPT", 2)
    with make.arranging():
        kept = ProvisioningCall.objects.filter(tenant=desk.tenant)
        newest = list(kept.order_by("-called_at").values_list("pk", flat=True)[:2])
        assert calls.prune(at=timezone.now()) == 1
        assert set(kept.values_list("pk", flat=True)) == set(newest)
        calls.prune(at=timezone.now() + timedelta(days=15))
        assert not kept.exists()


@pytest.fixture
def guarded(desk: Desk) -> tuple[Desk, Member, dict[str, str]]:
    """A desk with a second owner and an admin, both linked, a group that makes owners, and the admin's own token."""
    desk.enable()
    people = {"second": TenantRole.OWNER, "adam": TenantRole.ADMIN}
    made = {
        name: make.member(desk.tenant, role, person=make.user(email=f"{name}@{OURS}")) for name, role in people.items()
    }
    ids = {name: desk.user(name, externalId=name) for name in people}
    with tenancy.scope(tenant_id=desk.tenant.pk):
        proposals = list(LinkProposal.objects.values_list("pk", flat=True))
        identity_links.decide(
            tenant_id=desk.tenant.pk, proposal_ids=proposals, approve=True, by=make.actor(desk.owner), at=AT
        )
    ids |= {"owners": desk.directory.group("Owners", ids["second"])["id"]}
    desk.give(ids["owners"], "owner")
    ids |= {"admins": desk.directory.group("Admins")["id"]}
    desk.give(ids["admins"], "admin")
    desk.directory.secret = api.token(made["adam"], "scim")
    return desk, made["adam"], ids


def settle_everybody(desk: Desk) -> dict[str, str]:
    with tenancy.scope(tenant_id=desk.tenant.pk):
        queue.enqueue(switch.APPLY, tenant_id=desk.tenant.pk, key="all")
    queue.run_pending()
    return desk.active()


@pytest.mark.parametrize("on_trial", [False, True])
def test_nothing_that_an_admin_may_not_say_waits_for_an_owners_job(guarded, on_trial):
    desk, adam, ids = guarded
    before = desk.active()
    if on_trial:
        with tenancy.scope(tenant_id=desk.tenant.pk):
            switch.go_back(tenant_id=desk.tenant.pk, by=make.actor(adam), at=AT)
    patch = desk.directory.patch
    add = {"op": "add", "path": "members", "value": [{"value": ids["adam"]}]}
    assert "owner" in patch(f"Groups/{ids['owners']}", add, status=403)["detail"]
    demote = {"op": "add", "path": "members", "value": [{"value": ids["second"]}]}
    patch(f"Groups/{ids['admins']}", demote, status=403)
    desk.directory.told("DELETE", f"Groups/{ids['owners']}", status=403)
    for key in ({"externalId": "other"}, {"userName": f"new@{OURS}", "externalId": "other"}):
        patch(f"Users/{ids['second']}", {"op": "replace", "value": key}, status=403)
    desk.set_active(ids["second"], False, status=403)
    patch(f"Users/{ids['second']}", {"op": "replace", "path": "displayName", "value": "Second"})
    if on_trial:
        desk.enable()
    assert settle_everybody(desk) == before


def test_an_admin_gives_no_role_to_a_group_with_an_owner_in_it(guarded):
    desk, adam, ids = guarded
    desk.directory.secret = api.token(desk.owner, "scim")
    group = desk.directory.group("Everybody", ids["second"], ids["adam"])["id"]
    desk.directory.told("DELETE", f"Groups/{ids['owners']}", status=204)
    before = desk.active()
    with tenancy.scope(tenant_id=desk.tenant.pk):
        more = {"tenant_id": desk.tenant.pk, "role": "member", "at": AT}
        with pytest.raises(UnableToSwitch, match="owner"):
            switch.give_role(group_id=group, by=make.actor(adam), **more)
    assert before["second"] == "owner"
    assert settle_everybody(desk) == before


def test_whom_the_directory_deleted_comes_back_when_it_sends_them_again(desk):
    desk.enable()
    ann = desk.user("ann", externalId="1")
    desk.directory.told("DELETE", f"Users/{ann}", status=204)
    assert "ann" not in desk.active()
    again = desk.user("ann", externalId="1")
    assert desk.outcome(again) == ("came_back", "")
    assert desk.active()["ann"] == "member"
    with tenancy.scope(tenant_id=desk.tenant.pk):
        members.deactivate(member=desk.member("ann"), by=make.actor(desk.owner), at=timezone.now())
    desk.directory.told("DELETE", f"Users/{again}", status=204)
    assert desk.outcome(desk.user("ann", externalId="1")) == ("nobody", "put_out_here")


def test_a_spelling_that_dns_merely_takes_for_the_domain_makes_nobody_twice(desk):
    make.member(desk.tenant, person=make.user(email=f"bob@{OURS}"))
    desk.enable()
    for number, spelt in enumerate(
        ("hawaiian\u3002example", "\uff48awaiian.example", f"{OURS}\u200b", "hawaiian.\u00adexample")
    ):
        made = desk.directory.user(f"bob@{spelt}", externalId=str(number))
        assert desk.outcome(made["id"])[0] == "nobody", ascii(spelt)
    made = desk.directory.user(f"bo\u0001b@{OURS}")
    assert desk.outcome(made["id"])[0] == "nobody"
    assert desk.active() == {"owner": "owner", "bob": "owner"}


def test_going_back_to_the_trial_stops_a_job_that_is_under_way(desk, monkeypatch):
    desk.enable()
    for name in ("ann", "bob"):
        desk.user(name)
    with make.arranging():
        Member.objects.filter(tenant=desk.tenant, user__email__startswith="ann@").delete()
        LinkedIdentity.objects.filter(tenant=desk.tenant).delete()
        Member.objects.filter(tenant=desk.tenant, user__email__startswith="bob@").delete()
    seen: list[bool] = []
    settle = switch.people.settle

    def first_only(row: Any, **more: Any) -> Any:
        seen.append(more["enabled"])
        if len(seen) == 1:
            Provisioning.objects.filter(tenant=desk.tenant).update(enabled_at=None, enabled_by=None)
        return settle(row, **more)

    monkeypatch.setattr(switch.people, "settle", first_only)
    settle_everybody(desk)
    assert seen == [True, False]
