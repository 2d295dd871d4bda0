"""The shell around every page: theme, palette, copying, dialogs, the phone's drawer, and life without JavaScript."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from core.permissions import StaffRole, TenantRole
from tests import make
from tests.browsing import Visits


@pytest.fixture(scope="module")
def owner(module_db: None) -> User:
    """The owner of JetBlue, who also audits Virgin America."""
    person = make.user("Ana Ruiz")
    make.member(make.tenant("JetBlue Airways", slug="jetblue", time_zone="America/New_York"), person=person)
    make.member(make.tenant("Virgin America", slug="virgin-america"), TenantRole.AUDITOR, person=person)
    return person


@pytest.fixture(scope="module")
def carla(module_db: None) -> User:
    """One of the vendor's people."""
    return make.staff(StaffRole.CS, name="Carla")


SELDOM = ["/t/jetblue/preflight/", "/t/jetblue/jobs/", "/t/jetblue/activity/", "/", "/accounts/sessions/"]
PAGES = ["/t/jetblue/", *(pytest.param(path, marks=pytest.mark.slow) for path in SELDOM)]


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_page_is_fit_to_be_seen(
    look: Visits, owner: User, path: str, assert_page_ok: Callable[[Page], None]
) -> None:
    assert_page_ok(look(path, by=owner))


@pytest.mark.slow
def test_every_component_is_fit_to_be_seen(look: Visits, carla: User, assert_page_ok: Callable[[Page], None]) -> None:
    assert_page_ok(look("/components/", by=carla))


def test_on_paper_nothing_is_cut_and_no_box_keeps_its_parts_from_the_next_page(look: Visits, owner: User) -> None:
    page = look("/t/jetblue/members/", by=owner)
    page.emulate_media(media="print")
    styles = """name => [...document.querySelectorAll(name)].map(found => getComputedStyle(found))
        .map(style => [style.display, style.overflowX, style.breakInside].join(" "))"""
    assert set(page.evaluate(styles, ".tablewrap")) == {"block visible auto"}
    assert {style.split()[-1] for style in page.evaluate(styles, ".card")} == {"auto"}
    assert {style.split()[0] for style in page.evaluate(styles, ".stack")} <= {"block"}


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/"])
def test_a_signed_out_page_is_fit_to_be_seen(look: Visits, path: str, assert_page_ok: Callable[[Page], None]) -> None:
    assert_page_ok(look(path))


def test_the_theme_is_kept(look: Visits, owner: User) -> None:
    page = look("/t/jetblue/", by=owner)
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="System").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") is None


def test_the_palette_finds_pages_by_keyboard(look: Visits, owner: User) -> None:
    page = look("/t/jetblue/", by=owner)
    page.keyboard.press("Control+k")
    page.keyboard.type("ledger")
    expect(page.locator("#live")).to_have_text("1 result")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/t/jetblue/activity/")


def test_the_slash_key_opens_the_palette_unless_it_is_turned_off(look: Visits, owner: User) -> None:
    page = look("/t/jetblue/", by=owner)
    page.keyboard.press("/")
    palette = page.get_by_role("dialog", name="Jump to a page")
    expect(palette).to_be_visible()
    palette.get_by_label("opens this too").uncheck()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("/")
    expect(palette).to_be_hidden()


def test_copying_is_announced(look: Visits, carla: User) -> None:
    page = look("/components/", by=carla, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy value").first.click()
    expect(page.locator("#live")).to_have_text("Value copied")
    assert page.evaluate("navigator.clipboard.readText()") == "token=b2k7qfzr3m4y6x"


@pytest.mark.slow
def test_a_phone_opens_the_navigation_without_javascript(look: Visits, owner: User) -> None:
    page = look("/t/jetblue/", by=owner, java_script_enabled=False, viewport={"width": 320, "height": 740})
    link = page.get_by_role("link", name="Activity", exact=True)
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    link.click()
    expect(page).to_have_url("/t/jetblue/activity/")


def test_the_accounts_are_switched_without_javascript(look: Visits, owner: User) -> None:
    page = look("/t/jetblue/", by=owner, java_script_enabled=False)
    page.locator(".switcher summary").click()
    page.get_by_role("link", name="Virgin America").click()
    expect(page).to_have_url("/t/virgin-america/")


def test_an_error_summary_takes_the_focus(look: Visits) -> None:
    page = look("/accounts/login/", java_script_enabled=False)
    page.get_by_label("Email").fill("nobody@jetblue.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
