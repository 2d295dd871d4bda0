"""The go/no-go in a real browser: a passkey signs, both sides meet, and every page is fit to be seen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from core.approvals import seals
from core.domain.approvals import Method, ReAuthentication
from core.evidence import verifier
from core.findings import Outcome
from core.models import ApprovalRequest, Signature
from core.permissions import TenantRole
from cutover.services import go_no_go
from tests import make
from tests.browsing import Visits, plug_in_authenticator
from tests.cutovers import Case, ready_case


@pytest.fixture
def case(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with ready_case(monkeypatch, at=timezone.now(), time_zone="America/New_York") as ready:
        ready.owner.user.set_password(make.PASSWORD)
        ready.owner.user.save()
        yield ready


@contextmanager
def passkey_of(page: Page) -> Iterator[Callable[[bool], None]]:
    """Plug in an authenticator and register it through allauth's page; call to let it (not) verify its user."""
    session, plugged = plug_in_authenticator(page)
    page.goto("/accounts/2fa/webauthn/add/")
    page.locator("input[type=password]").fill(make.PASSWORD)
    page.locator("main form button").first.click()
    page.locator("input[name=name]").fill("Laptop")
    page.locator("main form button").first.click()
    expect(page).not_to_have_url("/accounts/2fa/webauthn/add/")

    def verifies(is_verified: bool) -> None:
        plug = {"authenticatorId": plugged, "isUserVerified": is_verified}
        session.send("WebAuthn.setUserVerified", plug)

    yield verifies


def path(case: Case, rest: str) -> str:
    return f"/t/{case.owner.tenant.slug}/{rest}"


def ask(case: Case) -> ApprovalRequest:
    return case.ask(at=timezone.now())


def sign_for_vendor(case: Case, asked: ApprovalRequest) -> None:
    now = timezone.now()
    proof, shown = ReAuthentication(Method.TOTP, now), asked.pack.evidence_sha256
    go_no_go.sign(request_id=asked.pk, shown_evidence=shown, proof=proof, by=case.vendor, at=now)


def test_the_owner_asks_and_signs_by_passkey_and_keeps_the_pack(visit: Visits, case: Case) -> None:
    page = visit(path(case, "go-no-go/"), by=case.owner.user)
    with passkey_of(page):
        page.goto(path(case, "go-no-go/"))
        page.get_by_role("button", name="Freeze the evidence").click()
        page.get_by_role("button", name="Sign with your passkey").click()
        expect(page.get_by_text("Your signature is recorded.")).to_be_visible()
    expect(page.get_by_text("You have signed.")).to_be_visible()
    assert Signature.objects.get().method == "passkey"
    sign_for_vendor(case, ApprovalRequest.objects.get())
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("The go/no-go is signed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the pack").click()
    report = verifier.verify(download.value.path().read_bytes(), server_key=seals.public_key())
    assert report.problems == []
    assert any("(passkey)" in line for line in report.proven)


