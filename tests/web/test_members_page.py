"""The members page as a customer meets it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation, Member, Tenant
from core.permissions import TenantRole
from tests import make

pytestmark = pytest.mark.django_db


@dataclass
class Browser:
    """A signed-in member's browser."""

    client: Client
    tenant: Tenant
    member: Member

    def get(self):
        return self.client.get(reverse("accounts:members", args=[self.tenant.slug]))

    def invite(self, email: str, role: str = "member"):
        url = reverse("accounts:invite", args=[self.tenant.slug])
        return self.client.post(url, {"email": email, "role": role}, follow=True)

    def act(self, what: str, row: Member | Invitation, **data: str):
        return self.client.post(reverse(f"accounts:{what}", args=[self.tenant.slug, row.pk]), data, follow=True)


@pytest.fixture
def open_as() -> Callable[..., Browser]:
    def browse(role: TenantRole = TenantRole.OWNER, tenant: Tenant | None = None) -> Browser:
        tenant = tenant or make.tenant("JetBlue")
        member = make.member(tenant, role)
        client = Client()
        client.force_login(member.user)
        return Browser(client, tenant, member)

    return browse


def only_invitation() -> Invitation:
    with make.arranging():
        return Invitation.objects.get()


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_an_invitation_is_sent_listed_sent_again_and_revoked(open_as):
    browser = open_as()
    page = text(browser.invite("nora@jetblue.example", "auditor"))
    assert "The invitation was sent to nora@jetblue.example." in page
    assert "Open invitations" in page
    assert len(mail.outbox) == 1
    assert "The invitation was sent a moment ago." in text(browser.act("resend_invitation", only_invitation()))
    with make.arranging():
        Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    browser.act("resend_invitation", only_invitation())
    assert len(mail.outbox) == 2
    assert "Open invitations" not in text(browser.act("revoke_invitation", only_invitation()))


def test_a_mail_that_could_not_be_sent_is_said(open_as, settings):
    settings.EMAIL_BACKEND = "tests.fakes.mail.NoMail"
    page = text(open_as().invite("nora@jetblue.example"))
    assert "the mail could not be sent. Send it again in a few minutes." in page
    assert "Not sent" in page


@pytest.mark.parametrize(
    ("email", "role", "words"),
    [
        ("nobody", "member", "That is not an e-mail address."),
        ("nora@jetblue.example", "owner", "Your role cannot give the role “owner”."),
        ("nora@jetblue.example", "", "cannot give"),
    ],
)
def test_a_refused_invitation_says_why_and_keeps_what_was_typed(open_as, email, role, words):
    response = open_as(TenantRole.ADMIN).invite(email, role)
    assert response.status_code == 422
    assert words in text(response)
    assert f'value="{email}"' in text(response)
    crumbs = text(response).split('<ol class="crumbs">')[1].split("</ol>")[0]
    assert (crumbs.count("<li>"), crumbs.count("Members")) == (2, 1)


def test_a_second_invitation_points_to_the_first(open_as):
    browser = open_as()
    browser.invite("nora@jetblue.example")
    response = browser.invite("Nora@jetblue.example")
    assert "nora@jetblue.example is invited already." in text(response)
    assert "Send the invitation again instead." in text(response)


def test_a_role_is_changed_and_a_member_deactivated(open_as):
    browser = open_as()
    other = make.member(browser.tenant, TenantRole.MEMBER)
    browser.act("change_role", other, role="auditor")
    with make.arranging():
        assert Member.objects.get(pk=other.pk).role == "auditor"
    page = text(browser.act("deactivate", other))
    assert other.user.email not in page


def test_the_last_owner_cannot_go(open_as):
    browser = open_as()
    for response in (
        browser.act("change_role", browser.member, role="member"),
        browser.act("deactivate", browser.member),
    ):
        assert response.status_code == 422
        assert "An account must keep an owner, and this is the last." in text(response)
        assert "Make another member an owner first." in text(response)


def test_an_admin_sees_no_controls_for_owners(open_as):
    owner = open_as()
    admin = open_as(TenantRole.ADMIN, owner.tenant)
    page = text(admin.get())
    assert reverse("accounts:deactivate", args=[owner.tenant.slug, owner.member.pk]) not in page
    assert 'id="invite-owner"' not in page
    response = admin.act("deactivate", owner.member)
    assert (response.status_code, "Your role cannot deactivate this member." in text(response)) == (422, True)


def test_an_auditor_reads_and_a_member_does_not(open_as):
    owner = open_as()
    owner.invite("nora@jetblue.example")
    page = text(open_as(TenantRole.AUDITOR, owner.tenant).get())
    assert owner.member.user.email in page
    assert "nora@jetblue.example" not in page, "who is invited is for those who invite"
    assert "<select" not in page
    assert open_as(TenantRole.MEMBER, owner.tenant).get().status_code == 403


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_who_may_not_manage_members_is_refused(open_as, role):
    owner = open_as()
    owner.invite("nora@jetblue.example")
    browser = open_as(role, owner.tenant)
    assert browser.invite("other@jetblue.example").status_code == 403
    assert browser.act("change_role", owner.member, role="member").status_code == 403
    assert browser.act("deactivate", owner.member).status_code == 403
    assert browser.act("resend_invitation", only_invitation()).status_code == 403
    assert browser.act("revoke_invitation", only_invitation()).status_code == 403


def test_another_tenants_people_do_not_exist(open_as):
    first, second = open_as(), open_as(tenant=make.tenant())
    first.invite("nora@jetblue.example")
    assert second.act("deactivate", first.member).status_code == 404
    assert second.act("change_role", first.member, role="member").status_code == 404
    assert second.act("revoke_invitation", only_invitation()).status_code == 404
    second.tenant = first.tenant
    assert second.get().status_code == 404


def test_the_page_costs_the_same_with_many_members(open_as):
    browser = open_as()
    browser.get()
    with CaptureQueriesContext(connection) as one:
        browser.get()
    for _ in range(60):
        make.member(browser.tenant, TenantRole.MEMBER)
    with CaptureQueriesContext(connection) as many:
        assert "61 members" in text(browser.get())
    assert len(many) == len(one)
