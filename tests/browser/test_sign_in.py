"""Signing in by passkey, in a real browser with an authenticator plugged in."""

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from accounts.models import User
from core.permissions import StaffRole
from tests import make
from tests.browsing import Visits, check_page

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def carla(committed_db: None) -> User:
    person = make.staff(StaffRole.CS, name="Carla Sanz")
    person.set_password(make.PASSWORD)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def sign_in_by_password(page: Page, person: User) -> None:
    page.locator("input[name=login]").fill(person.email)
    page.locator("input[name=password]").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.slow
def test_staff_sets_up_a_passkey_and_then_signs_in_with_it_alone(visit: Visits, carla: User) -> None:
    page = visit("/accounts/login/?next=/admin/")
    sign_in_by_password(page, carla)
    expect(page.get_by_text("Staff signs in with a second factor")).to_be_visible()
    check_page(page)
    plugged = page.context.new_cdp_session(page)
    plugged.send("WebAuthn.enable")
    plugged.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto("/accounts/2fa/webauthn/add/")
    page.locator("input[type=password]").fill(make.PASSWORD)
    page.locator("main form button").first.click()
    check_page(page)
    page.locator("input[name=name]").fill("Laptop")
    page.locator("input[name=passwordless]").check()
    page.locator("main form button").first.click()
    expect(page).not_to_have_url("/accounts/2fa/webauthn/add/")
    page.goto("/admin/")
    expect(page).to_have_url("/admin/")
    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/admin/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url("/admin/")
