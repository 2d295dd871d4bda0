"""The page of API tokens: a secret is shown in one answer, and nowhere else."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from core import tenancy, tokens
from core.models import LedgerEntry, Token
from core.permissions import TenantRole
from tests import api, make

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"crossing_[0-9a-f]{8}_[\w-]{43}")


@pytest.fixture
def owner() -> Member:
    return make.member(make.tenant())


@pytest.fixture
def browser(owner: Member, client: Client) -> Client:
    client.force_login(owner.user)
    return client


def address(owner: Member, name: str = "tokens", **ids: Any) -> str:
    return reverse(f"integrations:{name}", kwargs={"slug": owner.tenant.slug, **ids})


def issue(browser: Client, owner: Member, **typed: Any) -> HttpResponse:
    asked = {"name": "Nightly", "scopes": ["readiness:read", "domains:read"], "days": "30", **typed}
    return browser.post(address(owner), asked)


def secret_of(answer: HttpResponse) -> str:
    found = set(SECRET.findall(answer.content.decode()))
    assert len(found) == 1
    return found.pop()


def tokens_of(owner: Member) -> list[Token]:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return list(tokens.listed(tenant_id=owner.tenant_id))


def test_a_secret_is_shown_once_works_and_stays_out_of_caches(browser: Client, owner: Member) -> None:
    answer = issue(browser, owner)
    secret = secret_of(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert api.call("GET", "/api/v1/domains", secret=secret).status_code == 200
    api.problem(api.call("GET", "/api/v1/jobs", secret=secret), 403)
    page = browser.get(address(owner)).content.decode()
    assert not SECRET.search(page)
    assert secret[:17] in page
    assert "In force" in page
    assert browser.session.get("_auth_user_id")
    assert secret not in str(dict(browser.session))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": " "}, "This field is required"),
        ({"scopes": []}, "Choose at least one thing"),
        ({"scopes": ["everything"]}, "not one of the available choices"),
        ({"days": "9999"}, "not one of the available choices"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_token_that_cannot_be_comes_back_with_its_reason(
    browser: Client, owner: Member, typed: dict[str, Any], words: str
) -> None:
    answer = issue(browser, owner, **typed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert tokens_of(owner) == []


def test_nobody_is_offered_a_scope_that_their_role_does_not_hold(owner: Member, browser: Client) -> None:
    offered = browser.get(address(owner)).content.decode()
    assert "approvals:read" in offered
    with make.arranging():
        Member.objects.filter(pk=owner.pk).update(role=TenantRole.ADMIN)
    assert "readiness:run" in browser.get(address(owner)).content.decode()


def test_a_rotated_token_has_two_secrets_until_the_old_one_ends(browser: Client, owner: Member) -> None:
    old = secret_of(issue(browser, owner))
    (token,) = tokens_of(owner)
    answer = browser.post(address(owner, "rotate_token", token_id=token.pk), {"hours": "24"})
    new = secret_of(answer)
    assert new != old
    words = answer.content.decode()
    assert "then it ends by itself" in words
    assert "Being replaced" in words
    assert [api.call("GET", "/api/v1/domains", secret=each).status_code for each in (old, new)] == [200, 200]
    again = browser.post(address(owner, "rotate_token", token_id=token.pk), {"hours": "24"})
    assert (again.status_code, "was replaced already" in again.content.decode()) == (422, True)


def test_a_token_rotated_at_once_leaves_one_secret(browser: Client, owner: Member) -> None:
    old = secret_of(issue(browser, owner))
    (token,) = tokens_of(owner)
    answer = browser.post(address(owner, "rotate_token", token_id=token.pk), {"hours": "0"})
    assert "The old secret is void" in answer.content.decode()
    statuses = [api.call("GET", "/api/v1/domains", secret=each).status_code for each in (old, secret_of(answer))]
    assert statuses == [401, 200]


@pytest.mark.parametrize("hours", ["", "-1", "169", "x"])
def test_another_overlap_is_refused(browser: Client, owner: Member, hours: str) -> None:
    issue(browser, owner)
    (token,) = tokens_of(owner)
    assert browser.post(address(owner, "rotate_token", token_id=token.pk), {"hours": hours}).status_code == 422


def test_a_revoked_token_is_refused_from_then_on(browser: Client, owner: Member) -> None:
    secret = secret_of(issue(browser, owner))
    (token,) = tokens_of(owner)
    assert browser.post(address(owner, "revoke_token", token_id=token.pk)).status_code == 302
    api.problem(api.call("GET", "/api/v1/domains", secret=secret), 401)
    assert "Revoked" in browser.get(address(owner)).content.decode()
    with tenancy.scope(tenant_id=owner.tenant_id):
        assert LedgerEntry.objects.filter(event="core.token.revoked").count() == 1


def test_the_page_says_which_tokens_stopped_with_whom(browser: Client, owner: Member) -> None:
    admin = make.member(owner.tenant, TenantRole.ADMIN)
    api.token(admin, "domains:write")
    with make.arranging():
        row = Member.objects.filter(pk=admin.pk)
        row.update(role=TenantRole.AUDITOR)
        assert "Its issuer may no longer do all of it" in browser.get(address(owner)).content.decode()
        row.update(deactivated_at=timezone.now(), deactivated_by=owner.user_id)
    page = browser.get(address(owner)).content.decode()
    assert "Its issuer left the account" in page
    (token,) = tokens_of(owner)
    secret = secret_of(browser.post(address(owner, "rotate_token", token_id=token.pk), {"hours": "1"}))
    assert api.call("DELETE", f"/api/v1/domains/{token.pk}", secret=secret).status_code == 404


def test_ended_tokens_say_so(browser: Client, owner: Member) -> None:
    api.token(owner, "domains:read")
    with make.arranging():
        past = timezone.now() - timedelta(days=1)
        Token.objects.update(created_at=past - timedelta(days=1), expires_at=past)
    assert "Ended" in browser.get(address(owner)).content.decode()


def test_a_token_is_revoked_with_what_it_issued_unless_a_person_leaves_that(browser: Client, owner: Member) -> None:
    def through(secret: str, name: str) -> str:
        told = api.call("POST", "/api/v1/provisioning/tokens", secret=secret, body={"name": name})
        return str(told.json()["secret"])

    def opens(secret: str) -> bool:
        with tenancy.empty_scope():
            return tokens.authenticate(secret, at=timezone.now()) is not None

    first = api.token(owner, "provisioning:tokens")
    (keeper,) = tokens_of(owner)
    issued = through(first, "Directory")
    rotated = browser.post(address(owner, "rotate_token", token_id=keeper.pk), {"hours": "24"})
    keeper = next(token for token in tokens_of(owner) if token.replaced_at is None and token.issued_through is None)
    other = through(secret_of(rotated), "Another")  # what the old one issued counts as the new one's
    page = browser.get(address(owner)).content.decode()
    assert page.count(f"through {keeper.name} ({keeper.prefix})") == 2
    assert "It issued 2 tokens in force." in page
    assert 'name="and_issued" value="1" checked' in page
    browser.post(address(owner, "revoke_token", token_id=keeper.pk))
    assert [opens(secret) for secret in (secret_of(rotated), issued, other)] == [False, True, True]
    assert f"({keeper.prefix}, revoked)" in browser.get(address(owner)).content.decode()
    browser.post(address(owner, "revoke_token", token_id=keeper.pk), {"and_issued": "1"})
    assert [opens(secret) for secret in (issued, other)] == [False, False]
    told = LedgerEntry.objects.filter(event="core.token.revoked")
    with make.arranging():
        assert told.values("subject_id").distinct().count() == told.count() == 3
