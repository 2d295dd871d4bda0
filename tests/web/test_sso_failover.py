"""The portal's second address: described, tested and signed in by like the first."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.setup_guides import GUIDES
from accounts.models import User
from accounts.queries import sso as connected
from accounts.readiness import sso as readiness
from core import tenancy
from core.findings import Outcome
from tests.company import Company, found
from tests.sso import Browser

pytestmark = pytest.mark.django_db

SECOND = "http://second.example"


@pytest.fixture
def company() -> Company:
    return found()


@pytest.fixture
def browser(company: Company) -> Browser:
    return Browser(company.connection)


def text(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def second(settings) -> str:
    settings.FAILOVER_URL = SECOND
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "second.example"]
    return SECOND


def test_while_the_first_address_is_out_of_order_people_sign_in_by_the_second(company, browser, second):
    company.link()
    browser.client.defaults["HTTP_HOST"] = "second.example"
    sign_in = browser.ask()
    sp = connected.service_provider(company.connection, failover=True)
    assert sp.acs_url == f"{SECOND}/sso/{company.connection.provider_id}/acs/"
    right = browser.provider.answer(company.connection, sign_in)
    assert browser.back(browser.post(browser.provider.message(right))).status_code == 403
    assert company.last().verdicts["audience"] == company.last().verdicts["destination"] == "fail"
    sign_in = browser.ask()
    right = browser.provider.answer(company.connection, sign_in, acs_url=sp.acs_url, audience=sp.entity_id)
    assert browser.back(browser.post(browser.provider.message(right))).status_code == 302
    assert browser.person == str(company.olivia.user_id)


def test_the_second_address_is_described_and_tested_like_the_first(company, browser, second):
    owner = Client()
    owner.force_login(User.objects.get(pk=company.owner.id))
    slug = company.olivia.tenant.slug
    assert SECOND in text(owner.get(reverse("accounts:sso", args=[slug])))
    where = reverse("sso:metadata", args=[company.connection.provider_id])
    assert SECOND in Client().get(f"{where}?second").content.decode()
    assert SECOND in Client(HTTP_HOST="second.example").get(where).content.decode()
    assert SECOND not in Client().get(where).content.decode()
    began = owner.post(reverse("accounts:start_sso_test", args=[slug]), {"address": "second"})
    with tenancy.scope(tenant_id=company.tenant_id):
        test = connected.tests(tenant_id=company.tenant_id).get()
    sp = connected.service_provider(company.connection, failover=True)
    right = browser.provider.answer(company.connection, test, acs_url=sp.acs_url, audience=sp.entity_id)
    browser.post(browser.provider.message(right))
    shown = owner.get(began.url)
    assert "would have been accepted" in text(shown)
    assert "Test the second address again" in text(shown)
    assert '<input type="hidden" name="address" value="second">' in text(shown)
    assert "at our second address" in text(owner.get(reverse("accounts:sso", args=[slug])))
    with tenancy.scope(tenant_id=company.tenant_id):
        at = timezone.now()
        finding = readiness.sso_tested(tenant_id=company.tenant_id, at=at)
        second = readiness.sso_failover_tested
        assert second(tenant_id=company.tenant_id, at=at).outcome is Outcome.PASS
        lapsed = second(tenant_id=company.tenant_id, at=at + timedelta(days=15))
        assert (lapsed.outcome, "14 days" in lapsed.summary) == (Outcome.WARN, True)
        test.__class__.objects.filter(pk=test.pk).update(outcome="failed")
        failed = second(tenant_id=company.tenant_id, at=at)
        assert (failed.outcome, "failed" in failed.summary) == (Outcome.WARN, True)
        test.__class__.objects.filter(pk=test.pk).update(is_failover=False)
        untested = second(tenant_id=company.tenant_id, at=at)
        assert (untested.outcome, "Nobody has tested" in untested.summary) == (Outcome.WARN, True)
        assert "Test the second address" in untested.fix
        test.__class__.objects.filter(pk=test.pk).update(is_failover=True)
        assert connected.latest_answered(connection=company.connection) is None
    assert "not tested" in finding.summary  # the first address is another question


def test_each_guide_enters_the_second_address_or_says_why_not(company, second):
    owner = Client()
    owner.force_login(User.objects.get(pk=company.owner.id))
    sp = connected.service_provider(company.connection, failover=True)
    for product, guide in GUIDES.items():
        shown = owner.get(reverse("accounts:sso_guide", args=[company.olivia.tenant.slug, product])).content.decode()
        assert "Our second address" in shown
        assert (sp.entity_id in shown, sp.acs_url in shown) == (guide.takes_second, guide.takes_second)
        assert guide.takes_second or "gives each application an entity ID" in shown


def test_without_a_second_address_no_guide_speaks_of_one(company):
    owner = Client()
    owner.force_login(User.objects.get(pk=company.owner.id))
    shown = owner.get(reverse("accounts:sso_guide", args=[company.olivia.tenant.slug, "entra"]))
    assert "Our second address" not in text(shown)


def test_without_a_second_address_there_is_none(company, browser):
    where = reverse("sso:metadata", args=[company.connection.provider_id])
    assert Client().get(f"{where}?second").content == Client().get(where).content
    owner = Client()
    owner.force_login(User.objects.get(pk=company.owner.id))
    began = reverse("accounts:start_sso_test", args=[company.olivia.tenant.slug])
    refused = owner.post(began, {"address": "second"})
    assert (refused.status_code, "no second address" in text(refused)) == (422, True)
