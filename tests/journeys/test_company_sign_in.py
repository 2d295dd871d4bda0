"""Signing in with one's company, by providers that share no code with ours: pysaml2's, and the demo's, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import Member
from core import tenancy
from core.permissions import TenantRole
from portal.demo import minting
from tests import counterparts, customers, make, sso
from tests.browsing import Visits, check_page
from tests.counterparts import Counterparts
from tests.independent_idp import IndependentProvider, serving

pytestmark = pytest.mark.slow

OLIVIA = "olivia@airline.example"


@pytest.fixture
def addresses(visit: Visits, settings: Settings) -> tuple[str, str]:
    """The portal's address, and its second one: the same server by its number."""
    settings.PUBLIC_URL = visit.server.url
    settings.FAILOVER_URL = visit.server.url.replace("localhost", "127.0.0.1")
    assert settings.FAILOVER_URL != settings.PUBLIC_URL
    settings.ALLOWED_HOSTS = ["*"]
    return settings.PUBLIC_URL, settings.FAILOVER_URL


@pytest.fixture
def olivia(committed_db: None) -> Member:
    tenant = make.tenant("JetBlue", slug="jetblue")
    owner = make.actor(make.member(tenant, person=make.user("Owen Owner", email="owen@airline.example")))
    with tenancy.scope(tenant_id=tenant.pk):
        sso.prove(tenant.pk, "airline.example", owner)
    return make.member(tenant, TenantRole.MEMBER, person=make.user("Olivia Owen", email=OLIVIA))


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IndependentProvider]:
    with serving(IndependentProvider(tmp_path, sso.signer(), [OLIVIA, "nobody@airline.example"])) as running:
        yield running


def upload(owner: Page, metadata: bytes, *, button: str, slug: str = "jetblue") -> None:
    owner.goto(f"/t/{slug}/sso/")
    file = {"name": "metadata.xml", "mimeType": "text/xml", "buffer": metadata}
    owner.get_by_label("Metadata file").set_input_files(file)  # type: ignore[arg-type]
    owner.get_by_role("button", name=button, exact=True).click()
    if button == "Use this metadata":
        expect(owner.get_by_role("heading", name="This is what changes: yes or no?")).to_be_visible()
        check_page(owner)
        owner.get_by_role("button", name="Yes, use this metadata").click()


def sign_in(page: Page, *, start: str, person: str = OLIVIA) -> None:
    page.goto(start)
    page.get_by_label("Your work e-mail address").fill(person)
    page.get_by_role("button", name="Continue").click()
    answer(page, person)


def answer(page: Page, person: str = OLIVIA) -> None:
    page.get_by_role("button", name=person).click()
    page.get_by_role("button", name="Go on").click()


def signed_out(page: Page, address: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{address}/t/jetblue/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_people_sign_in_by_an_independent_provider_which_changes_its_key_and_fails_over(
    visit: Visits, addresses: tuple[str, str], olivia: Member, provider: IndependentProvider
) -> None:
    first, second = addresses
    with make.arranging():
        owen = Member.objects.select_related("user").get(user__email="owen@airline.example")
    owner = visit("/t/jetblue/sso/", by=owen.user, freshly=True)
    owner.get_by_role("button", name="Set single sign-on up").click()
    for query in ("", "?second"):
        link = owner.get_by_role("link", name="Download all of this as metadata").get_attribute("href")
        provider.serve(owner.request.get(f"{first}{link}{query}").text())
    upload(owner, provider.metadata(), button="Connect")

    # A test signs nobody in, and says whom it would be.
    owner.get_by_role("button", name="Test sign-in").click()
    owner.get_by_role("link", name="Continue to your provider").click()
    answer(owner)
    expect(owner.get_by_text("This sign-in would have been accepted")).to_be_visible()
    expect(owner.get_by_text("This maps to Olivia Owen")).to_be_visible()

    # The first sign-in waits; the owner approves; the next one is in.
    page = visit("/accounts/login/")
    page.get_by_role("link", name="Sign in with your company").click()
    check_page(page)
    sign_in(page, start="/sso/?next=/t/jetblue/domains/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your first sign-in here waits for approval.")
    page.complaints.clear()  # type: ignore[attr-defined]  # that it is a refusal (403)
    owner.goto("/t/jetblue/sso/links/")
    expect(owner.get_by_role("row", name=OLIVIA)).to_contain_text("Olivia Owen")
    check_page(owner)
    owner.get_by_role("button", name="Approve the chosen").click()
    expect(owner.get_by_text("Approved")).to_be_visible()
    sign_in(page, start="/sso/?next=/t/jetblue/domains/")
    expect(page).to_have_url(f"{first}/t/jetblue/domains/")
    check_page(page)
    nobody = visit("/sso/")
    sign_in(nobody, start="/sso/", person="nobody@airline.example")
    expect(nobody.get_by_role("heading", level=1)).to_contain_text("You have no access")
    owner.goto("/t/jetblue/sso/sign-ins/")
    expect(owner.get_by_text("Nobody in your account has this address")).to_be_visible()
    check_page(owner)

    # The key changes without anybody noticing: metadata with both, then signing by the new one, then the new one alone.
    old, new = provider.signer, sso.signer("new")
    provider.more = [new]
    upload(owner, provider.metadata(), button="Use this metadata")
    signed_out(page, first)
    sign_in(page, start="/sso/?next=/t/jetblue/")
    expect(page).to_have_url(f"{first}/t/jetblue/")
    provider.signer, provider.more = new, [old]
    signed_out(page, first)
    sign_in(page, start="/sso/?next=/t/jetblue/")
    expect(page).to_have_url(f"{first}/t/jetblue/")
    provider.more = []
    signed_out(page, first)
    sign_in(page, start="/sso/?next=/t/jetblue/")
    expect(page).to_have_url(f"{first}/t/jetblue/")

    # The first address is out of order: the same people, the same provider, our second address, tested before.
    owner.goto("/t/jetblue/sso/")
    owner.get_by_text("Our second address").click()
    owner.get_by_role("button", name="Test the second address").click()
    owner.get_by_role("link", name="Continue to your provider").click()
    answer(owner)
    expect(owner.get_by_text("This sign-in would have been accepted")).to_be_visible()
    away = visit(f"{second}/sso/?next=/t/jetblue/")
    sign_in(away, start=f"{second}/sso/?next=/t/jetblue/")
    expect(away).to_have_url(f"{second}/t/jetblue/")


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Counterparts]:
    with counterparts.running([customers.airline("HA")], folder=tmp_path) as found:
        yield found


