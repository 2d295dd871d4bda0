"""What cannot be taken back is asked for first, without JavaScript by a page of its own."""

import re

import pytest
from django.test import Client

from accounts.models import Domain, Member, User
from accounts.services import domains
from core.permissions import TenantRole
from tests import make
from tests.queueing import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def domain() -> Domain:
    owner = make.member(make.tenant(slug="aloha"), TenantRole.OWNER)
    with make.arranging():
        return domains.claim(tenant_id=owner.tenant_id, typed="aloha.example", by=make.actor(owner), at=now())


@pytest.fixture
def strict(domain: Domain) -> Client:
    """A browser whose forms need their token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner(domain))
    return client


def owner(domain: Domain) -> User:
    with make.arranging():
        return Member.objects.get(tenant=domain.tenant).user


def form(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    body = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert body, page
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body[0]))


def kept(domain: Domain) -> bool:
    with make.arranging():
        return Domain.objects.filter(pk=domain.pk).exists()


def test_a_question_stands_before_what_it_asks_about(strict: Client, domain: Domain) -> None:
    here = f"/t/aloha/domains/{domain.pk}/release/"
    page = strict.get("/t/aloha/domains/").text
    asked = strict.post(here, form(page, here), headers={"referer": "http://testserver/t/aloha/domains/"})
    assert asked.status_code == 200
    assert "Release aloha.example?" in asked.text
    assert 'href="http://testserver/t/aloha/domains/"' in asked.text
    assert kept(domain)
    fields = form(asked.text, here)
    assert set(fields) == {"csrfmiddlewaretoken"}
    assert strict.post(here, fields).status_code == 302
    assert not kept(domain)


def test_a_form_without_its_token_gets_no_question(strict: Client, domain: Domain) -> None:
    asked = {"ask_first": "Give us your password", "ask_label": "OK"}
    refused = strict.post(f"/t/aloha/domains/{domain.pk}/release/", asked)
    assert refused.status_code == 403
    assert "Give us your password" not in refused.text


def test_what_was_filled_in_goes_along_and_nothing_of_it_is_markup(client: Client, domain: Domain) -> None:
    client.force_login(owner(domain))
    fields = {"ask_first": "<b>Sure?</b>", "ask_label": "Yes", "role": ["owner", '"><script>']}
    page = client.post("/t/aloha/members/", fields, headers={"referer": "https://elsewhere.example/"}).text
    assert "&lt;b&gt;Sure?&lt;/b&gt;" in page
    assert '<input type="hidden" name="role" value="owner">' in page
    assert "<script>" not in page
    assert "elsewhere" not in page


def test_somebody_who_is_not_signed_in_is_asked_nothing(client: Client, domain: Domain) -> None:
    response = client.post(f"/t/aloha/domains/{domain.pk}/release/", {"ask_first": "Sure?"})
    assert response.status_code == 302
    assert "/login/" in response["Location"]
