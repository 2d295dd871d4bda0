"""Journeys by browser: all outside is real, and nothing touches the database between the first click and the last."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from core import queue
from tests import customers, make
from tests.browsing import Visits

PATIENCE_MS = 30_000
"""For a page's own polling on a busy machine."""


@pytest.fixture(autouse=True)
def patience(settings: Settings) -> None:
    """Wait for pages as long as a busy machine needs; let a code of the next half minute count, for two in one."""
    expect.set_options(timeout=PATIENCE_MS)
    settings.MFA_TOTP_TOLERANCE = 1


@pytest.fixture
def sign_in(visit: Visits, settings: Settings) -> Callable[[str], Page]:
    """Sign a person in as they do it: address, password, code of the authenticator app."""
    settings.PUBLIC_URL = visit.server.url  # where identity providers send people back to

    def by_form(email: str) -> Page:
        page = visit("/accounts/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(make.PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.locator("input[name=code]").fill(customers.code())
        page.get_by_role("button", name="Sign In", exact=True).click()
        return page

    return by_form


@pytest.fixture
def work() -> Callable[[], int]:
    """What the worker does: run what is due in the queue, until nothing is."""
    return queue.run_pending


def go(page: Page, label: str) -> None:
    """Go to a page by the sidebar."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=label).click()


def give_metadata(page: Page, provider: Page, address: str, *, button: str) -> None:
    """Download the metadata at the identity provider's page, and upload them on ours."""
    provider.goto(address)
    with provider.expect_download() as download:
        provider.get_by_role("link", name="Download the current metadata").click()
    page.get_by_label("Metadata file").set_input_files(download.value.path())
    page.get_by_role("button", name=button, exact=True).click()
    if button == "Use this metadata":
        expect(page.get_by_role("heading", name="This is what changes: yes or no?")).to_be_visible()
        page.get_by_role("button", name="Yes, use this metadata").click()


def try_sign_in(page: Page, airline: str) -> None:
    """Start a test, sign in at the identity provider's own page, and come back."""
    page.get_by_role("button", name="Test sign-in").click()
    page.get_by_role("link", name="Continue to your provider").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Sign in to {airline}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Test sign-in")


def publish(console: Page, address: str, domain: str, *, host: str, value: str) -> None:
    """Publish a TXT record at the DNS provider's page."""
    console.goto(f"{address}?domain={domain}")
    console.get_by_label("Host").fill(host)
    console.get_by_label("Value").fill(value)
    console.get_by_role("button", name="Publish").click()
    expect(console.get_by_role("status")).to_contain_text(f"Published at {host}.{domain}")
