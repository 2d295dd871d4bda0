"""Signing in as people meet it: no open door, nothing revealed, a second factor for staff, sessions to look after."""

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.models import LedgerEntry
from core.permissions import StaffRole, TenantRole
from tests import make
from tests.signing_in import by_password_alone

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN = "/accounts/login/"


def person(email: str = "olive@jetblue.example", *, is_staff: bool = False) -> User:
    user = make.user("Olive", email=email, is_staff=is_staff, password=make.PASSWORD)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def sign_in(client: Client, email: str = "olive@jetblue.example", password: str = make.PASSWORD, **more: str):
    return client.post(LOGIN, {"login": email, "password": password} | more)


def code(secret: str = SECRET) -> str:
    """Return the code of this period, which is the middle of those that count."""
    counters = [*yield_hotp_counters_from_time()]
    return str(format_hotp_value(hotp_value(secret, counters[len(counters) // 2])))


def text(response) -> str:
    return " ".join(response.content.decode().split())


def without_tokens(response) -> str:
    """Return a page without what differs at every request or was typed."""
    import re

    return re.sub(r'(name="csrfmiddlewaretoken" |name="login" )?value="[^"]*"', "", text(response))


def test_nobody_signs_up_by_themselves(client):
    page = client.get("/accounts/signup/")
    assert "Sign Up Closed" in text(page) or "closed" in text(page).lower()
    client.post("/accounts/signup/", {"email": "m@x.example", "password1": make.PASSWORD, "password2": make.PASSWORD})
    assert not User.objects.filter(email="m@x.example").exists()


def test_a_wrong_password_and_an_unknown_address_look_alike(client):
    person()
    wrong = sign_in(client, password="wrong wrong wrong")
    unknown = sign_in(Client(), "nobody@jetblue.example")
    assert wrong.status_code == unknown.status_code
    assert "not correct" in text(wrong)
    assert without_tokens(wrong) == without_tokens(unknown)


def test_a_forgotten_password_looks_alike_and_mails_only_who_is_here(client):
    person()
    for email, mails in (("nobody@jetblue.example", 0), ("olive@jetblue.example", 1)):
        response = Client().post("/accounts/password/reset/", {"email": email}, follow=True)
        assert response.status_code == 200
        assert response.redirect_chain[-1][0] == "/accounts/password/reset/done/"
        assert len(mail.outbox) == mails
    sent = mail.outbox[0]
    assert (sent.to, sent.subject) == (["olive@jetblue.example"], "Crossing: Choose a new password")
    assert sent.body.startswith("Hello,\n\nSomebody, hopefully you, asked for a new password")
    assert "/accounts/password/reset/key/" in sent.body


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("account/email/email_confirmation_message.txt", "Open this link to confirm it:\n\nhttps://x.example/c/"),
        ("account/email/password_changed_message.txt", "This was changed in your Crossing account:"),
        ("mfa/email/webauthn_added_message.txt", "A passkey was added.\n\nIt was done on 27 Nov 2026, 04:16 UTC, from"),
    ],
)
def test_a_mail_about_signing_in_is_in_the_words_of_the_house(template, says):
    at = datetime(2026, 11, 27, 4, 16, tzinfo=UTC)
    told = {"user": make.user(), "activate_url": "https://x.example/c/", "timestamp": at, "ip": "192.0.2.1"}
    text = render_to_string(template, told)
    assert text.startswith("Hello,\n\n")
    assert says in text
    assert text.endswith("\n\nCrossing\n")


def test_guessing_is_stopped_even_for_the_right_password(client):
    person()
    for _ in range(5):
        sign_in(client, password="wrong wrong wrong")
    response = sign_in(client)
    assert "Too many failed login attempts. Try again later." in text(response)
    assert "_auth_user_id" not in client.session


def test_signing_in_changes_the_session_key(client):
    person()
    client.get(LOGIN)
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    sign_in(client)
    assert client.session.session_key != planted


def test_a_sign_in_leads_only_to_our_own_addresses(client):
    person()
    assert sign_in(client, next="https://evil.example/").url == "/"


def test_an_unattended_screen_does_not_change_the_address_that_resets_the_password(client):
    by_password_alone(client, person())  # long ago
    answer = client.post("/accounts/email/", {"action_add": "", "email": "mallory@evil.example"})
    assert answer.url.startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email="mallory@evil.example").exists()


def test_other_sessions_can_be_signed_out_from_afar():
    user = person()
    make.member(make.tenant(), person=user)
    here, there = Client(), Client(headers={"user-agent": "A lost laptop"})
    for client in (here, there):
        sign_in(client)
        assert client.get(reverse("usersessions_list")).status_code == 200
    assert "A lost laptop" in text(here.get(reverse("usersessions_list")))
    here.post(reverse("usersessions_list"))
    assert there.get(reverse("usersessions_list")).url.startswith(LOGIN)
    page = here.get(reverse("usersessions_list"))
    assert page.status_code == 200
    assert "A lost laptop" not in text(page)


def test_one_session_is_signed_out_and_the_others_stay():
    user, stranger = person(), person("mallory@american.example")
    here, phone, laptop, elsewhere = (Client(headers={"user-agent": name}) for name in ("here", "phone", "laptop", "x"))
    for client in (here, phone, laptop):
        sign_in(client)
    sign_in(elsewhere, stranger.email)
    for client in (here, phone, laptop, elsewhere):
        assert client.get(reverse("usersessions_list")).status_code == 200
    lost = reverse("end_session", args=[UserSession.objects.get(user=user, user_agent="phone").pk])
    assert lost in text(here.get(reverse("usersessions_list")))
    assert elsewhere.post(lost).status_code == 404
    assert here.get(lost).status_code == 405
    assert here.post(lost).url == reverse("usersessions_list")
    assert phone.get(reverse("usersessions_list")).url.startswith(LOGIN)
    assert laptop.get(reverse("usersessions_list")).status_code == 200
    own = reverse("end_session", args=[UserSession.objects.get(user=user, user_agent="here").pk])
    assert here.post(own).url == "/accounts/logout/"
    assert here.post(lost).status_code == 404


def test_a_changed_password_ends_the_other_sessions_and_is_recorded():
    user = person()
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client)
    new = "another correct horse battery"
    here.post("/accounts/password/change/", {"oldpassword": make.PASSWORD, "password1": new, "password2": new})
    assert here.get(reverse("usersessions_list")).status_code == 200
    assert there.get(reverse("usersessions_list")).url.startswith(LOGIN)
    assert mail.outbox[-1].to == [user.email], "its owner is told"
    with make.arranging():
        entry = LedgerEntry.objects.get(event="accounts.user.password_changed")
    assert entry.actor_id == user.pk
    assert user.email not in str(vars(entry))


