"""The day on which a company's sign-in fails, in a browser: a recovery code, a cutback, its end, and no passwords."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import Cutback
from core import tenancy
from core.permissions import StaffRole
from tests import enforcing, make
from tests.browsing import Visits, check_page
from tests.enforcing import Company

pytestmark = pytest.mark.slow


@pytest.fixture
def company(committed_db: None) -> Company:
    found = enforcing.company(password=make.PASSWORD)
    with tenancy.scope(tenant_id=found.tenant_id):
        enforcing.prepare(found)
        enforcing.enforce(found)
    for owner in found.owners:
        EmailAddress.objects.create(user=owner.user, email=owner.user.email, verified=True, primary=True)
    return found


def by_password(visit: Visits, email: str) -> Page:
    page = visit("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    return page


def test_owners_get_in_get_everybody_in_and_shut_the_door_again(
    visit: Visits, settings: Settings, company: Company
) -> None:
    settings.PUBLIC_URL = visit.server.url
    first, second = (owner.user.email for owner in company.owners)
    where = f"/t/{company.tenant.slug}/sso/enforcement/"

    # The provider is down. A right password leads to it, and beside it to the codes.
    page = by_password(visit, first)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with your company")
    check_page(page, expected_status=403)
    page.complaints.clear()  # type: ignore[attr-defined]  # that it is a refusal (403)
    page.goto("/accounts/login/")
    check_page(page)
    page.get_by_role("link", name="use a recovery code").click()
    check_page(page)
    page.get_by_label("Your e-mail address").fill(first)
    page.get_by_label("Recovery code").fill("AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code and address sign nobody in.")).to_be_visible()
    check_page(page, expected_status=403)
    page.complaints.clear()  # type: ignore[attr-defined]  # that it is a refusal (403)
    page.get_by_label("Recovery code").fill(company.codes[0][0].lower())
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{visit.server.url}{where}")
    expect(page.get_by_text("Last used")).to_be_visible()
    expect(page.get_by_text("Needs a new set")).to_be_visible()
    check_page(page)

    # A used code is worth nothing; a new set is made in the session that the code opened.
    again = visit("/recovery/")
    again.get_by_label("Your e-mail address").fill(first)
    again.get_by_label("Recovery code").fill(company.codes[0][0])
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_text("This code and address sign nobody in.")).to_be_visible()
    page.get_by_role("button", name="Make a new set").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a new set").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    check_page(page)
    page.get_by_role("link", name="I have them").click()
    expect(page.get_by_text("Needs a new set")).to_be_hidden()

    # A cutback: asked for and approved by an owner, approved by a lead of ours, in the admin.
    page.get_by_label("Reason").last.fill("Our provider does not answer since eight o'clock.")
    page.get_by_label("For how many hours").fill("2")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_text("Waits for approval").first).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    check_page(page)
    staff = visit("/admin/accounts/cutback/?state=asked", by=make.staff(StaffRole.SRE_LEAD))
    staff.get_by_role("link", name=company.tenant.name).first.click()
    staff.get_by_role("link", name="Approve").or_(staff.get_by_role("button", name="Approve")).first.click()
    expect(staff.get_by_text("It runs.")).to_be_visible()
    other = by_password(visit, second)
    expect(other.get_by_text("Passwords sign you in for some hours").first).to_be_visible()
    other.goto(where)
    expect(other.get_by_text("A cutback let you in by your password.")).to_be_visible()
    check_page(other)

    # Its time ends it, though no worker has written that down.
    with make.arranging():
        ago = timezone.now() - timedelta(minutes=1)
        Cutback.objects.update(starts_at=ago - timedelta(hours=2), ends_at=ago)
    other.goto(where)
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in with your company")
    page.goto(where)
    expect(page.get_by_text("Your people sign in by your company alone", exact=True)).to_be_visible()
    expect(page.get_by_text("Over", exact=True)).to_be_visible()

    # The move is over: we open the switch, an owner turns it, and turns it back.
    staff.goto(f"/admin/accounts/tenant/{company.tenant_id}/open_switch/")
    staff.get_by_label("Reason").fill("The move is over.")
    staff.locator("form button[type=submit], form input[type=submit]").last.click()
    page.goto(where)
    page.get_by_label("Reason").last.fill("Nobody needs them any more.")
    page.get_by_label("never signed in by your company").check()
    check_page(page)
    page.get_by_role("button", name="Take the passwords away").click()
    expect(page.get_by_text("Taken away: 2 passwords.")).to_be_visible()
    expect(page.get_by_text("this would let nobody in")).to_be_visible()
    check_page(page)
    page.get_by_role("button", name="Give the passwords back").click()
    page.get_by_role("dialog").get_by_role("button", name="Give them back").click()
    expect(page.get_by_text("Given back: 2 passwords.")).to_be_visible()
