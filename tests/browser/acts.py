"""What is done on a page before it is looked at."""

from collections.abc import Callable

from playwright.sync_api import Page

WRONG = "no such thing"


def fill(button: str, **fields: str) -> Callable[[Page], None]:
    """Fill fields by their name and press a button, past what the browser itself would refuse."""

    def act(page: Page) -> None:
        page.evaluate("() => document.querySelectorAll('form').forEach((form) => { form.noValidate = true; })")
        for name, value in fields.items():
            page.locator(f"main [name={name}]:not([type=radio]):visible").first.fill(value)
        page.get_by_role("main").get_by_role("button", name=button).first.click()
        page.wait_for_load_state()

    return act


def press(button: str) -> Callable[[Page], None]:
    """Press a button."""

    def act(page: Page) -> None:
        page.get_by_role("main").get_by_role("button", name=button).first.click()
        page.wait_for_load_state()

    return act


def connect_nonsense(page: Page) -> None:
    """Begin with single sign-on, and paste what is no metadata."""
    page.get_by_role("button", name="Set single sign-on up").click()
    fill("Connect", metadata=WRONG)(page)


def issue_token(page: Page) -> None:
    """Issue an API token with every scope, so that its secret is shown."""
    page.get_by_label("Name").fill("A token with quite a long name, as people give them")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Issue token").click()
    page.get_by_text("Copy the secret now").wait_for()


def replace_secret(page: Page) -> None:
    """Replace an endpoint's signing secret, so that the new one is shown and both sign."""
    page.locator("details[id^=secret-] summary").first.click()
    page.get_by_role("button", name="Make a new secret").first.click()
    page.get_by_text("Shown once").wait_for()
