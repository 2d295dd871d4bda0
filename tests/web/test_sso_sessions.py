"""How long a session lasts that a provider opened, and that whoever is put out is out at once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.queries import enforcement
from accounts.services import members
from core import tenancy
from core.permissions import TenantRole
from portal.demo import minting
from tests import make
from tests.company import Company, found
from tests.forging import put
from tests.signing_in import by_password_alone
from tests.sso import Browser

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def company() -> Company:
    return found()


def enter(company: Company, *, ends: datetime | None = None, browser: Browser | None = None) -> Client:
    """Sign Olivia in by an answer that says until when the session is to last."""
    browser = browser or Browser(company.connection)
    asked = browser.ask()
    change = put("AuthnStatement", "SessionNotOnOrAfter", minting.moment(ends)) if ends else None
    message = browser.provider.message(browser.provider.answer(browser.connection, asked), before=change)
    assert browser.back(browser.post(message, relay_state=str(asked.pk))).status_code == 302
    return browser.client


def is_in(client: Client) -> bool:
    return "login" not in client.get("/")["Location"]


def test_a_session_ends_when_the_provider_wants_it_to(company: Company) -> None:
    company.link()
    now = timezone.now().replace(microsecond=0)
    session = enter(company, ends=now + HOUR).session
    assert session.get_expiry_date() == now + HOUR + timedelta(minutes=2)  # as far as clocks may differ
    assert (company.last().session_ends_at, "_session_expiry" in session) == (now + HOUR + timedelta(minutes=2), True)


def test_a_session_lasts_no_longer_than_any_other(company: Company) -> None:
    company.link()
    usual = timedelta(weeks=2)
    for ends in (None, timezone.now() + 100 * usual, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)):
        left = enter(company, ends=ends).session.get_expiry_date() - timezone.now()
        assert timedelta(hours=-1) < left - usual < timedelta(minutes=1)


def test_the_next_sign_in_says_anew(company: Company) -> None:
    company.link()
    browser, now = Browser(company.connection), timezone.now()
    enter(company, ends=now + HOUR, browser=browser)
    enter(company, ends=now + 3 * HOUR, browser=browser)
    assert browser.client.session.get_expiry_date() > now + 2 * HOUR
    enter(company, browser=browser)
    assert browser.client.session.get_expiry_date() > now + 24 * HOUR


def test_what_vouched_for_a_session_vouches_no_longer(company: Company, rf, monkeypatch: pytest.MonkeyPatch) -> None:
    company.link()
    request = rf.get("/")
    request.session = enter(company, ends=timezone.now() + HOUR).session

    def proves() -> bool:
        return enforcement.proves(request, user=company.olivia.user, tenant_ids=[company.tenant_id])

    assert proves()
    later = timezone.now() + 2 * HOUR
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert not proves()


def test_who_is_deactivated_is_signed_out_at_once_and_nobody_else(company: Company) -> None:
    company.link()
    with tenancy.scope(tenant_id=company.tenant_id):
        owner = Member.objects.select_related("user").get(role=TenantRole.OWNER)
    provided, typed, others = enter(company), Client(), Client()
    by_password_alone(typed, company.olivia.user)
    by_password_alone(others, owner.user)
    for client in (typed, others):
        assert client.get(reverse("usersessions_list")).status_code == 200  # which writes the session down
    with tenancy.scope(tenant_id=company.tenant_id):
        members.deactivate(member=company.olivia, by=make.actor(owner), at=timezone.now())
    assert (is_in(provided), is_in(typed), is_in(others)) == (False, False, True)
