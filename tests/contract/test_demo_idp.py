"""The demo's identity provider over HTTP: what it offers, whom it answers, and that its answers are what it says."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest
from django.conf import settings

from accounts.domain.assertions import Expected, judge
from core.saml import ServiceProvider
from portal.adapters.saml import OneloginProvider
from portal.demo.idp import FAULTS, Fault, IdentityProvider
from portal.demo.idp_pages import SignInServer
from tests.ports import free_port
from tests.serving import serving

PORTAL = "http://localhost:8000"
SP = ServiceProvider(f"{PORTAL}/sso/org_1/metadata/", f"{PORTAL}/sso/org_1/acs/")
SAML = OneloginProvider(settings.SAML_KEYS)
EXPECTED = {
    Fault.NONE: set(),
    Fault.AUDIENCE: {"audience"},
    Fault.ACS: {"destination", "recipient"},
    Fault.CLOCK: {"confirmed_until", "conditions", "issued"},
    Fault.CERTIFICATE: {"signature"},
    Fault.UNSIGNED: {"signature", "algorithms"},
    Fault.DOMAIN: {"email"},
    Fault.REFUSED: {"status", "structure"},
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    port = free_port()
    folder = tmp_path_factory.mktemp("idp")
    known = IdentityProvider(folder, address=f"http://127.0.0.1:{port}/", portals=lambda: [PORTAL, ""])
    with serving(SignInServer(known, port=port)):
        yield known


@pytest.fixture
def browser(provider: IdentityProvider) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=provider.address, trust_env=False) as client:
        yield client


def fields(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}


@pytest.mark.parametrize("fault", list(Fault))
def test_each_choice_on_its_page_goes_wrong_as_it_says_and_in_no_other_way(
    provider: IdentityProvider, browser: httpx.Client, fault: Fault
) -> None:
    idp = SAML.metadata(browser.get("/american/metadata").content)
    asked = SAML.request(sp=SP, idp=idp, relay_state="run <1>")
    page = browser.get(asked.url).text
    assert SP.entity_id in page
    given = {**fields(page), "person": "owner@american.example", "fault": fault.value}
    answer = browser.post("/american/sso", data=given)
    carried = fields(answer.text)
    entered = SP.acs_url.removesuffix("/") if fault is Fault.ACS else SP.acs_url
    assert f'action="{entered}"' in answer.text
    assert carried["RelayState"] == "run <1>"
    now = datetime.now(UTC)
    judgement = judge(
        SAML.response(carried["SAMLResponse"], certificates=idp.certificates),
        expected=Expected(SP, idp.entity_id, idp.certificates, asked.id, now, ("american.example",)),
        at=now,
    )
    assert {check.code.value for check in judgement.failed} == EXPECTED[fault]
    assert set(FAULTS) == set(EXPECTED)


def test_the_former_metadata_carry_a_certificate_that_has_ended(browser: httpx.Client) -> None:
    now, former = SAML.metadata(browser.get("/american/metadata").content), browser.get("/american/former-metadata")
    old = SAML.metadata(former.content)
    assert old.entity_id == now.entity_id
    assert old.certificates[0].not_after < datetime.now(UTC) < now.certificates[0].not_after - timedelta(days=30)


def test_each_airline_keeps_keys_of_its_own(provider: IdentityProvider, browser: httpx.Client) -> None:
    american, jetblue = (browser.get(f"/{slug}/metadata").text for slug in ("american", "jetblue"))
    assert american != jetblue
    assert browser.get("/american/metadata").text == american
    again = IdentityProvider(provider._folder, address=provider.address, portals=lambda: [PORTAL, ""])
    found = again.find("american")
    assert found
    assert again.metadata(found) == american
    assert (provider._folder / "american.json").stat().st_mode & 0o077 == 0


def test_it_answers_the_portal_alone(browser: httpx.Client) -> None:
    idp = SAML.metadata(browser.get("/american/metadata").content)
    evil = ServiceProvider("https://evil.example", "https://evil.example/acs/")
    for url in (SAML.request(sp=evil, idp=idp, relay_state="").url, "/american/sso?SAMLRequest=x", "/american/sso"):
        assert browser.get(url).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/american/", 200), ("/nobody/", 404), ("/american/x", 404), ("/idp.css", 200)]
)
def test_its_pages(browser: httpx.Client, path: str, status: int) -> None:
    assert browser.get(path).status_code == status


def test_no_other_page_signs_anybody_in(browser: httpx.Client) -> None:
    assert (
        browser.post("/american/sso", data={"token": "guessed", "person": "owner@american.example"}).status_code == 403
    )
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 421
