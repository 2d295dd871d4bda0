"""What an invitation's link shows to each person who may hold it, and when it opens nothing."""

import io
import logging
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation, Member, Tenant, User
from accounts.services import invitations
from core import tenancy
from tests import make

pytestmark = pytest.mark.django_db
EMAIL = "nora@jetblue.example"


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant("JetBlue", slug="jetblue")


@pytest.fixture
def link(tenant: Tenant) -> str:
    """Invite Nora and return the path of the link in her mail."""
    by = make.actor(make.member(tenant))
    with tenancy.scope(tenant_id=tenant.pk):
        invitations.invite(tenant_id=tenant.pk, email=EMAIL, role="admin", by=by, at=timezone.now())
    match = re.search(r"https?://[^/]+(/invitations/\S+)", str(mail.outbox[-1].body))
    assert match
    return match[1]


def signed_in(email: str) -> Client:
    user = make.user("Nora", email=email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    client = Client()
    client.force_login(user)
    return client


def text(response) -> str:
    return " ".join(response.content.decode().split())


def member_of(tenant: Tenant, email: str = EMAIL) -> Member | None:
    with make.arranging():
        return Member.objects.filter(tenant=tenant, user__email=email).first()


def test_a_new_person_makes_an_account_and_is_signed_in(client, tenant, link):
    page = client.get(link)
    assert "Join the move of JetBlue" in text(page)
    assert "no-store" in page["Cache-Control"]
    response = client.post(link, {"name": "Nora New", "password": make.PASSWORD})
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/", follow=True).context["user"].email == EMAIL
    joined = member_of(tenant)
    assert joined is not None
    assert joined.role == "admin"


def test_reading_the_link_does_not_use_it_up(client, tenant, link):
    for _ in range(3):
        assert client.get(link).status_code == 200
    assert client.head(link).status_code == 200
    assert member_of(tenant) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "", "password": make.PASSWORD}, "Your name: This field is required."),
        ({"name": "Nora", "password": "short"}, "This password is too short. It must contain at least 12 characters."),
        ({"name": "Nora", "password": "password1234"}, "This password is too common."),
        ({"name": "Nora", "password": "nora@jetblue.example"}, "too similar to the e-mail address"),
    ],
)
def test_what_is_missing_or_weak_is_said_at_the_field(client, tenant, link, given, words):
    response = client.post(link, given)
    assert response.status_code == 422
    assert words in text(response)
    assert make.PASSWORD not in text(response)
    assert not User.objects.filter(email=EMAIL).exists()


def test_an_expired_link(client, tenant, link):
    with make.arranging():
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = client.get(link)
    assert response.status_code == 410
    assert "This invitation has expired." in text(response)
    assert "Ask whoever invited you to send it again." in text(response)
    assert client.post(link, {"name": "Nora", "password": make.PASSWORD}).status_code == 410


def test_a_used_link(client, tenant, link):
    client.post(link, {"name": "Nora", "password": make.PASSWORD})
    response = Client().get(link)
    assert response.status_code == 410
    assert "This invitation has been used." in text(response)
    assert "Sign in with the address it was sent to." in text(response)


def test_a_revoked_link(client, tenant, link):
    with make.arranging():
        Invitation.objects.update(revoked_at=timezone.now(), revoked_by=tenant.pk)
    response = client.get(link)
    assert response.status_code == 410
    assert "This invitation was taken back." in text(response)


def test_a_link_nobody_sent(client):
    response = client.get(reverse("invitations:open", args=["nothing"]))
    assert response.status_code == 404
    assert "This link opens nothing." in text(response)


def test_a_known_person_is_asked_to_sign_in_first(client, tenant, link):
    make.user(email=EMAIL)
    page = text(client.get(link))
    assert "There is an account with this address. Sign in to accept." in page
    assert f"{reverse('account_login')}?next={link}" in page
    client.post(link, {"name": "Mallory", "password": make.PASSWORD})
    assert member_of(tenant) is None, "the link alone is not a password"


def test_the_invited_joins_with_their_account_and_a_fresh_session(tenant, link):
    client = signed_in(EMAIL)
    assert "Join JetBlue" in text(client.get(link))
    before = client.session.session_key
    response = client.post(f"{link}join/")
    assert (response.status_code, response.url) == (302, "/")
    assert client.session.session_key != before
    assert member_of(tenant) is not None


def test_a_second_address_that_somebody_owns_counts_as_theirs(tenant, link):
    client = signed_in("nora@home.example")
    user = User.objects.get(email="nora@home.example")
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=False)
    assert "There is an account with this address. Sign in to accept." in text(Client().get(link))
    assert "Join JetBlue" in text(client.get(link))
    client.post(f"{link}join/")
    assert member_of(tenant, "nora@home.example") is not None


def test_another_person_is_told_so_without_the_address(tenant, link):
    client = signed_in("mallory@jetblue.example")
    response = client.get(link)
    assert response.status_code == 403
    assert "It was sent to n…@jetblue.example, and you are signed in as mallory@jetblue.example." in text(response)
    assert EMAIL not in text(response)
    refused = client.post(f"{link}join/")
    assert refused.status_code == 422
    assert "Sign out, then open the link again." in text(refused)
    assert client.post(link, {"name": "Mallory", "password": make.PASSWORD}).status_code == 403
    assert member_of(tenant, "mallory@jetblue.example") is None


def test_signing_out_leads_back_to_the_link(tenant, link):
    client = signed_in("mallory@jetblue.example")
    response = client.post(reverse("account_logout"), {"next": link})
    assert (response.status_code, response.url) == (302, link)


def test_joining_needs_a_sign_in(client, link):
    response = client.post(f"{link}join/")
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


def test_a_refused_link_does_not_leave_its_secret_in_the_log(link):
    """Django logs the path of whatever it answers with an error, and this link still works."""
    token = link.rstrip("/").rpartition("/")[2]
    kept = io.StringIO()
    handlers = [
        found
        for found in logging.getLogger().handlers
        if isinstance(found, logging.StreamHandler) and found.name == "console"
    ]
    former = [handler.setStream(kept) for handler in handlers]
    try:
        assert signed_in("somebody@else.example").get(link).status_code == 403
    finally:
        for handler, stream in zip(handlers, former, strict=True):
            handler.setStream(stream)
    assert "/invitations/…" in kept.getvalue()
    assert token not in kept.getvalue()
