"""Signed requests, borne out by a provider that shares no code with ours: pysaml2's."""

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.services import sso as connecting
from core import tenancy
from tests import sso
from tests.company import found
from tests.independent_idp import IndependentProvider, given_by
from tests.sso import Browser, signer
from tests.web.test_our_metadata import described, events, use

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_requests_are_signed_for_a_provider_that_asks_and_an_independent_one_agrees(
    settings: Settings, tmp_path: Path
) -> None:
    company = found()
    company.link()
    browser = Browser(company.connection)
    assert "Signature=" not in browser.ask().leaves_for
    provider = IndependentProvider(tmp_path, signer(), [sso.EMAIL], wants_signed_requests=True)
    with tenancy.scope(tenant_id=company.tenant_id):
        connecting.connect(
            tenant_id=company.tenant_id, document=provider.metadata(), by=company.owner, at=timezone.now()
        )
        told = events(company)
    assert "accounts.sso.requests_signed" in told
    document = described(company.connection)
    assert 'AuthnRequestsSigned="true"' in document
    provider.serve(document)
    url = browser.ask().leaves_for
    assert provider.checked(url)
    other = given_by(browser.ask().leaves_for)["RelayState"]
    assert not provider.checked(url.replace(given_by(url)["RelayState"], other))
    use(settings, "stranger")
    assert not provider.checked(browser.ask().leaves_for)
