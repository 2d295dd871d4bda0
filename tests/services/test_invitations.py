"""Invitations on PostgreSQL: who may invite whom, the mail, the link's single use, and who may open it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError

from accounts.models import Invitation, Member, Tenant, User
from accounts.queries import invitations as found
from accounts.services import invitations, members
from accounts.services.invitations import UnableToAccept, UnableToChange, UnableToInvite
from core import ledger, tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.permissions import StaffRole, TenantRole
from tests import make

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EMAIL = "new.person@jetblue.example"


@dataclass
class Desk:
    """One tenant's owner at work."""

    tenant: Tenant
    owner: Member

    @property
    def by(self) -> Actor:
        return make.actor(self.owner)

    def invite(self, email: str = EMAIL, role: str = "member", *, by: Actor | None = None) -> Invitation:
        return invitations.invite(tenant_id=self.tenant.pk, email=email, role=role, by=by or self.by, at=AT)

    def told(self) -> list[str]:
        return [entry.event for entry in reversed(ledger.recent(tenant_id=self.tenant.pk, limit=100))]


@pytest.fixture
def desk(settings) -> Iterator[Desk]:
    settings.PUBLIC_URL = "https://crossing.example"
    tenant = make.tenant("JetBlue")
    owner = make.member(tenant, person=make.user("Olive Owner"))
    with tenancy.scope(tenant_id=tenant.pk):
        yield Desk(tenant, owner)


def newest_link() -> str:
    """Return the secret in the link of the newest mail."""
    match = re.search(r"https://crossing\.example/invitations/([\w-]+)/", str(mail.outbox[-1].body))
    assert match, mail.outbox[-1].body
    return match[1]


def person(email: str = EMAIL, *, verified: bool = True) -> User:
    user = make.user(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    return user


def test_an_invitation_is_mailed_with_a_link_of_which_only_a_digest_is_kept(desk: Desk) -> None:
    invitation = desk.invite(" New.Person@JetBlue.example ", "auditor")
    (sent,) = mail.outbox
    assert sent.to == [EMAIL]
    assert sent.subject == "Your invitation to the move of JetBlue"
    assert "Olive Owner invites you" in sent.body
    assert "as Auditor" in sent.body
    assert "29 November 2026, 12:00 UTC" in sent.body
    token = newest_link()
    assert token not in str(Invitation.objects.values().get())
    assert found.find(token=token) == found.Found(desk.tenant.pk, invitation.pk)
    assert found.find(token=invitation.token_digest) is None
    assert invitation.sent_at == AT


def test_the_ledger_holds_no_address(desk: Desk) -> None:
    desk.invite()
    entry = LedgerEntry.objects.get(event="accounts.invitation.created")
    assert EMAIL not in str(vars(entry))
    assert desk.told() == ["accounts.invitation.created"]


@pytest.mark.parametrize("text", ["", "nobody", "a@b", "x@y.example, z@y.example", "a@b.example\nBcc: c@d.example"])
def test_what_is_no_address_is_refused(desk: Desk, text: str) -> None:
    with pytest.raises(UnableToInvite, match="not an e-mail address"):
        desk.invite(text)
    assert mail.outbox == []


def test_a_name_with_a_line_break_cannot_add_headers(desk: Desk) -> None:
    with make.arranging():
        Tenant.objects.filter(pk=desk.tenant.pk).update(name="Jet\nBcc: x@y.example")
    desk.invite()
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].recipients() == [EMAIL]


def test_a_person_is_invited_once_and_a_member_not_at_all(desk: Desk) -> None:
    desk.invite()
    with pytest.raises(UnableToInvite, match="is invited already"):
        desk.invite(EMAIL.upper())
    with pytest.raises(UnableToInvite, match="is a member already"):
        desk.invite(desk.owner.user.email)


def test_an_account_elsewhere_makes_no_difference_to_who_invites(desk: Desk) -> None:
    person("known@elsewhere.example")
    desk.invite("known@elsewhere.example")
    desk.invite("unknown@elsewhere.example")
    known, unknown = mail.outbox
    link = re.compile(r"https://\S+")
    assert link.sub("", str(known.body)) == link.sub("", str(unknown.body))


