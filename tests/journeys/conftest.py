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
def sign_in(visit: Visits) -> Callable[[str], Page]:
    """Sign a person in as they do it: address, password, code of the authenticator app."""

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


def publish(console: Page, address: str, domain: str, *, host: str, value: str) -> None:
    """Publish a TXT record at the DNS provider's page."""
    console.goto(f"{address}?domain={domain}")
    console.get_by_label("Host").fill(host)
    console.get_by_label("Value").fill(value)
    console.get_by_role("button", name="Publish").click()
    expect(console.get_by_role("status")).to_contain_text(f"Published at {host}.{domain}")
