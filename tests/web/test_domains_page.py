"""The domains page as a customer meets it: every failure with the words they see."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Domain, Tenant
from core.permissions import TenantRole
from tests import make
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.django_db


@dataclass
class Browser:
    """A signed-in member's browser."""

    client: Client
    tenant: Tenant

    def get(self):
        return self.client.get(reverse("accounts:domains", args=[self.tenant.slug]))

    def claim(self, name: str):
        return self.client.post(reverse("accounts:claim_domain", args=[self.tenant.slug]), {"name": name}, follow=True)

    def act(self, what: str, domain: Domain, *, htmx: bool = False):
        url = reverse(f"accounts:{what}_domain", args=[self.tenant.slug, domain.pk])
        return self.client.post(url, follow=True, headers={"HX-Request": "true"} if htmx else {})


@pytest.fixture
def open_as(fake_dns: type[FakeDns]) -> Callable[..., Browser]:
    fake_dns.zones.domains.append("jetblue.example")

    def browse(role: TenantRole = TenantRole.ADMIN, tenant: Tenant | None = None) -> Browser:
        tenant = tenant or make.tenant("JetBlue")
        client = Client()
        client.force_login(make.member(tenant, role).user)
        return Browser(client, tenant)

    return browse


def only_domain() -> Domain:
    with make.arranging():
        return Domain.objects.get()


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_empty_page_says_what_to_do_next(open_as):
    page = text(open_as().get())
    assert "No domain yet" in page
    assert "Claim the domain of your organisation below" in page
    assert "No domain yet" in text(open_as(TenantRole.MEMBER).get())


def test_a_claim_shows_the_record_with_copy_buttons(open_as):
    browser = open_as()
    page = text(browser.claim("JetBlue.example"))
    domain = only_domain()
    assert 'data-copy="_crossing-challenge.jetblue.example"' in page
    assert f'data-copy="token={domain.token}"' in page
    assert "enter only <code>_crossing-challenge</code>" in page
    assert "Waiting for the record" in page
    assert "The next check is" in page
    assert f"{domain.token}.dcv." in page, "the alias for providers without TXT"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("co.uk", "co.uk is a public suffix: many organisations register names under it. Enter your own domain."),
        ("gmail.com", "gmail.com belongs to a public mail service. Enter a domain that your organisation holds."),
        ("owner@jetblue.example", "Enter only the part after the @."),
        ("https://jetblue.example", "Enter the domain alone, without https:// and without a path or port."),
        ("", "Enter a domain, for example airline.example."),
        ("<script>alert(1)</script>.example", "Enter the domain alone"),
    ],
)
def test_a_refused_claim_says_why_and_keeps_what_was_typed(open_as, name, words):
    response = open_as().claim(name)
    assert response.status_code == 422
    assert words in text(response)
    assert "<script>alert" not in response.content.decode()
    if name:
        assert f'value="{name.split("<")[0]}' in response.content.decode()


def test_a_domain_that_is_not_in_dns(open_as):
    browser = open_as()
    browser.claim("nobody.example")
    page = text(browser.act("check", only_domain()))
    assert "nobody.example does not exist in public DNS." in page
    assert "Check the spelling." in page


def test_a_record_that_is_not_published_yet(open_as):
    browser = open_as()
    browser.claim("jetblue.example")
    page = text(browser.act("check", only_domain()))
    assert "There is no record at _crossing-challenge.jetblue.example yet." in page
    assert "<dt>Found</dt> <dd>nothing</dd>" in page
    assert "Name servers may keep this answer until" in page
    assert "(30 seconds from the check on)" in page


def test_a_wrong_value_is_shown_beside_the_expected(open_as):
    browser = open_as()
    browser.claim("jetblue.example")
    domain = only_domain()
    FakeDns.publish("_crossing-challenge.jetblue.example", "token=<b>wrong</b>")
    page = text(browser.act("check", domain, htmx=True))
    assert f'<dd><code class="wrap">token={domain.token}</code></dd>' in page
    assert "token=&lt;b&gt;wrong&lt;/b&gt;" in page
    assert "Replace its value by" in page
    assert "<html" not in page, "htmx gets the card alone"