@pytest.mark.slow
def test_a_passkey_that_does_not_verify_its_user_signs_nothing(visit: Visits, case: Case) -> None:
    page = visit(path(case, "go-no-go/"), by=case.owner.user)
    with passkey_of(page) as verifies:
        verifies(False)
        page.goto(path(case, f"go-no-go/{ask(case).pk}/"))
        page.get_by_role("button", name="Sign with your passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("The passkey was not used, so nothing was signed.")
        expect(page.get_by_role("button", name="Sign with your passkey")).to_be_enabled()
    assert not Signature.objects.exists()


@pytest.mark.slow
def test_evidence_that_moved_is_said_beside_the_button(visit: Visits, case: Case) -> None:
    page = visit(path(case, "go-no-go/"), by=case.owner.user)
    with passkey_of(page):
        page.goto(path(case, f"go-no-go/{ask(case).pk}/"))
        case.answer(Outcome.WARN, lost=2)
        case.run_checks(at=timezone.now())
        page.get_by_role("button", name="Sign with your passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("The evidence moved after it was frozen: Data moved.")


def test_without_javascript_a_confirmed_person_signs(visit: Visits, case: Case) -> None:
    asked = ask(case)
    page = visit(path(case, f"go-no-go/{asked.pk}/"), by=case.owner.user, java_script_enabled=False)
    page.get_by_role("button", name="Confirm with your password").click()
    page.locator("input[type=password]").fill(make.PASSWORD)
    page.locator("main form button").first.click()
    page.get_by_role("button", name="Sign, confirmed by password").click()
    expect(page.get_by_text("Password, lower assurance")).to_be_visible()


# Fit to be seen


@pytest.mark.slow
def test_the_pages_before_asking_are_fit_to_be_seen(
    visit: Visits, case: Case, assert_page_ok: Callable[[Page], None]
) -> None:
    for rest in ("cutover/", "cutover/window/", "cutover/approver/", "go-no-go/"):
        assert_page_ok(visit(path(case, rest), by=case.owner.user))
    case.answer(Outcome.BLOCK, lost=3)
    case.run_checks(at=timezone.now())
    assert_page_ok(visit(path(case, "go-no-go/"), by=case.owner.user))
    auditor = make.member(case.owner.tenant, TenantRole.AUDITOR)
    assert_page_ok(visit(path(case, "go-no-go/"), by=auditor.user))


@pytest.mark.slow
def test_the_pages_of_a_request_are_fit_to_be_seen(
    visit: Visits, case: Case, assert_page_ok: Callable[[Page], None]
) -> None:
    asked = ask(case)
    here = path(case, f"go-no-go/{asked.pk}/")
    assert_page_ok(visit(here, by=case.owner.user))
    assert_page_ok(visit(f"{here}veto/", by=case.owner.user))
    assert_page_ok(visit("/staff/go-no-go/", by=case.runbook_owner))
    assert_page_ok(visit(f"/staff/go-no-go/{asked.pk}/", by=case.runbook_owner))
    sign_for_vendor(case, asked)
    case.sign(asked, at=timezone.now())
    assert_page_ok(visit(here, by=case.owner.user))


@pytest.mark.slow
def test_ended_requests_are_fit_to_be_seen(visit: Visits, case: Case, assert_page_ok: Callable[[Page], None]) -> None:
    for reason in ("Our peak season.", "A" * 900):
        asked = ask(case)
        go_no_go.veto(request_id=asked.pk, reason=reason, by=case.customer, at=timezone.now())
    assert_page_ok(visit(path(case, f"go-no-go/{asked.pk}/"), by=case.owner.user))
    assert_page_ok(visit(path(case, "go-no-go/"), by=case.owner.user))
    assert_page_ok(visit("/staff/go-no-go/", by=case.runbook_owner))


@pytest.mark.slow
def test_a_refused_window_is_fit_to_be_seen(visit: Visits, case: Case, assert_page_ok: Callable[..., None]) -> None:
    page = visit(path(case, "cutover/window/"), by=case.owner.user)
    soon = timezone.now() + timedelta(hours=1)
    page.get_by_label("The window starts").fill(f"{soon:%Y-%m-%dT%H:%M}")
    page.get_by_label("The window ends").fill(f"{soon + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Save the window").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 24 hours from now")
    assert_page_ok(page, expected_status=422)
    page.get_by_label("The window starts").fill("")
    page.get_by_role("button", name="Save the window").click()
    expect(page.get_by_role("alert")).to_contain_text("The window starts: This field is required.")
    assert_page_ok(page, expected_status=422)


@pytest.mark.slow
def test_an_empty_account_is_fit_to_be_seen(
    visit: Visits, committed_db: None, assert_page_ok: Callable[[Page], None]
) -> None:
    owner = make.member(make.tenant())
    for rest in ("cutover/", "go-no-go/"):
        assert_page_ok(visit(f"/t/{owner.tenant.slug}/{rest}", by=owner.user))
