"""Pages that move: they ask again while something runs, keep what the reader opened, and say once that it is over."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from core import queue, tenancy
from core.findings import Finding, Outcome
from core.readiness import CHECKS, check
from tests import make
from tests.browsing import Visits


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """One check that fails and one that passes are all there are."""
    monkeypatch.setattr(CHECKS, "_items", {})
    for name, outcome in (("accounts.bad", Outcome.BLOCK), ("accounts.good", Outcome.PASS)):
        finding = Finding(outcome, "Looked", fix="Do this.", link="domains/")
        asked = check(name, title=f"The {name[9:]} one", owner="customer", due="T-3", valid_for=timedelta(days=1))
        asked(lambda *, tenant_id, at, finding=finding: finding)


@pytest.mark.usefixtures("checks")
def test_preflight_runs_live(visit: Visits) -> None:
    tenant = make.tenant("JetBlue Airways", slug="jetblue")
    page = visit("/t/jetblue/preflight/", by=make.member(tenant).user)
    good = page.locator("#check-accounts-good")
    page.get_by_role("button", name="Run all").click()
    expect(page.get_by_text("Waiting for a free worker")).to_be_visible()
    expect(page.get_by_role("button", name="Run all")).to_be_disabled()
    good.locator("summary").click()
    with tenancy.scope(tenant_id=tenant.pk):
        queue.run_pending()
    expect(page.get_by_text("1 needs you")).to_be_visible(timeout=15_000)
    expect(page.locator("#announcer, #live")).to_have_text("Checks finished: 1 of 2 pass, 1 need you.")
    assert good.get_attribute("open") is not None, "what the reader opened stays open"
    assert page.locator("#check-accounts-bad").get_attribute("open") is not None
    assert page.locator("[hx-trigger]").count() == 0, "it no longer asks"


@pytest.mark.slow
@pytest.mark.usefixtures("checks")
def test_preflight_runs_without_javascript(visit: Visits) -> None:
    tenant = make.tenant("JetBlue Airways", slug="jetblue")
    page = visit("/t/jetblue/preflight/", by=make.member(tenant).user, java_script_enabled=False)
    page.get_by_role("button", name="Run all").click()
    expect(page.get_by_text("Waiting for a free worker")).to_be_visible()
    with tenancy.scope(tenant_id=tenant.pk):
        queue.run_pending()
    page.reload()
    expect(page.get_by_text("1 needs you")).to_be_visible()
    page.get_by_role("link", name="Put it right").click()
    expect(page).to_have_url("/t/jetblue/domains/")


def test_a_server_that_is_away_is_said(visit: Visits) -> None:
    tenant = make.tenant("JetBlue Airways", slug="jetblue")
    page = visit("/t/jetblue/preflight/", by=make.member(tenant).user)
    page.route("**/preflight/run/", lambda route: route.abort())
    page.get_by_role("button", name="Run all").click()
    expect(page.locator("#toast")).to_contain_text("Crossing cannot be reached")