def test_an_earlier_token(open_as):
    browser = open_as()
    browser.claim("jetblue.example")
    domain = only_domain()
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={domain.token}")
    browser.act("renew", domain)
    page = text(browser.act("check", domain))
    assert "The record carries an earlier token, which no longer counts." in page


def test_an_outage(open_as):
    browser = open_as()
    browser.claim("jetblue.example")
    FakeDns.zones.faults["jetblue.example"] = "servfail"
    page = text(browser.act("check", only_domain()))
    assert "answered with a failure (SERVFAIL)" in page
    assert "We check again by ourselves." in page


def test_a_domain_held_by_another_account(open_as):
    first, second = open_as(), open_as(tenant=make.tenant("Somebody else"))
    first.claim("jetblue.example")
    held = only_domain()
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={held.token}")
    assert "Proven since" in text(first.act("check", held))
    page = text(second.claim("jetblue.example"))
    assert "Waiting for the record" in page, "a claim tells nothing"
    with make.arranging():
        claimed = Domain.objects.exclude(pk=held.pk).get()
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={claimed.token}")
    page = text(second.act("check", claimed))
    assert "The record is right, but another account holds this domain." in page
    assert "JetBlue" not in page.replace("jetblue.example", "")


def test_a_proven_domain(open_as):
    browser = open_as()
    browser.claim("jetblue.example")
    domain = only_domain()
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={domain.token}")
    page = text(browser.act("check", domain))
    assert "Proven since" in page
    assert "by its TXT record" in page
    assert "you may remove what you published" in page
    assert "Prove again" in page


def test_a_released_domain_is_gone(open_as):
    browser = open_as()
    browser.claim("jetblue.example")
    assert "No domain yet" in text(browser.act("release", only_domain()))


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_who_only_reads_sees_no_buttons_and_is_refused(open_as, role):
    admin = open_as()
    admin.claim("jetblue.example")
    reader = open_as(role, admin.tenant)
    page = text(reader.get())
    assert "Waiting for the record" in page
    assert "Check now" not in page
    domain = only_domain()
    assert reader.claim("other.example").status_code == 403
    for what in ("check", "renew", "release"):
        assert reader.act(what, domain).status_code == 403


def test_another_tenants_domain_does_not_exist(open_as):
    first, second = open_as(), open_as(tenant=make.tenant())
    first.claim("jetblue.example")
    for what in ("check", "renew", "release"):
        assert second.act(what, only_domain()).status_code == 404
    assert first.get().status_code == 200
    second.tenant = first.tenant
    assert second.get().status_code == 404


def test_the_page_costs_the_same_with_many_domains(open_as):
    browser = open_as()
    browser.claim("first.example")
    browser.get()
    with CaptureQueriesContext(connection) as one:
        browser.get()
    for number in range(8):
        browser.claim(f"airline-{number}.example")
    with CaptureQueriesContext(connection) as many:
        assert "airline-7.example" in text(browser.get())
    assert len(many) == len(one)


def test_a_waiting_page_is_told_only_what_is_new(open_as):
    browser = open_as()
    browser.claim("jetblue.example")
    domain = only_domain()
    url = reverse("accounts:domain", args=[browser.tenant.slug, domain.pk])
    assert browser.client.get(url).url.endswith(f"/domains/#domain-{domain.pk}")
    seen = re.search(rf'hx-get="({url}\?seen=[^"]+)"', browser.get().content.decode())
    assert seen
    htmx = {"HX-Request": "true"}
    assert browser.client.get(seen[1], headers=htmx).status_code == 204
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={domain.token}")
    browser.act("check", domain)
    changed = browser.client.get(seen[1], headers=htmx)
    assert "Proven since" in text(changed)
    assert "hx-trigger" not in text(changed), "nothing more to wait for"
    stranger = open_as(tenant=make.tenant())
    assert stranger.client.get(url, headers=htmx).status_code == 404