def test_the_owner_signs_in_by_the_demos_provider_and_what_goes_wrong_is_said(
    visit: Visits, settings: Settings, committed_db: None, outside: Counterparts
) -> None:
    settings.PUBLIC_URL = visit.server.url
    tenant = make.tenant("Hawaiian Airlines", slug="hawaiian")
    person = make.user("Olivia Owen", email="owner@hawaiian.example")
    by = make.actor(make.member(tenant, person=person))
    with tenancy.scope(tenant_id=tenant.pk):
        sso.prove(tenant.pk, "hawaiian.example", by)
        page = visit(f"{outside.sign_in.address}hawaiian/")
        document = page.request.get(f"{outside.sign_in.address}hawaiian/metadata").body()
        sso.sso.connect(tenant_id=tenant.pk, document=document, by=by, at=sso.timezone.now())
        sso.identity_links.make_rule(
            tenant_id=tenant.pk, domain="hawaiian.example", kind="link", by=by, at=sso.timezone.now()
        )
    wrong_key = "It signs with a certificate that is not in its metadata"
    for fault, heading in (
        ("The clock is ten minutes slow", "We could not accept what your organisation's sign-in page sent."),
        (wrong_key, "We could not accept what"),
        ("The person has an address of another domain", "We could not accept what"),
        ("", ""),
    ):
        by_demos_provider(page, visit.server.url, outside, fault)
        if fault:
            expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
            expect(page.get_by_text("Reference:")).to_be_visible()
    expect(page).to_have_url(f"{visit.server.url}/t/hawaiian/")

    # Its key changes without anybody noticing: metadata with both, then signing by the next one.
    airline = customers.airline("HA")
    keys, owner = outside.sign_in.keys(airline), visit("/t/hawaiian/sso/", by=person, freshly=True)
    both = minting.metadata(
        entity_id=outside.sign_in.entity_id(airline),
        sso_url=f"{outside.sign_in.address}hawaiian/sso",
        signers=[keys.present, keys.other],
    )
    upload(owner, both.encode(), button="Use this metadata", slug="hawaiian")
    for signs_by in ("", wrong_key):  # which its metadata hold by now
        page.context.clear_cookies()
        by_demos_provider(page, visit.server.url, outside, signs_by)
        expect(page).to_have_url(f"{visit.server.url}/t/hawaiian/")


def by_demos_provider(page: Page, address: str, outside: Counterparts, fault: str) -> None:
    page.goto(f"{address}/sso/?next=/t/hawaiian/")
    page.get_by_label("Your work e-mail address").fill("owner@hawaiian.example")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{outside.sign_in.address}**")
    if fault:
        page.get_by_label("What goes wrong here").select_option(label=fault)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/**")
