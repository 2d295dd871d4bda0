"""A lost second factor: who may reset whose, what ends with it, and that nobody does it unseen."""

from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Member, User
from accounts.services import second_factors
from accounts.services.second_factors import UnableToReset
from core import ledger, tenancy
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.permissions import StaffRole, TenantRole
from tests import make

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def protect(person: User) -> None:
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=person, type=kind, data={})


def is_protected(person: User) -> bool:
    return bool(Authenticator.objects.filter(user=person).exists())


def colleagues(whose: str, by: str) -> tuple[Member, Member]:
    tenant = make.tenant()
    found = make.member(tenant, whose), make.member(tenant, by)
    protect(found[0].user)
    return found


def reset(member: Member, *, by: Member) -> None:
    with tenancy.scope(tenant_id=by.tenant_id):
        second_factors.reset(member=member, by=make.actor(by), at=AT)


@pytest.mark.parametrize(
    ("whose", "by"), [("owner", "owner"), ("admin", "owner"), ("member", "owner"), ("member", "admin")]
)
def test_it_is_taken_away_recorded_and_told_and_every_session_ends(whose: str, by: str) -> None:
    member, helper = colleagues(whose, by)
    browser, other = Client(), Client()
    browser.force_login(member.user)
    other.force_login(helper.user)
    for client in (browser, other):
        assert client.get(reverse("usersessions_list")).status_code == 200
    reset(member, by=helper)
    assert not is_protected(member.user)
    assert browser.get(reverse("usersessions_list")).status_code == 302
    assert other.get(reverse("usersessions_list")).status_code == 200
    with tenancy.scope(tenant_id=member.tenant_id):
        (entry,) = ledger.recent(tenant_id=member.tenant_id)
    assert entry.text == "reset a member's second factor"
    (told,) = mail.outbox
    assert told.to == [member.user.email]
    assert str(helper.user) in told.body
    assert "signed out everywhere" in told.body


def test_an_admin_never_resets_an_owners() -> None:
    member, helper = colleagues("owner", "admin")
    with pytest.raises(UnableToReset, match="Your role cannot"):
        reset(member, by=helper)
    assert is_protected(member.user)


@pytest.mark.parametrize("by", ["auditor", "member"])
def test_others_may_not(by: str) -> None:
    member, helper = colleagues("member", by)
    with pytest.raises(PermissionRefused):
        reset(member, by=helper)
    assert is_protected(member.user)


def test_nobody_resets_their_own() -> None:
    owner = make.member(make.tenant())
    protect(owner.user)
    with pytest.raises(UnableToReset, match="your own"):
        reset(owner, by=owner)
    assert is_protected(owner.user)


def test_a_factor_that_guards_more_than_this_account_is_not_this_accounts_to_take() -> None:
    member, helper = colleagues("member", "owner")
    make.member(make.tenant(), TenantRole.OWNER, person=member.user)
    with pytest.raises(UnableToReset, match="cannot be reset from here") as refused:
        reset(member, by=helper)
    assert "account" not in refused.value.message, "that they belong to another is not told"
    assert is_protected(member.user)


def test_nor_is_that_of_staff_or_of_somebody_who_has_left() -> None:
    staff, helper = colleagues("member", "owner")
    User.objects.filter(pk=staff.user_id).update(is_staff=True)
    staff.user.refresh_from_db()
    left = make.member(helper.tenant, "member")
    protect(left.user)
    with make.arranging():
        Member.objects.filter(pk=left.pk).update(deactivated_at=AT, deactivated_by=helper.user_id)
        left.refresh_from_db()
    for member in (staff, left):
        with pytest.raises(UnableToReset, match="cannot be reset from here"):
            reset(member, by=helper)
        assert is_protected(member.user)


def test_without_one_there_is_nothing_to_reset() -> None:
    tenant = make.tenant()
    member, owner = make.member(tenant, "member"), make.member(tenant)
    with pytest.raises(UnableToReset, match="has no second factor"):
        reset(member, by=owner)
    assert mail.outbox == []


def test_an_owner_does_it_on_the_members_page() -> None:
    member, owner = colleagues("admin", "owner")
    browser = Client()
    browser.force_login(owner.user)
    page = reverse("accounts:members", args=[owner.tenant.slug])
    address = reverse("accounts:reset_second_factor", args=[owner.tenant.slug, member.pk])
    assert address in browser.get(page).content.decode()
    assert browser.post(address).url == page
    assert address not in browser.get(page).content.decode()
    again = browser.post(address)
    assert again.status_code == 422
    assert "This person has no second factor." in again.content.decode()


def in_the_admin(person: User, *roles: StaffRole) -> Any:
    browser = Client()
    browser.force_login(make.staff(*roles))
    return browser.post(reverse("admin:accounts_user_reset_second_factor", args=[person.pk]), follow=True)


def test_the_programme_manager_does_it_for_staff_and_it_stands_in_the_programmes_ledger() -> None:
    person = make.staff(StaffRole.CS)
    protect(person)
    assert in_the_admin(person, StaffRole.CS_LEAD).status_code == 403
    assert is_protected(person)
    assert "is reset" in in_the_admin(person, StaffRole.PROGRAMME_MANAGER).content.decode()
    assert not is_protected(person)
    with make.arranging():
        assert LedgerEntry.objects.get(event=second_factors.EVENT).chain == ledger.PROGRAMME


def test_what_the_vendor_resets_stands_in_the_ledger_of_each_account() -> None:
    owners = [make.member(make.tenant())]
    person = owners[0].user
    owners.append(make.member(make.tenant(), person=person))
    protect(person)
    assert "is reset" in in_the_admin(person, StaffRole.PROGRAMME_MANAGER).content.decode()
    with make.arranging():
        chains = set(LedgerEntry.objects.filter(event=second_factors.EVENT).values_list("chain", flat=True))
    assert chains == {owner.tenant_id for owner in owners}
    assert "Our staff reset" in mail.outbox[0].body


def test_the_programme_manager_does_not_do_it_for_themselves() -> None:
    person = make.staff(StaffRole.PROGRAMME_MANAGER)
    protect(person)
    with make.arranging(), pytest.raises(UnableToReset, match="your own"):
        second_factors.reset_for(user=person, by=make.staff_actor(person), at=AT)
    assert is_protected(person)
