"""A newcomer connects an identity provider with nothing but the guide and the pages, makes three mistakes, gets out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import Member
from core import tenancy
from tests import counterparts, make, sso
from tests.browsing import Visits, check_page
from tests.counterparts import Counterparts
from tests.customers import airline
from tests.journeys.conftest import give_metadata, go

pytestmark = pytest.mark.slow


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Counterparts]:
    with counterparts.running([airline("HA")], folder=tmp_path) as found:
        yield found


@pytest.fixture
def owner(committed_db: None) -> Member:
    """Somebody whose domain is proven, and who has never seen the page."""
    tenant = make.tenant("Hawaiian Airlines", slug="hawaiian")
    member = make.member(tenant, person=make.user("Kai Owner", email="owner@hawaiian.example"))
    with tenancy.scope(tenant_id=tenant.pk):
        sso.prove(tenant.pk, "hawaiian.example", make.actor(member))
    return member


def try_with(page: Page, *, wrong: str = "") -> None:
    """Test a sign-in at the provider's page, where something is set up wrong."""
    page.get_by_role("button", name="Test sign-in").click()
    page.get_by_role("link", name="Continue to your provider").click()
    if wrong:
        page.get_by_label("What goes wrong here").select_option(label=wrong)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Test sign-in")


def told(page: Page, check: str, *, failed: int) -> str:
    """Return what a failed check says to do, once the page says how many failed."""
    expect(page.get_by_text("This sign-in would have been refused")).to_be_visible()
    expect(page.get_by_text(f"{failed} check{'s' if failed > 1 else ''} failed")).to_be_visible()
    check_page(page)
    return page.locator(f"#check-{check} .why").inner_text()


def test_three_mistakes_are_met_and_the_page_leads_out_of_each(
    visit: Visits, settings: Settings, owner: Member, outside: Counterparts
) -> None:
    settings.PUBLIC_URL = visit.server.url
    page, provider = visit("/t/hawaiian/sso/", by=owner.user, freshly=True), visit("/accounts/login/")

    # The guide: our values, in the words of the other side.
    page.get_by_role("button", name="Set single sign-on up").click()
    check_page(page)
    page.get_by_role("link", name="Another provider (SAML 2.0)").click()
    row = page.get_by_role("row").filter(has_text="ACS URL (reply, recipient and destination URL)")
    acs_url = row.locator("code").inner_text()
    assert acs_url.startswith(f"{visit.server.url}/sso/org_")
    check_page(page)
    page.locator("main").get_by_role("link", name="Single sign-on").click()

    # Mistake one: the metadata from before the certificate was changed.
    address = page.get_by_role("link", name="the demo's identity provider").get_attribute("href")
    assert address
    provider.goto(address)
    with provider.expect_download() as download:
        provider.get_by_role("link", name="The metadata from before").click()
    page.get_by_label("Metadata file").set_input_files(download.value.path())
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Out of date").last).to_be_visible()
    check_page(page)
    try_with(page)
    said = told(page, "signature", failed=1)
    assert "signed with" in said
    assert "Your provider signs with another certificate. Upload its current metadata under “Single sign-on”." in said
    go(page, "Single sign-on")
    give_metadata(page, provider, address, button="Use this metadata")

    # Mistake two: our address was entered without its last character. The answer arrives all the same.
    try_with(page, wrong="Our address was entered without its last character")
    said = told(page, "destination", failed=2)
    assert acs_url in said
    assert acs_url.rstrip("/") in said.replace(acs_url, "")
    assert "exactly as it stands here, to the last character" in said
    go(page, "Single sign-on")

    # Mistake three: the clock there.
    try_with(page, wrong="The clock is ten minutes slow")
    said = told(page, "conditions", failed=3)
    assert "Set the clock of your provider by a time server" in said
    go(page, "Single sign-on")

    # Nothing is wrong any more: the test passes, and says who it was.
    try_with(page)
    expect(page.get_by_text("This sign-in would have been accepted")).to_be_visible()
    expect(page.get_by_text("This maps to Kai Owner")).to_be_visible()
    page.get_by_label("First name", exact=True).select_option("displayName")
    expect(page.get_by_text("Tried, not kept")).to_be_visible()
    check_page(page)
    go(page, "Single sign-on")
    expect(page.get_by_text("Test passed").last).to_be_visible()
    check_page(page)
