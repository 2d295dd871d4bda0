"""A real browser against a real server: pages as people meet them, and what must hold for each of them.

A plugin of the test run: `visit` opens a page as somebody; `assert_page_ok` says whether it is fit to be seen.
Everything runs on `committed_db`, as the unprivileged role. Without Chromium these tests are skipped.
"""

import functools
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, CDPSession, ConsoleMessage, Error, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User

# Playwright's synchronous interface runs an event loop in this thread, which Django takes for an asynchronous caller.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "on"

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
PHONE, DESK = {"width": 320, "height": 740}, {"width": 1366, "height": 900}

WATCH = """
window.crossingViolations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.crossingViolations.push(`${event.effectiveDirective} refused ${event.blockedURI || event.sourceFile}`));
"""

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async (only) => {
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"], preload: false });
  return found.violations.map((one) => (
    { id: one.id, help: one.help, where: one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ") }));
}"""

WIDER = """() => {
  const closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((one) => { one.open = true; });
  const wide = (box) => box.scrollWidth - box.clientWidth > 1;
  const found = [...document.querySelectorAll(".tablewrap")].filter(wide).map((box) => box.ariaLabel ?? "a table");
  if (wide(document.documentElement)) found.unshift("the page");
  closed.forEach((one) => { one.open = false; });
  return found;
}"""
"""What scrolls sideways: the page, or a table on it that does not stack. What is folded is opened to look."""
SETTLED = """async () => {
  for (let turn = 0; turn < 10; turn += 1) {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const changing = document.getAnimations().filter((one) => one instanceof CSSTransition);
    if (changing.length === 0) return;
    await Promise.allSettled(changing.map((one) => one.finished));
  }
}"""
"""A colour that is still changing has no contrast to speak of, and one that is inherited changes after another."""


RUN = {"quick": False}
"""Whether only what is not slow is run."""


def pytest_configure(config: pytest.Config) -> None:
    """Remember which run it is."""
    RUN["quick"] = config.getoption("markexpr") == "not slow"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the browser, and skip it where there is none."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="Chromium is missing: apt-get install -y chromium"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@dataclass
class Visits:
    """Opens pages of the live server, each in a context of its own, and remembers what the console said."""

    browser: Browser
    server: LiveServer
    contexts: list[BrowserContext] = field(default_factory=list)
    client: Client = field(default_factory=Client)
    """Signed in as whoever visited last."""

    def __call__(self, path: str, *, by: User | None = None, freshly: bool = False, **options: Any) -> Page:
        """Open a path as somebody (None: signed out); `options` are Playwright's for a context.

        `freshly`: their password was asked for a moment ago, so that no page asks again.
        """
        context = self.browser.new_context(
            **{"viewport": DESK, "reduced_motion": "reduce", "base_url": self.server.url, **options}
        )
        self.contexts.append(context)
        if by is not None:
            self.client = Client()
            self.client.force_login(by)
            if freshly:
                session = self.client.session
                session[AUTHENTICATION_METHODS_SESSION_KEY] = [
                    {"method": "password", "at": time.time(), "reauthenticated": True}
                ]
                session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = str(by.pk)
                session.save()
            context.add_cookies([
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": self.client.cookies[settings.SESSION_COOKIE_NAME].value,
                    "url": self.server.url,
                }
            ])  # fmt: skip
        context.add_init_script(WATCH)
        page = context.new_page()
        page.complaints = []  # type: ignore[attr-defined]  # what the console said, read by assert_page_ok
        page.on("console", functools.partial(_note, page))
        page.on("pageerror", functools.partial(_note, page))
        page.goto(path)
        return page


@pytest.fixture
def visit(chromium: Browser, committed_db: None, live_server: LiveServer) -> Iterator[Visits]:
    """Open pages of a server on a free port, over a database whose commits are real."""
    visits = Visits(chromium, live_server)
    yield visits
    for context in visits.contexts:
        context.close()


@pytest.fixture(scope="module")
def standing_server(chromium: Browser, module_db: None) -> Iterator[Visits]:
    """A server over a database that all tests of a module share: for those that only look."""
    server = LiveServer("localhost")
    yield Visits(chromium, server)
    server.stop()


@pytest.fixture
def look(standing_server: Visits) -> Iterator[Visits]:
    """Open pages of the module's server."""
    yield standing_server
    while standing_server.contexts:
        standing_server.contexts.pop().close()


@pytest.fixture
def assert_page_ok() -> Callable[[Page], None]:
    """The assertion that a page is fit to be seen."""
    return check_page


def plug_in_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the browser an authenticator that verifies its user; return the session to steer it, and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]


def check_page(
    page: Page, *, expected_status: int = 200, known: Collection[str] = (), briefly: bool | None = None
) -> None:
    """Fail unless the page is accessible, quiet, safe under its policy, named, and fits a phone; light and dark.

    A page that answers with an error status makes the browser complain about itself: name the status. `known` are
    axe's rules (and `one-h1`, `sideways`) that a page may break for a written reason. `briefly` looks at the dark on a
    phone only; unless it is said, the quick run does.
    """
    if briefly is None:
        briefly = RUN["quick"]
    problems: list[str] = []
    if page.locator("h1").count() != 1 and "one-h1" not in known:
        problems.append(f"{page.locator('h1').count()} h1 headings")
    if not page.title().strip(" ·") or "  " in page.title() or page.title().startswith("·"):
        problems.append(f"title {page.title()!r}")
    page.emulate_media(color_scheme="light")
    problems += [f"light: {problem}" for problem in _axe(page, RULES, known)]
    page.emulate_media(color_scheme="dark")
    if not briefly:  # the same document again: only its colours are new
        colours = {"type": "rule", "values": ["color-contrast"]}
        problems += [f"dark: {problem}" for problem in _axe(page, colours, known)]
    with _size(page, PHONE):
        if (wide := page.evaluate(WIDER)) and "sideways" not in known:
            problems.append(f"scrolls sideways at 320 px: {', '.join(wide)}")
        problems += [f"dark phone: {problem}" for problem in _axe(page, RULES, known)]
    page.emulate_media(color_scheme="light")
    problems += page.evaluate("() => window.crossingViolations ?? []")
    own = f"status of {expected_status}"
    problems += [said for said in page.complaints if expected_status == 200 or own not in said]  # type: ignore[attr-defined]  # set by visit
    assert not problems, f"{page.url}:\n" + "\n".join(problems)


def _axe(page: Page, only: object, known: Collection[str]) -> list[str]:
    page.evaluate(SETTLED)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    return [
        f"{found['id']}: {found['help']} at {found['where']}"
        for found in page.evaluate(RUN_AXE, only)
        if found["id"] not in known
    ]


def _note(page: Page, said: ConsoleMessage | Error) -> None:
    if isinstance(said, Error):
        page.complaints.append(said.message)  # type: ignore[attr-defined]  # set by visit
    elif said.type in ("error", "warning"):
        page.complaints.append(f"{said.text} {said.location.get('url', '')}".strip())  # type: ignore[attr-defined]  # set by visit


@contextmanager
def _size(page: Page, size: dict[str, int]) -> Iterator[None]:
    former = page.viewport_size
    page.set_viewport_size(size)  # type: ignore[arg-type]  # width and height
    yield
    if former:
        page.set_viewport_size(former)
