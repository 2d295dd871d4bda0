"""The company's sign-in becomes the only one, its provider fails, and passwords come back for a while: by the pages."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import Cutback, Enforcement, Member
from accounts.services import identity_links
from core import tenancy
from core.permissions import StaffRole, TenantRole
from tests import counterparts, customers, make, sso
from tests.browsing import Visits, check_page
from tests.independent_idp import IndependentProvider, serving
from tests.journeys.conftest import go

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)
type ByCompany = Callable[[Page, str], None]
"""Sign somebody in by the company's own provider, once its page has come."""


@pytest.fixture
def independent(tmp_path: Path) -> Iterator[tuple[bytes, ByCompany, Callable[[str], None]]]:
    """pysaml2's provider."""
    people = ["owner@hawaiian.example", "member@hawaiian.example"]
    with serving(IndependentProvider(tmp_path, sso.signer(), people)) as running:

        def answer(page: Page, email: str) -> None:
            page.get_by_role("button", name=email).click()
            page.get_by_role("button", name="Go on").click()

        yield running.metadata(), answer, running.serve


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[tuple[bytes, ByCompany, Callable[[str], None]]]:
    """The demo's provider."""
    with counterparts.running([customers.airline("HA")], folder=tmp_path) as outside:
        airline = customers.airline("HA")

        def answer(page: Page, email: str) -> None:
            page.locator(f'input[name="person"][value="{email}"]').check()
            page.get_by_role("button", name="Sign in").click()

        yield outside.sign_in.metadata(airline).encode(), answer, lambda _: None


@pytest.fixture
def people(committed_db: None) -> dict[str, Member]:
    """Two owners and a member of an account with a proven domain."""
    tenant = make.tenant("Hawaiian Airlines", slug="hawaiian")
    given = {"owner": TenantRole.OWNER, "second": TenantRole.OWNER, "member": TenantRole.MEMBER}
    return {
        name: make.member(
            tenant, role, person=make.user(name, email=f"{name}@hawaiian.example", password=make.PASSWORD)
        )
        for name, role in given.items()
    }


def by_company(page: Page, address: str, email: str, answer: ByCompany) -> None:
    page.context.clear_cookies()
    page.goto(f"{address}/sso/?next=/t/hawaiian/")
    page.get_by_label("Your work e-mail address").fill(email)
    page.get_by_role("button", name="Continue").click()
    answer(page, email)
    expect(page).to_have_url(f"{address}/t/hawaiian/")