@pytest.mark.parametrize(
    ("role", "given", "allowed"),
    [
        (TenantRole.OWNER, "owner", True),
        (TenantRole.ADMIN, "admin", True),
        (TenantRole.ADMIN, "owner", False),
        (TenantRole.OWNER, "king", False),
    ],
)
def test_nobody_gives_more_than_they_hold(desk: Desk, role: TenantRole, given: str, allowed: bool) -> None:
    with tenancy.empty_scope():
        by = make.actor(make.member(desk.tenant, role))
    if allowed:
        assert desk.invite(role=given, by=by).role == given
    else:
        with pytest.raises(UnableToInvite, match="cannot give"):
            desk.invite(role=given, by=by)


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_who_may_not_manage_members_is_refused(desk: Desk, role: TenantRole) -> None:
    invitation = desk.invite()
    with tenancy.empty_scope():
        by = make.actor(make.member(desk.tenant, role))
    for refused in (
        lambda: desk.invite("other@jetblue.example", by=by),
        lambda: invitations.resend(invitation=invitation, by=by, at=AT),
        lambda: invitations.revoke(invitation=invitation, by=by, at=AT),
    ):
        with pytest.raises(PermissionRefused):
            refused()


def test_staff_invites_the_first_owner_only() -> None:
    tenant, cs = make.tenant(), make.staff(StaffRole.CS)
    by = make.staff_actor(cs)

    def invite(email: str, role: str) -> Invitation:
        with tenancy.staff_scope(by=by, reason="invite the first owner"):
            return invitations.invite(tenant_id=tenant.pk, email=email, role=role, by=by, at=AT)

    with pytest.raises(UnableToInvite, match="first owner only"):
        invite("a@jetblue.example", "admin")
    invite("owner@jetblue.example", "owner")
    assert "You are invited to take part" in mail.outbox[0].body, "staff is not named to a stranger"
    make.member(tenant)
    with pytest.raises(UnableToInvite, match="first owner only"):
        invite("second@jetblue.example", "owner")


def test_staff_keeps_no_second_link_for_after_the_first_owner_has_joined() -> None:
    tenant, by = make.tenant(), make.staff_actor(make.staff(StaffRole.CS))

    def invite(email: str) -> Invitation:
        return invitations.invite(tenant_id=tenant.pk, email=email, role="owner", by=by, at=AT)

    with tenancy.scope(tenant_id=tenant.pk):
        first = invite(EMAIL)
        with pytest.raises(UnableToInvite, match="first owner is invited already"):
            invite("accomplice@elsewhere.example")
        invitations.revoke(invitation=first, by=by, at=AT)
        assert invite("right.person@jetblue.example").role == "owner"


@pytest.mark.parametrize("role", [StaffRole.SUPPORT, StaffRole.AUDITOR, StaffRole.STEERING_GROUP])
def test_other_staff_may_not_invite(role: StaffRole) -> None:
    tenant, by = make.tenant(), make.staff_actor(make.staff(role))
    with tenancy.staff_scope(by=by, reason="try"), pytest.raises(PermissionRefused):
        invitations.invite(tenant_id=tenant.pk, email=EMAIL, role="owner", by=by, at=AT)


def test_sending_again_replaces_the_link_and_its_time(desk: Desk) -> None:
    invitation = desk.invite()
    first = newest_link()
    later = AT + timedelta(days=9)
    invitations.resend(invitation=invitation, by=desk.by, at=later)
    second = newest_link()
    assert found.find(token=first) is None
    assert found.find(token=second) is not None
    assert invitation.expires_at == later + timedelta(days=7)
    invitations.require_open(invitation=invitation, at=later)


def test_a_mailbox_is_not_flooded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    invitation = desk.invite()
    with pytest.raises(UnableToChange, match="a moment ago"):
        invitations.resend(invitation=invitation, by=desk.by, at=AT + timedelta(seconds=59))
    invitations.resend(invitation=invitation, by=desk.by, at=AT + timedelta(seconds=60))
    assert len(mail.outbox) == 2
    monkeypatch.setattr(invitations, "MOST_A_DAY", 1)
    invitations.revoke(invitation=invitation, by=desk.by, at=AT)
    with pytest.raises(UnableToInvite, match="within a day"):
        desk.invite("another@jetblue.example")


def test_a_mail_that_cannot_leave_is_seen_and_can_be_sent_again(desk: Desk, settings) -> None:
    settings.EMAIL_BACKEND = "tests.fakes.mail.NoMail"
    invitation = desk.invite()
    assert invitation.sent_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    invitations.resend(invitation=invitation, by=desk.by, at=AT)
    assert invitation.sent_at == AT


