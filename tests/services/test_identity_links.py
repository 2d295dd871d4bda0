"""Links between a directory's people and members: who may decide, all or nothing, and the way back."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.domain.directory import Key
from accounts.domain.signing_in import Reason
from accounts.models import LinkedIdentity, LinkProposal, Member, StandingRule
from accounts.queries import identities
from accounts.services import identity_links
from accounts.services.identity_links import UnableToDecide, UnableToRule
from comms import subscribers
from comms.models import Mailing
from core import tenancy
from core.errors import NotFound, PermissionRefused
from core.models import LedgerEntry
from core.permissions import TenantRole
from tests import make, sso

pytestmark = pytest.mark.django_db
AT = timezone.now()


@pytest.fixture
def tenant():
    made = make.tenant("JetBlue")
    with tenancy.scope(tenant_id=made.pk):
        yield made


def people(tenant, role: str, count: int = 1) -> list[Member]:
    return [make.member(tenant, role) for _ in range(count)]


def proposal(member: Member, key: Key) -> LinkProposal:
    return LinkProposal.objects.create(
        tenant_id=member.tenant_id, member=member, external_id=key.external_id, user_name=key.user_name,
        reason="to_be_approved", proposed_at=AT + timedelta(seconds=LinkProposal.objects.count()),
    )  # fmt: skip


def decide(by: Member, *proposals: LinkProposal, approve: bool = True) -> int:
    ids = [each.pk for each in proposals]
    return identity_links.decide(tenant_id=by.tenant_id, proposal_ids=ids, approve=approve, by=make.actor(by), at=AT)


def events() -> list[str]:
    return [entry.event for entry in LedgerEntry.objects.filter(event__startswith="accounts.identity").order_by("seq")]


def test_many_links_are_approved_at_once_and_once_only(tenant):
    (owner,), members = people(tenant, "owner"), people(tenant, "member", 3)
    waiting = [proposal(member, Key(user_name=f"p{n}")) for n, member in enumerate(members)]
    assert (decide(owner, *waiting), decide(owner, *waiting)) == (3, 0)
    assert set(LinkedIdentity.objects.values_list("member_id", "user_name", "source")) == {
        (member.pk, f"p{n}", "approval") for n, member in enumerate(members)
    }
    assert sorted(events()) == ["accounts.identity.approved"] * 3 + ["accounts.identity.linked"] * 3


def test_lists_of_links_keep_their_order_where_many_came_in_one_moment(tenant):
    waiting = [proposal(member, Key(user_name=f"p{n}")).pk for n, member in enumerate(people(tenant, "member", 20))]
    LinkProposal.objects.filter(tenant=tenant).update(proposed_at=AT)
    assert list(identities.waiting(tenant_id=tenant.pk).values_list("pk", flat=True)) == sorted(waiting)
    rejected = {"decided_at": AT, "decided_by": tenant.pk, "is_approved": False}
    LinkProposal.objects.filter(tenant=tenant).update(**rejected)
    assert list(identities.rejected(tenant_id=tenant.pk).values_list("pk", flat=True)) == sorted(waiting)


def test_an_admin_links_no_owner_and_then_nobody_of_the_lot(tenant):
    (owner,), (admin,), (member,) = people(tenant, "owner"), people(tenant, "admin"), people(tenant, "member")
    lot = [proposal(member, Key(user_name="m")), proposal(owner, Key(user_name="o"))]
    with pytest.raises(UnableToDecide, match="only an owner"):
        decide(admin, *lot)
    assert (LinkedIdentity.objects.count(), events()) == (0, [])
    assert decide(admin, lot[0]) == 1
    sso.linked(owner, make.actor(owner), name="o")
    with pytest.raises(UnableToDecide):
        identity_links.unlink(
            tenant_id=tenant.pk, identity_id=LinkedIdentity.objects.get(member=owner).pk, by=make.actor(admin), at=AT
        )


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_nobody_else_decides(tenant, role):
    (other,), (member,) = people(tenant, role), people(tenant, "member")
    with pytest.raises(PermissionRefused):
        decide(other, proposal(member, Key(user_name="m")))


def test_a_rejection_is_taken_back_and_a_link_undone(tenant):
    (owner,), (member,) = people(tenant, "owner"), people(tenant, "member")
    by, waiting = make.actor(owner), proposal(member, Key("7", "m"))
    decide(owner, waiting, approve=False)
    for _ in range(2):
        identity_links.reopen(tenant_id=tenant.pk, proposal_id=waiting.pk, by=by, at=AT)
    assert decide(owner, waiting) == 1
    identity = LinkedIdentity.objects.get()
    assert (identity.external_id, identity.user_name) == ("7", "m")
    identity_links.unlink(tenant_id=tenant.pk, identity_id=identity.pk, by=by, at=AT)
    assert not LinkedIdentity.objects.exists()
    assert not LinkProposal.objects.exists(), "the next sign-in proposes anew"
    with pytest.raises(NotFound):
        identity_links.unlink(tenant_id=tenant.pk, identity_id=identity.pk, by=by, at=AT)
    assert events() == [
        f"accounts.identity.{what}" for what in ("rejected", "reopened", "approved", "linked", "unlinked")
    ]


def test_who_could_not_approve_a_link_lets_it_wait_again_neither(tenant):
    """Where a standing rule counts, the next sign-in would be let in by it, as the owner."""
    (owner,), (admin,) = people(tenant, "owner"), people(tenant, "admin")
    refused = proposal(owner, Key("7", "mallory"))
    decide(owner, refused, approve=False)
    with pytest.raises(UnableToDecide):
        identity_links.reopen(tenant_id=tenant.pk, proposal_id=refused.pk, by=make.actor(admin), at=AT)
    assert list(identities.rejected(tenant_id=tenant.pk)) == [refused]
    identity_links.reopen(tenant_id=tenant.pk, proposal_id=refused.pk, by=make.actor(owner), at=AT)
    assert not identities.rejected(tenant_id=tenant.pk)


def test_a_rejection_holds_for_the_person_under_whatever_name(tenant):
    (owner,), (member,) = people(tenant, "owner"), people(tenant, "member")
    decide(owner, proposal(member, Key("7", "mallory")), approve=False)

    def is_rejected(*key: str) -> bool:
        found = identities.facts(tenant_id=tenant.pk, is_accepted=True, key=Key(*key), addresses=())
        return found.rejected == {member.pk}

    assert [is_rejected(*key) for key in (("7", "renamed"), ("7", ""), ("", "mallory"))] == [True, True, True]
    assert [is_rejected(*key) for key in (("8", "mallory"), ("", "somebody"), ())] == [False, False, False]


def test_who_was_unlinked_waits_where_it_is_seen_although_the_name_was_approved_without_an_id(tenant):
    (owner,), (member,) = people(tenant, "owner"), people(tenant, "member")
    by, named = make.actor(owner), Key("", "m")
    decide(owner, proposal(member, named))
    with transaction.atomic():
        identity_links.complete(tenant_id=tenant.pk, key=Key("7", "m"), by=by, at=AT)
    identity_links.unlink(tenant_id=tenant.pk, identity_id=LinkedIdentity.objects.get().pk, by=by, at=AT)
    for _ in range(2):
        with transaction.atomic():
            identity_links.propose(
                member_id=member.pk, reason=Reason.TO_BE_APPROVED, tenant_id=tenant.pk, key=named, by=by, at=AT
            )
        assert identities.waiting(tenant_id=tenant.pk).count() == 1
    assert events().count("accounts.identity.proposed") == 1


def test_a_name_given_to_a_new_person_stays_with_the_first_and_the_id_counts(tenant):
    (owner,), (first, second) = people(tenant, "owner"), people(tenant, "member", 2)
    decide(owner, proposal(first, Key("old", "jsmith")))
    decide(owner, proposal(second, Key("new", "jsmith")))
    assert {(row.member_id, row.external_id, row.user_name) for row in LinkedIdentity.objects.all()} == {
        (first.pk, "old", "jsmith"), (second.pk, "new", ""),
    }  # fmt: skip


def test_who_is_known_by_name_alone_is_noted_under_their_id_once_it_is_said(tenant):
    (owner,), (member,) = people(tenant, "owner"), people(tenant, "member")
    by = make.actor(owner)
    sso.linked(member, by, name="m")
    with transaction.atomic():
        for key in (Key("", "m"), Key("7", "m"), Key("8", "m")):
            identity_links.complete(tenant_id=tenant.pk, key=key, by=by, at=AT)
    assert LinkedIdentity.objects.get().external_id == "7"


def test_a_rule_stands_for_a_proven_domain_by_an_owners_word(tenant):
    (owner,), (admin,) = people(tenant, "owner"), people(tenant, "admin")
    by = make.actor(owner)
    made = {"tenant_id": tenant.pk, "domain": "airline.example", "at": AT}
    with pytest.raises(UnableToRule, match="not proven"):
        identity_links.make_rule(**made, kind="link", by=by)
    sso.prove(tenant.pk, "airline.example", by)
    with pytest.raises(UnableToRule, match="no such rule"):
        identity_links.make_rule(**made, kind="x", by=by)
    with pytest.raises(UnableToRule, match="owners too"):
        identity_links.make_rule(**made, kind="link", by=make.actor(admin))
    rule = identity_links.make_rule(**made, kind="link", by=by)
    assert identity_links.make_rule(**made, kind="link", by=by) == rule
    for _ in range(2):
        identity_links.end_rule(tenant_id=tenant.pk, rule_id=rule.pk, by=by, at=AT)
    assert StandingRule.objects.get().ended_at == AT
    assert events() == ["accounts.identity.rule_made", "accounts.identity.rule_ended"]


def test_the_deciders_hear_of_the_first_who_waits_and_once_a_day_of_those_behind(tenant):
    (owner,), members = people(tenant, "owner"), people(tenant, "member", 5)

    def heard(*proposals: LinkProposal, at: datetime = AT) -> list[str]:
        for each in proposals:
            subscribers.ask_to_approve_link(tenant_id=tenant.pk, proposal_id=str(each.pk), at=at)
        said = Mailing.objects.filter(template="sso.links_wait", audience="deciders")
        return sorted(said.values_list("occasion", flat=True))

    day = f"{AT:%Y%m%d}"
    first, second, third = (proposal(member, Key(str(n), "")) for n, member in enumerate(members[:3]))
    assert heard(first, first) == [str(first.pk)]
    assert heard(second, third) == sorted([str(first.pk), day])
    decide(owner, first, second, third)
    assert heard(first, second) == sorted([str(first.pk), day])  # nobody waits any more
    fourth = proposal(members[3], Key("4", ""))
    assert heard(fourth) == sorted([str(first.pk), day, str(fourth.pk)])
