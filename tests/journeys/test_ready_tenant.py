"""The main journey: a customer's owner proves a domain, sees their data moved and compared, and signs; so do we."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from core import tenancy
from entitlements.services import subscriptions
from tests import counterparts, customers, make
from tests.browsing import Visits, check_page, plug_in_authenticator
from tests.counterparts import Counterparts
from tests.customers import Customer
from tests.journeys.conftest import give_metadata, go, publish, try_sign_in

HAWAIIAN = customers.airline("HA")
FLIGHTS = 342  # what this airline flew out of New York in 2013


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Counterparts]:
    with counterparts.running([HAWAIIAN], folder=tmp_path) as found:
        yield found


@pytest.fixture
def customer(committed_db: None, outside: Counterparts) -> Customer:
    """What was done before: steps signed, window set, subscription set up. Domain and data wait for the owner."""
    ready = customers.arrange(HAWAIIAN, prepared=True)
    with tenancy.scope(tenant_id=ready.tenant.pk):
        subscriptions.provision(tenant_id=ready.tenant.pk, by=make.SYSTEM, at=timezone.now() - timedelta(hours=31))
    return ready


def test_the_owner_brings_the_account_to_a_signed_go_no_go(
    visit: Visits, sign_in: Callable[[str], Page], work: Callable[[], int], customer: Customer, outside: Counterparts
) -> None:
    page = sign_in("owner@hawaiian.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your move to the new platform")
    prove_the_domain(page, visit, outside)
    map_the_people(page, work)
    connect_and_test_single_sign_on(page, visit, outside)
    connect_the_receivers(page, visit, work, outside)
    see_what_is_billed(page, work)
    move_the_data(page, work)
    compare(page, work)
    read_what_changed(page)
    pass_preflight(page, work)
    ask_why_not_yet(page)
    asked = ask_and_sign_by_passkey(page)
    sign_for_us(sign_in("runbook@crossing.example"), asked)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("The go/no-go is signed")
    go(page, "Cutover")
    expect(page.get_by_text("Canary", exact=False).first).to_be_visible()


def prove_the_domain(page: Page, visit: Visits, outside: Counterparts) -> None:
    go(page, "Domains")
    page.get_by_label("Domain", exact=True).fill("hawaiian.example")
    page.get_by_role("button", name="Claim").click()
    record = page.locator("table.records").first.locator("td[data-label=Value] code")
    value = record.inner_text()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Found")).to_be_visible()
    publish(visit(outside.console), outside.console, "hawaiian.example", host="_crossing-challenge", value=value)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Proven since")).to_be_visible()
    check_page(page)


def map_the_people(page: Page, work: Callable[[], int]) -> None:
    """Nobody of legacy is on the new platform yet, so everybody who is active becomes a placeholder."""
    go(page, "Who is who")
    page.get_by_role("button", name="Map people").click()
    expect(page.get_by_text("Your people are being mapped", exact=True).first).to_be_visible()
    work()
    page.get_by_role("link", name="Placeholders").click()
    page.get_by_role("region", name="People").get_by_role("link").first.click()
    expect(page.get_by_text("Nobody has decided about them")).to_be_visible()
    check_page(page)


def connect_and_test_single_sign_on(page: Page, visit: Visits, outside: Counterparts) -> None:
    go(page, "Single sign-on")
    page.get_by_role("button", name="Set single sign-on up").click()
    expect(page.get_by_text("/acs/").first).to_be_visible()
    give_metadata(page, visit(outside.sign_in.address), f"{outside.sign_in.address}hawaiian/", button="Connect")
    expect(page.get_by_text("Not tested yet")).to_be_visible()
    try_sign_in(page, "Hawaiian Airlines")
    expect(page.get_by_text("This sign-in would have been accepted")).to_be_visible()
    expect(page.get_by_text("This maps to Olivia Owen (owner)")).to_be_visible()
    expect(page.locator("#check-signature")).to_contain_text("Passed")
    check_page(page)


def connect_the_receivers(page: Page, visit: Visits, work: Callable[[], int], outside: Counterparts) -> None:
    """State a fate for everything that is connected, then let both webhooks of legacy be received and tried."""
    go(page, "Integrations")
    page.get_by_role("button", name="Read the inventory").click()
    page.get_by_role("button", name="Accept our proposals").click()
    expect(page.get_by_text("All decided")).to_be_visible()
    theirs = visit(f"{outside.receiver}hawaiian/")
    for name in ("flights", "aircraft"):
        page.get_by_label("Address of your receiver").fill(f"{outside.receiver}hawaiian/{name}")
        page.get_by_label("Which webhook of legacy").select_option(index=0)
        page.get_by_role("button", name="Register", exact=True).click()
        secret = page.get_by_text(re.compile("^whsec_")).inner_text()
        give_the_secret(theirs, name, secret)
    go(page, "Integrations")
    expect(page.get_by_text(secret)).to_have_count(0)
    for name in ("flights", "aircraft"):
        page.get_by_role("button", name=re.compile(f"^Run the harness.*hawaiian.{name}$")).click()
    expect(page.get_by_text("Being tried")).to_have_count(2)
    work()
    expect(page.get_by_text("Harness passed")).to_have_count(2)
    check_page(page)
    page.get_by_role("button", name=re.compile("^Send a test event.*hawaiian.flights$")).click()
    expect(page.get_by_text("On its way")).to_be_visible()
    work()
    page.get_by_role("link", name="Webhook messages", exact=True).click()
    expect(page.get_by_role("row", name="204")).to_have_count(1)
    check_page(page)


def give_the_secret(theirs: Page, name: str, secret: str) -> None:
    theirs.get_by_label("Address").fill(name)
    theirs.get_by_label("Signing secret").fill(secret)
    theirs.get_by_role("button", name="Set the secret").click()
    expect(theirs.get_by_role("row", name=f"/{name}")).to_contain_text("set")


def see_what_is_billed(page: Page, work: Callable[[], int]) -> None:
    go(page, "Entitlements")
    expect(page.get_by_text("too long ago to count")).to_be_visible()
    page.get_by_role("button", name="Compare again").click()
    expect(page.get_by_text("Both platforms are being compared")).to_be_visible()
    work()
    expect(page.get_by_role("main").get_by_text("No price change")).to_be_visible()
    expect(page.get_by_text("USD 1,615.00 a month, USD 19,380.00 a year, before and after.")).to_be_visible()
    changes = page.get_by_role("region", name="What changes")
    expect(changes.get_by_role("row", name="Crew messages")).to_contain_text("Crew messages, 5")
    check_page(page)


def move_the_data(page: Page, work: Callable[[], int]) -> None:
    go(page, "Your data")
    expect(page.get_by_text("Nothing has moved yet")).to_be_visible()
    page.get_by_role("button", name="Move everything").click()
    expect(page.get_by_text("Your data is moving")).to_be_visible()
    work()
    expect(page.get_by_text("Every row is accounted for")).to_be_visible()
    page.get_by_role("link", name="Flights").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Flights")
    expect(page.get_by_role("row", name="All outcomes")).to_contain_text(f"Rows in legacy: {FLIGHTS}")


def compare(page: Page, work: Callable[[], int]) -> None:
    go(page, "Parity")
    page.get_by_role("button", name="Run a new comparison").click()
    expect(page.get_by_text("The comparison is running.")).to_be_visible()
    work()
    verdict = re.compile(r"Both platforms are equal: all [\d,]+ records agree in every column\.")
    expect(page.get_by_role("main").get_by_text(verdict)).to_be_visible()
    # The verdict comes first, before any figure.
    expect(page.locator("main .notice, main .kpis, main table").first).to_contain_text(verdict)
    check_page(page)


def read_what_changed(page: Page) -> None:
    go(page, "Overview")
    news = page.locator("#news")
    news.get_by_role("link", name="New in 10 minutes").click()
    expect(page.get_by_role("heading", name="Minute 3 to 4: times")).to_be_visible()
    page.get_by_role("button", name="Mark as read").click()
    go(page, "Overview")
    expect(news.get_by_role("link", name="New in 10 minutes")).to_have_count(0)
    news.get_by_role("button", name="Dismiss Questions people ask").click()
    expect(news.get_by_role("link", name="Questions people ask")).to_have_count(0)
    page.goto("/t/hawaiian/was/reports/otp.do")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports your leadership reads")
    page.get_by_role("link", name="On-time performance report").click()
    page.get_by_role("button", name="We rely on it").click()
    expect(page.get_by_text("nobody has confirmed that it was tried")).to_be_visible()
    page.get_by_role("button", name="We have tried it").click()
    expect(page.get_by_text("It was tried on the new platform, and confirmed")).to_be_visible()
    check_page(page)


def pass_preflight(page: Page, work: Callable[[], int]) -> None:
    go(page, "Preflight")
    page.get_by_role("button", name="Run all").click()
    expect(page.get_by_role("button", name="Run all")).to_be_disabled()
    work()
    expect(page.get_by_text(re.compile(r"All \d+ checks pass"))).to_be_visible()


def ask_why_not_yet(page: Page) -> None:
    go(page, "Why can’t I …")
    page.get_by_label("Why can’t I …").fill("sign")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="… sign the go/no-go?").click()
    expect(page.get_by_role("heading", name="You cannot sign the go/no-go")).to_be_visible()
    expect(page.get_by_role("row", name="Role")).to_contain_text("The role Owner includes it.")
    expect(page.locator("main .notice")).to_contain_text("The evidence is not frozen yet")
    check_page(page)


def ask_and_sign_by_passkey(page: Page) -> str:
    plug_in_authenticator(page)
    page.goto("/accounts/2fa/webauthn/add/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.locator("input[name=name]").fill("Laptop")
    page.locator("#mfa_webauthn_add").click()
    expect(page).not_to_have_url(re.compile("/webauthn/add/"))
    page.goto("/t/hawaiian/go-no-go/")
    page.get_by_role("button", name="Freeze the evidence").click()
    page.get_by_role("button", name="Sign with your passkey").click()
    expect(page.get_by_text("Your signature is recorded.")).to_be_visible()
    expect(page.get_by_text("You have signed.")).to_be_visible()
    return page.get_by_role("heading", level=1).inner_text()


def sign_for_us(page: Page, asked: str) -> None:
    page.goto("/staff/go-no-go/")
    page.get_by_role("link", name="Hawaiian Airlines").click()
    page.get_by_role("button", name="Confirm with your").click()
    page.locator("input[name=code]").fill(customers.code(later=1))
    page.locator("main form button").first.click()
    page.get_by_role("button", name="Sign, confirmed by").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The go/no-go is signed")