@pytest.fixture
def staff() -> User:
    user = make.staff(StaffRole.CS)
    user.set_password(make.PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.mark.parametrize("path", ["/admin/", "/", "/components/", "/admin/accounts/tenant/", "/staff/go-no-go/"])
def test_nothing_opens_for_staff_with_a_password_alone(client, staff, path):
    by_password_alone(client, staff)
    response = client.get(path)
    assert (response.status_code, response.url) == (302, reverse("mfa_index"))
    assert "Staff signs in with a second factor" in text(client.get(response.url))


def test_staff_who_have_a_second_factor_are_asked_for_it(client, staff):
    TOTP.activate(staff, SECRET)
    by_password_alone(client, staff)
    response = client.get("/admin/accounts/tenant/?q=x")
    assert response.url == f"{reverse('mfa_reauthenticate')}?next=/admin/accounts/tenant/%3Fq%3Dx"
    assert client.post(response.url, {"code": code()}).url == "/admin/accounts/tenant/?q=x"
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_authenticator_opens_the_door_under_a_new_session_key(client, staff):
    sign_in(client, staff.email)
    asked = client.get(reverse("mfa_activate_totp"))
    assert asked.url.startswith(reverse("account_reauthenticate")), "whoever finds the session open adds no passkey"
    page = client.post(asked.url, {"password": make.PASSWORD}, follow=True)
    before, secret = client.session.session_key, page.context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert client.get("/admin/").status_code == 200
    assert client.session.session_key != before
    with make.arranging():
        added = LedgerEntry.objects.filter(event="accounts.user.second_factor_added")
        assert {entry.data["type"] for entry in added} == {"totp", "recovery_codes"}


def test_staff_signs_in_with_password_and_code(client, staff):
    TOTP.activate(staff, SECRET)
    assert sign_in(client, staff.email, next="/admin/").url.startswith(reverse("mfa_authenticate"))
    assert client.get("/admin/").url.startswith(LOGIN) or client.get("/admin/").status_code == 302
    assert "Incorrect code." in text(client.post(reverse("mfa_authenticate"), {"code": "000000"}))
    client.post(reverse("mfa_authenticate"), {"code": code()})
    assert client.get("/admin/").status_code == 200


def test_staff_may_replace_a_second_factor_but_not_remove_the_last(client, staff):
    TOTP.activate(staff, SECRET)
    sign_in(client, staff.email)
    client.post(reverse("mfa_authenticate"), {"code": code()})
    client.post(reverse("account_reauthenticate"), {"password": make.PASSWORD})
    codes = Authenticator.objects.filter(user=staff, type=Authenticator.Type.TOTP)
    client.post(reverse("mfa_deactivate_totp"))
    assert codes.exists()
    Authenticator.objects.create(user=staff, type=Authenticator.Type.WEBAUTHN, data={})
    client.post(reverse("mfa_deactivate_totp"))
    assert not codes.exists()


def test_the_admin_has_no_sign_in_of_its_own(client):
    assert client.get("/admin/login/").url.startswith(LOGIN)
    client.force_login(make.member(make.tenant(), TenantRole.OWNER).user)
    assert client.get("/admin/login/").status_code == 403


def test_customers_sign_in_with_a_password_alone(client):
    user = person()
    tenant = make.tenant()
    make.member(tenant, person=user)
    sign_in(client)
    assert client.get("/").url == f"/t/{tenant.slug}/"


def test_secrets_are_encrypted_at_rest(staff):
    TOTP.activate(staff, SECRET)
    assert SECRET not in str(Authenticator.objects.get().data)