def test_a_revoked_invitation_opens_nothing(desk: Desk) -> None:
    invitation = desk.invite()
    invitations.revoke(invitation=invitation, by=desk.by, at=AT)
    invitations.revoke(invitation=invitation, by=desk.by, at=AT)
    invitation.refresh_from_db()
    with pytest.raises(UnableToAccept, match="taken back"):
        invitations.require_open(invitation=invitation, at=AT)
    with pytest.raises(UnableToChange, match="not open"):
        invitations.resend(invitation=invitation, by=desk.by, at=AT + timedelta(hours=1))
    assert desk.told().count("accounts.invitation.revoked") == 1
    desk.invite()


def test_a_new_person_registers_with_a_proven_address(desk: Desk) -> None:
    invitation = desk.invite(role="admin")
    user = invitations.register(invitation=invitation, name=" Nora New ", password=make.PASSWORD, at=AT)
    assert (user.email, user.name) == (EMAIL, "Nora New")
    assert user.check_password(make.PASSWORD)
    assert EmailAddress.objects.get(user=user).verified
    member = Member.objects.get(user=user)
    assert (member.tenant_id, member.role) == (desk.tenant.pk, "admin")
    invitation.refresh_from_db()
    assert (invitation.accepted_at, invitation.accepted_by) == (AT, user.pk)
    assert desk.told()[-1] == "accounts.member.joined"


def test_a_weak_password_changes_nothing(desk: Desk) -> None:
    invitation = desk.invite()
    with pytest.raises(ValidationError, match="too short"):
        invitations.register(invitation=invitation, name="Nora", password="short", at=AT)
    assert not User.objects.filter(email=EMAIL).exists()


def test_a_link_works_once(desk: Desk) -> None:
    invitation = desk.invite()
    stale = Invitation.objects.get(pk=invitation.pk)
    invitations.register(invitation=invitation, name="Nora", password=make.PASSWORD, at=AT)
    with pytest.raises(UnableToAccept, match="an account with this address"):
        invitations.register(invitation=stale, name="Mallory", password=make.PASSWORD, at=AT)
    user = User.objects.get(email=EMAIL)
    with pytest.raises(UnableToAccept, match="has been used"):
        invitations.join(invitation=stale, user=user, at=AT)
    stale.refresh_from_db()
    with pytest.raises(UnableToAccept, match="has been used"):
        invitations.require_open(invitation=stale, at=AT)
    assert user.name == "Nora"


def test_a_link_read_before_it_was_replaced_is_refused(desk: Desk) -> None:
    invitation = desk.invite()
    stale, later = Invitation.objects.get(pk=invitation.pk), AT + timedelta(hours=1)
    invitations.resend(invitation=invitation, by=desk.by, at=later)
    with pytest.raises(UnableToAccept):
        invitations.join(invitation=stale, user=person(), at=later)


def test_an_expired_link_says_what_to_do(desk: Desk) -> None:
    invitation = desk.invite()
    with pytest.raises(UnableToAccept, match="has expired") as refusal:
        invitations.join(invitation=invitation, user=person(), at=AT + timedelta(days=7))
    assert "send it again" in refusal.value.fix


def test_an_account_joins_with_the_invited_address_only(desk: Desk) -> None:
    invitation = desk.invite(role="auditor")
    with pytest.raises(UnableToAccept, match=r"sent to n…@jetblue.example") as refusal:
        invitations.join(invitation=invitation, user=person("mallory@jetblue.example"), at=AT)
    assert EMAIL not in refusal.value.message
    member = invitations.join(invitation=invitation, user=person(), at=AT)
    assert member.role == "auditor"


def test_an_address_nobody_confirmed_joins_nothing(desk: Desk) -> None:
    invitation = desk.invite()
    with pytest.raises(UnableToAccept, match="another address"):
        invitations.join(invitation=invitation, user=person(verified=False), at=AT)


def test_a_former_member_comes_back_with_the_new_role(desk: Desk) -> None:
    user = person()
    with tenancy.empty_scope():
        member = make.member(desk.tenant, TenantRole.ADMIN, person=user)
    members.deactivate(member=member, by=desk.by, at=AT)
    invitations.join(invitation=desk.invite(role="auditor"), user=user, at=AT + timedelta(days=1))
    member.refresh_from_db()
    assert (member.role, member.deactivated_at, member.deactivated_by) == ("auditor", None, None)