def by_password(page: Page, address: str, email: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{address}/accounts/login/?next=/t/hawaiian/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.parametrize("provider", ["independent", "demos"])
def test_a_provider_fails_and_passwords_come_back_for_some_hours(
    visit: Visits, settings: Settings, people: dict[str, Member], provider: str, request: pytest.FixtureRequest
) -> None:
    address = settings.PUBLIC_URL = visit.server.url
    second_address = settings.FAILOVER_URL = address.replace("localhost", "127.0.0.1")
    settings.ALLOWED_HOSTS = ["*"]
    metadata, answer, serve = request.getfixturevalue(provider)
    tenant_id, by = people["owner"].tenant_id, make.actor(people["owner"])
    with tenancy.scope(tenant_id=tenant_id):
        sso.prove(tenant_id, "hawaiian.example", by)
        connection = sso.sso.connect(tenant_id=tenant_id, document=metadata, by=by, at=timezone.now())
        identity_links.make_rule(tenant_id=tenant_id, domain="hawaiian.example", kind="link", by=by, at=timezone.now())
    page = visit("/accounts/login/")
    for query in ("", "?second"):
        serve(page.request.get(f"{address}/sso/{connection.provider_id}/metadata/{query}").text())

    # Tried first: the test passes, and people come in.
    owner = visit("/t/hawaiian/sso/", by=people["owner"].user, freshly=True)
    owner.get_by_role("button", name="Test sign-in").click()
    owner.get_by_role("link", name="Continue to your provider").click()
    answer(owner, "owner@hawaiian.example")
    expect(owner.get_by_text("This sign-in would have been accepted")).to_be_visible()
    by_company(page, address, "member@hawaiian.example", answer)

    # The first address is out of order: the second one is tested like the first, and lets people in.
    go(owner, "Single sign-on")
    owner.get_by_text("Our second address").click()
    owner.get_by_role("button", name="Test the second address").click()
    owner.get_by_role("link", name="Continue to your provider").click()
    answer(owner, "owner@hawaiian.example")
    expect(owner.get_by_text("This sign-in would have been accepted")).to_be_visible()
    by_company(visit(f"{second_address}/sso/"), second_address, "member@hawaiian.example", answer)

    # Two owners hold codes; then it is announced.
    second = visit("/t/hawaiian/sso/enforcement/", by=people["second"].user, freshly=True)
    owner.goto("/t/hawaiian/sso/enforcement/")
    for seat, name in ((1, "owner"), (2, "second")):
        owner.locator(f"#seat-{seat}").select_option(str(people[name].pk))
        owner.get_by_role("button", name=f"Choose an owner for seat {seat}").click()
    for mine in (owner, second):
        mine.goto("/t/hawaiian/sso/enforcement/")
        mine.get_by_role("button", name="Make my codes").click()
        expect(mine.get_by_role("heading", level=1)).to_contain_text("codes")
        mine.goto("/t/hawaiian/sso/enforcement/")
    owner.reload()
    today = timezone.now()
    owner.get_by_label("It begins on").fill(f"{today + 3 * DAY:%Y-%m-%d}")
    owner.get_by_label("Until the end of").fill(f"{today + 60 * DAY:%Y-%m-%d}")
    owner.locator("#announce_reason").fill("Our security policy asks for it.")
    owner.get_by_role("button", name="Announce it").click()
    expect(owner.get_by_text("It is announced.")).to_be_visible()
    check_page(owner)
    with make.arranging():
        Enforcement.objects.update(takes_effect_at=today - DAY)  # three days and one later

    # A password opens nothing any more, the company's sign-in does, and the pages say so.
    by_password(page, address, "member@hawaiian.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with your company")
    by_company(page, address, "member@hawaiian.example", answer)
    by_company(owner, address, "owner@hawaiian.example", answer)
    go(owner, "Single sign-on")
    owner.get_by_role("link", name="Company sign-in").first.click()
    expect(owner.get_by_text("Your people sign in by your company alone", exact=True)).to_be_visible()

    # The provider fails: asked for and approved by an owner, approved by one of ours.
    owner.locator("[name=hours]").fill("4")
    owner.locator("#id_reason").fill("Our provider does not answer.")
    owner.get_by_role("button", name="Ask for it").click()
    owner.get_by_role("button", name="Approve", exact=True).click()
    expect(owner.get_by_text("Waits for approval").first).to_be_visible()
    lead = visit("/admin/accounts/cutback/", by=make.staff(StaffRole.IDENTITY_BILLING_LEAD))
    lead.get_by_role("link", name="Hawaiian Airlines").click()
    lead.get_by_role("button", name="Approve").click()
    expect(lead.get_by_text("It runs.")).to_be_visible()
    owner.reload()
    expect(owner.get_by_text("Cut back to passwords", exact=True)).to_be_visible()
    check_page(owner)
    by_password(page, address, "member@hawaiian.example")
    expect(page).to_have_url(f"{address}/t/hawaiian/")
    expect(page.get_by_text("assword").first).to_be_visible()

    # It ends by itself: the session that a password opened opens nothing, the company's sign-in does.
    with make.arranging():
        now = timezone.now()
        Cutback.objects.update(starts_at=now - 4 * timedelta(hours=1), ends_at=now)  # four hours later
    page.goto(f"{address}/t/hawaiian/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with your company")
    by_company(page, address, "member@hawaiian.example", answer)
    owner.reload()
    expect(owner.get_by_text("Your people sign in by your company alone", exact=True)).to_be_visible()
