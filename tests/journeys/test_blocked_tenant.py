"""The blocked customer: every page says what is wrong and what to do, and doing what it says gets them out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.services import domains
from backfills.services import runs
from comms.services import cases
from core import queue, readiness, tenancy
from core.permissions import StaffRole
from entitlements.services import snapshots
from parity_reports.services import workflows
from portal.demo import signon
from portal.demo.airlines import Story
from portal.demo.integrations import connect_one
from tests import airline, counterparts, customers, make
from tests.browsing import Visits
from tests.counterparts import Counterparts
from tests.customers import Customer
from tests.journeys.conftest import give_metadata, go, publish, try_sign_in

SKYWEST = customers.airline("OO")
FLEET_NUMBER = "N801AA7"
REJECTED = 2


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Counterparts]:
    with counterparts.running([SKYWEST], folder=tmp_path) as found:
        yield found


@pytest.fixture
def mend(outside: Counterparts) -> Callable[[], None]:
    """Spoil two flights in legacy; return what the customer does there to put them right."""
    rows = "carr_cd = 'OO' AND flt_seq <= 2"
    airline.legacy_do(outside.platforms, "ALTER TABLE flt_hist ADD COLUMN right_tail text")
    airline.legacy_do(outside.platforms, f"UPDATE flt_hist SET right_tail = tail_no WHERE {rows}")
    airline.legacy_do(outside.platforms, f"UPDATE flt_hist SET tail_no = '{FLEET_NUMBER}' WHERE {rows}")
    return lambda: airline.legacy_do(outside.platforms, f"UPDATE flt_hist SET tail_no = right_tail WHERE {rows}")


@pytest.fixture
def customer(committed_db: None, outside: Counterparts, mend: Callable[[], None]) -> Customer:
    """What went wrong: old DNS token, old certificate, rejected rows, no window, a missing workflow, an add-on."""
    blocked = customers.arrange(SKYWEST, prepared=False)
    tenant_id, at = blocked.tenant.pk, timezone.now()
    customers.colleague("billing@crossing.example", "Bill Ledger", StaffRole.IDENTITY_BILLING_LEAD)
    customers.sell_telex(outside.platforms, SKYWEST)
    with tenancy.scope(tenant_id=tenant_id):
        domain = domains.claim(tenant_id=tenant_id, typed=SKYWEST.domain, by=blocked.by_owner, at=at)
        record = domains.challenge_of(domain).txt
        outside.zones.publish(record.host, record.value)
        domains.renew(domain=domain, by=blocked.by_owner, at=at)
        domains.check(domain=domain, by=make.SYSTEM, at=at, is_automatic=True)
        story = replace(SKYWEST, story=Story.BLOCKED)
        signon.connect(story, tenant_id, provider=outside.sign_in, by=blocked.by_owner, at=at)
        workflows.rely(tenant_id=tenant_id, workflow_id="receive_partner_feed", by=blocked.by_owner, at=at)
        runs.start(tenant_id=tenant_id, by=make.SYSTEM, at=at)
        snapshots.take(tenant_id=tenant_id, by=make.SYSTEM, at=at)
    queue.run_pending()
    with tenancy.scope(tenant_id=tenant_id):
        connect_one(SKYWEST, tenant_id, receivers=outside.receivers, verifies=False)
        readiness.evaluate(tenant_id=tenant_id, by=make.SYSTEM, at=timezone.now())
        ask_support(blocked)
        readiness.evaluate(tenant_id=tenant_id, by=make.SYSTEM, at=timezone.now(), checks=["comms.no_urgent_case"])
    return blocked


def ask_support(blocked: Customer) -> None:
    """Open an urgent case about the rejected rows and answer it, as far as support can."""
    at = timezone.now()
    case = cases.open_case(
        tenant_id=blocked.tenant.pk, subject="Are our rejected flights lost?", severity="1",
        check_id="backfills.dead_letters", text="If they are, we cannot move.", by=blocked.by_owner, at=at,
    )  # fmt: skip
    by = make.staff_actor(make.staff(StaffRole.SUPPORT, name="Sam Porter"))
    cases.write(case=case, text="No row is lost: put them right in legacy and try again.", by=by, at=at)


@pytest.mark.slow
def test_the_owner_sees_what_to_fix_and_gets_out_by_what_the_pages_say(
    visit: Visits,
    sign_in: Callable[[str], Page],
    work: Callable[[], int],
    customer: Customer,
    outside: Counterparts,
    mend: Callable[[], None],
) -> None:
    page = sign_in("owner@skywest.example")
    read_what_blocks(page)
    publish_the_right_record(page, visit(outside.console), outside)
    replace_the_certificate(page, visit(outside.sign_in.address), outside)
    set_the_window(page)
    put_the_rows_right(page, work, mend)
    confirm_the_answer(page)
    keep_the_old_way(page)
    switch_verification_on(page, visit(f"{outside.receiver}skywest/"), work)
    choose_what_ends(page, work)
    set_up_as_promised(sign_in("billing@crossing.example"))
    ask_for_what_the_old_platform_had(page)
    go(page, "Preflight")
    page.get_by_role("button", name="Run all").click()
    expect(page.get_by_role("button", name="Run all")).to_be_disabled()
    work()
    for passed in (
        "accounts-domain-verified",
        "accounts-sso-tested",
        "cutover-window-set",
        "backfills-dead-letters",
        "backfills-conserved",
        "comms-announced",
        "comms-no-urgent-case",
        "parity-reports-workflows-tried",
        "integrations-harness-passed",
        "entitlements-choices-made",
        "entitlements-billing-matches",
    ):
        expect(row(page, passed)).to_contain_text("Pass")
    expect(row(page, "runbooks-steps-signed")).to_contain_text("are not signed")
    go(page, "Go/no-go")
    expect(page.locator("main")).to_contain_text("The gate is shut")


def row(page: Page, check: str):
    return page.locator(f"#check-{check}")


def read_what_blocks(page: Page) -> None:
    expect(page.locator(".needs")).to_contain_text("need you")
    go(page, "Preflight")
    domain = row(page, "accounts-domain-verified")
    expect(domain).to_contain_text("skywest.example is claimed, but not proven")
    expect(domain).to_contain_text("What to do: Replace its value by token=")
    sign_on = row(page, "accounts-sso-tested")
    expect(sign_on).to_contain_text("“The assertion is signed by your provider” does not hold")
    expect(sign_on).to_contain_text("Upload its current metadata under “Single sign-on”.")
    expect(row(page, "cutover-window-set")).to_contain_text("Choose when your account moves to the new platform.")
    steps = row(page, "runbooks-steps-signed")
    expect(steps).to_contain_text("steps before the go/no-go are not signed")
    expect(steps).to_contain_text("Its owner signs it in the runbook.")
    feed = row(page, "parity-reports-workflows-tried")
    expect(feed).to_contain_text("“Receive the mainline partner's schedule feed” is not on the new platform")
    expect(feed).to_contain_text("keep the old way for a time, or accept the difference with a reason")
    rejected = row(page, "backfills-dead-letters")
    expect(rejected).to_contain_text("2 rows are rejected")
    expect(rejected).to_contain_text("replace the fleet numbers")
    harness = row(page, "integrations-harness-passed")
    expect(harness).to_contain_text("“The same message a second time is refused” does not hold, it answered 200")
    expect(harness).to_contain_text("What to do: Keep each webhook-id for at least ten minutes")
    go(page, "Cutover")
    expect(page.locator("main")).to_contain_text("Not set yet")
    go(page, "Go/no-go")
    expect(page.locator("main")).to_contain_text("The gate is shut")
    page.get_by_role("button", name="Freeze the evidence").click()
    expect(page.get_by_role("alert")).to_contain_text("The cutover window is not set. Set it first")


def confirm_the_answer(page: Page) -> None:
    go(page, "Preflight")
    urgent = row(page, "comms-no-urgent-case")
    expect(urgent).to_contain_text("An urgent support case is open")
    expect(urgent).to_contain_text("If it settles the matter, confirm it there")
    urgent.get_by_role("link", name="Put it right").click()
    page.get_by_role("link", name="Are our rejected flights lost?").click()
    expect(page.locator("main")).to_contain_text("No row is lost")
    expect(page.locator("main")).to_contain_text("2 rows are rejected")  # as the check had found it then
    page.get_by_role("button", name="This settles it").click()
    expect(page.get_by_text("The case is resolved.")).to_be_visible()


def publish_the_right_record(page: Page, console: Page, outside: Counterparts) -> None:
    go(page, "Domains")
    found = page.locator("section.card .notice dl.facts dd")
    expected = found.first.inner_text()
    expect(found.last).to_contain_text("token=")
    assert expected not in found.last.inner_text()
    expect(page.locator("section.card .notice")).to_contain_text(f"What to do: Replace its value by {expected}")
    console.get_by_role("button", name="Remove TXT").click()
    publish(console, outside.console, "skywest.example", host="_crossing-challenge", value=expected)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Proven since")).to_be_visible()


def replace_the_certificate(page: Page, provider: Page, outside: Counterparts) -> None:
    go(page, "Preflight")
    row(page, "accounts-sso-tested").get_by_role("link", name="Put it right").click()
    expect(page.get_by_text("Out of date").last).to_be_visible()
    page.get_by_role("link", name="today").first.click()
    expect(page.get_by_text("Nothing below is to be trusted")).to_be_visible()
    expect(page.locator("#check-signature")).to_contain_text("which is not in the metadata you gave us")
    go(page, "Single sign-on")
    address = page.get_by_role("link", name="the demo's identity provider").get_attribute("href")
    assert address == f"{outside.sign_in.address}skywest/"
    give_metadata(page, provider, address, button="Use this metadata")
    try_sign_in(page, "SkyWest Airlines")
    expect(page.get_by_text("This sign-in would have been accepted")).to_be_visible()


def set_the_window(page: Page) -> None:
    go(page, "Preflight")
    row(page, "cutover-window-set").get_by_role("link", name="Put it right").click()
    page.get_by_role("link", name="Set the window").click()
    opens = timezone.now() + timedelta(days=10)
    page.get_by_label("The window starts").fill(f"{opens:%Y-%m-%dT%H:%M}")
    page.get_by_label("The window ends").fill(f"{opens + timedelta(hours=6):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Save the window").click()
    expect(page.get_by_text("The cutover window is set.")).to_be_visible()


def keep_the_old_way(page: Page) -> None:
    go(page, "Preflight")
    row(page, "parity-reports-workflows-tried").get_by_role("link", name="Put it right").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Receive the mainline partner's schedule feed")
    page.get_by_label("Reason").first.fill("Our partner changes over in January.")
    page.get_by_role("button", name="Keep the old way").click()
    expect(page.get_by_text("The old way stays open for you. It ends by itself.")).to_be_visible()
    expect(page.get_by_text("so it does not stop your go/no-go")).to_be_visible()


def put_the_rows_right(page: Page, work: Callable[[], int], mend: Callable[[], None]) -> None:
    go(page, "Your data")
    expect(page.get_by_text(f"{REJECTED} rows were rejected", exact=True)).to_be_visible()
    expect(page.get_by_text("In legacy, replace the fleet numbers")).to_be_visible()
    page.get_by_role("link", name="See which rows").click()
    expect(page.get_by_role("region", name="Rejected rows").get_by_role("row")).to_have_count(1 + REJECTED)
    mend()
    page.get_by_role("button", name="Try rejected rows again").click()
    expect(page.get_by_text("Your data is moving")).to_be_visible()
    work()
    expect(page.get_by_text("Every row is accounted for")).to_be_visible()


def switch_verification_on(page: Page, theirs: Page, work: Callable[[], int]) -> None:
    """The receivers took messages that were replayed, changed, forged and not signed; now they look."""
    go(page, "Integrations")
    expect(page.get_by_text("Harness failed")).to_have_count(2)
    expect(page.get_by_role("row", name="A message whose body was changed is refused").first).to_contain_text("200")
    for name in ("flights", "aircraft"):
        theirs.get_by_role("button", name=f"Switch on verification of {name}").click()
        expect(theirs.get_by_role("button", name=f"Switch off verification of {name}")).to_be_visible()
    for button in page.get_by_role("button", name="Run the harness again").all():
        button.click()
    expect(page.get_by_text("Being tried")).to_have_count(2)
    work()
    expect(page.get_by_text("Harness passed")).to_have_count(2)


def choose_what_ends(page: Page, work: Callable[[], int]) -> None:
    go(page, "Preflight")
    choice = row(page, "entitlements-choices-made")
    expect(choice).to_contain_text("A choice is yours: Telex and fax")
    choice.get_by_role("link", name="Put it right").click()
    expect(page.get_by_role("main").get_by_text("The new price cannot be said yet")).to_be_visible()
    expect(page.get_by_text("Operations mail takes its place for USD 25.00 a month")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("You have chosen")).to_be_visible()
    work()
    page.reload()
    expect(page.get_by_role("main").get_by_text("The new platform is not set up as promised")).to_be_visible()
    expect(page.get_by_text("our identity and billing lead sets your subscription up")).to_be_visible()


def set_up_as_promised(lead: Page) -> None:
    """Do what the page says that our lead does."""
    lead.goto("/admin/entitlements/mismatch/")
    lead.get_by_role("link", name="SkyWest").first.click()
    lead.get_by_role("button", name="Set up as promised").click()
    expect(lead.get_by_text("is set up as promised; 0 differences are left")).to_be_visible()


def ask_for_what_the_old_platform_had(page: Page) -> None:
    go(page, "Why can’t I …")
    page.get_by_role("link", name="… export reports?").click()
    expect(page.get_by_role("heading", name="You cannot export reports")).to_be_visible()
    expect(page.locator("main .notice")).to_contain_text("The plan Standard does not include report exports.")
    expect(page.locator("main .notice")).to_contain_text("Who can give it: your customer success manager")
    expect(page.get_by_text("On the legacy platform it was possible: Operations Standard included it")).to_be_visible()
    page.get_by_label("What do you need it for?").fill("Our monthly figures.")
    page.get_by_role("button", name="Request access").click()
    expect(page.get_by_text("Waits for an answer")).to_be_visible()
