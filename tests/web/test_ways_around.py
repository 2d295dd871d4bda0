"""Ways around a company's own sign-in, each tried as somebody would who may not come in any more."""

import re
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Member
from accounts.queries import enforcement as known
from accounts.services import invitations
from core import tenancy
from core.models import Token
from core.permissions import TenantRole
from tests import enforcing, make
from tests.enforcing import Company
from tests.web.test_matrix import TENANT

pytestmark = pytest.mark.django_db
NEW = "some quite other long words"


@pytest.fixture
def company() -> Iterator[Company]:
    found = enforcing.company(password=make.PASSWORD)
    with tenancy.scope(tenant_id=found.tenant_id):
        enforcing.prepare(found)
    for owner in found.owners:
        EmailAddress.objects.create(user=owner.user, email=owner.user.email, verified=True, primary=True)
    return found


def enforce(company: Company) -> None:
    with tenancy.scope(tenant_id=company.tenant_id):
        enforcing.enforce(company)


def sign_in(client: Client, email: str, password: str) -> int:
    return client.post(reverse("account_login"), {"login": email, "password": password}).status_code


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_new_password_by_mail_signs_nobody_in(client: Client, company: Company) -> None:
    enforce(company)
    email = company.owners[0].user.email
    client.post(reverse("account_reset_password"), {"email": email})
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link
    form = client.get(link[1], follow=True)
    where = form.redirect_chain[-1][0]
    client.post(where, {"password1": NEW, "password2": NEW})
    assert not is_signed_in(client)
    assert sign_in(client, email, NEW) == 403
    assert not is_signed_in(client)


@pytest.mark.parametrize("name", ["account_request_login_code", "account_signup_by_passkey", "mfa_signup_webauthn"])
def test_there_is_no_way_in_by_a_mailed_code_or_by_oneself(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.slow
def test_a_session_from_before_opens_no_page_and_does_nothing(client: Client, company: Company) -> None:
    assert sign_in(client, company.owners[0].user.email, make.PASSWORD) == 302
    enforce(company)
    where = {"slug": company.tenant.slug}
    for row in (row for row in TENANT if not row.ids):
        for method in ("get", "post"):
            if getattr(row, method) is not None:
                for headers in ({}, {"HX-Request": "true"}):
                    answer = getattr(client, method)(reverse(row.name, kwargs=where), headers=headers)
                    assert (row.name, answer.status_code) == (row.name, 403)
                    assert "Sign in with your company" in answer.content.decode()
    with make.arranging():
        assert not Token.objects.filter(tenant=company.tenant).exists()


def test_who_accepts_an_invitation_by_a_password_is_led_to_the_company(client: Client, company: Company) -> None:
    enforce(company)
    with tenancy.scope(tenant_id=company.tenant_id):
        invitations.invite(
            tenant_id=company.tenant_id, email="nora@airline.example", role="member", by=company.by, at=timezone.now()
        )
    link = re.search(r"https?://[^/]+(/invitations/\S+)", str(mail.outbox[-1].body))
    assert link
    joined = client.post(link[1], {"name": "Nora", "password": NEW})
    assert joined.status_code == 403
    assert "Sign in with your company" in joined.content.decode()
    assert not is_signed_in(client)
    with make.arranging():
        assert Member.objects.filter(tenant=company.tenant, user__email="nora@airline.example").exists()


def test_a_membership_elsewhere_opens_only_what_is_there(client: Client, company: Company) -> None:
    """Nor does a company that somebody made up themselves, whose sign-in vouches for them there."""
    enforce(company)
    user = company.owners[0].user
    other = make.member(make.tenant(), TenantRole.OWNER, person=user)
    assert sign_in(client, user.email, make.PASSWORD) == 302
    assert client.get(reverse("dashboard:overview", args=[other.tenant.slug])).status_code == 200
    assert client.get(reverse("dashboard:overview", args=[company.tenant.slug])).status_code == 403
    assert client.post(reverse("accounts:end_enforcement", args=[company.tenant.slug])).status_code == 403
    with tenancy.scope(tenant_id=company.tenant_id):
        assert known.current(tenant_id=company.tenant_id, at=timezone.now()) is not None


def test_a_recovery_code_opens_its_own_account_alone(client: Client, company: Company) -> None:
    enforce(company)
    second = enforcing.company(domain="second.example")
    with tenancy.scope(tenant_id=second.tenant_id):
        enforcing.prepare(second)
        enforcing.enforce(second)
    user = company.owners[0].user
    make.member(second.tenant, TenantRole.OWNER, person=user)
    where = reverse("recovery:recover")
    assert client.post(where, {"email": user.email, "code": second.codes[0][0]}).status_code == 403
    assert client.post(where, {"email": user.email, "code": company.codes[0][0]}).status_code == 302
    assert client.get(reverse("dashboard:overview", args=[company.tenant.slug])).status_code == 200
    assert client.get(reverse("dashboard:overview", args=[second.tenant.slug])).status_code == 403


def test_the_vendors_people_are_no_members_by_their_office(client: Client, company: Company) -> None:
    enforce(company)
    client.force_login(make.staff("sre_lead", "identity_billing_lead", "programme_manager"))
    for name in ("dashboard:overview", "accounts:enforcement", "accounts:lockouts_csv"):
        assert client.get(reverse(name, args=[company.tenant.slug])).status_code == 404
