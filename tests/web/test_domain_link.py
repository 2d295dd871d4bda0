"""What a link shows to somebody without an account: one domain's records and how they stand, and nothing else."""

import logging
import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.setup_guides import GUIDES, Ours
from accounts.models import Domain, DomainLink, Member
from accounts.queries import sso as sso_known
from accounts.services import domain_links, domains
from accounts.services import sso as sso_services
from core import ledger, tenancy
from core.permissions import TenantRole
from tests import make, sso
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(fake_dns: type[FakeDns]) -> Member:
    cache.clear()
    fake_dns.zones.domains.append("bücher.example")
    tenant = make.tenant("Secret Airways", slug="secret")
    return make.member(tenant, person=make.user("Olga Owner"))


@pytest.fixture
def domain(owner: Member) -> Domain:
    with tenancy.scope(tenant_id=owner.tenant_id):
        domains.claim(tenant_id=owner.tenant_id, typed="other.example", by=make.actor(owner), at=timezone.now())
        return domains.claim(
            tenant_id=owner.tenant_id, typed="bücher.example", by=make.actor(owner), at=timezone.now()
        )  # fmt: skip


@pytest.fixture
def path(owner: Member, domain: Domain) -> str:
    with tenancy.scope(tenant_id=owner.tenant_id):
        _, secret = domain_links.make(domain=domain, by=make.actor(owner), at=timezone.now())
    return reverse("domain_links:show", args=[secret])


def text(response) -> str:
    return " ".join(response.content.decode().split())


def told(owner: Member) -> list[str]:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return [entry.event for entry in reversed(ledger.recent(tenant_id=owner.tenant_id, limit=50))]


def test_it_shows_the_records_and_their_state_and_nobody_and_nothing_else(owner, domain, path):
    response = Client().get(path)
    page = text(response)
    assert f"token={domain.token}" in page
    assert "_crossing-challenge.xn--bcher-kva.example" in page
    assert "bücher.example" in page
    assert "Not checked yet." in page
    for kept in ("Secret Airways", "Olga", "other.example", "/t/secret/", owner.user.email):
        assert kept not in page
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]
    assert not response.cookies


def test_looking_shows_what_is_there_now_and_changes_nothing(owner, domain, path):
    client, host = Client(), "_crossing-challenge.xn--bcher-kva.example"
    FakeDns.zones.domains.append("xn--bcher-kva.example")
    client.get(path)
    assert FakeDns.asked == [], "reading it asks nobody: mail scanners read links"
    assert f"There is no record at {host} yet." in text(client.get(f"{path}?look=1"))
    FakeDns.publish(host, f"token={domain.token}")
    page = text(client.get(f"{path}?look=1"))
    assert "What you published is right" in page
    with make.arranging():
        kept = Domain.objects.get(pk=domain.pk)
        assert (kept.verified_at, kept.next_check_at, kept.checks.count()) == (None, domain.next_check_at, 0)
    assert told(owner)[2:] == ["accounts.domain_link.made", "accounts.domain_link.opened"], "the first time alone"


def test_it_tells_no_more_than_that_where_another_account_holds_the_domain(owner, domain, path):
    other = make.member(make.tenant("Somebody else"))
    FakeDns.zones.domains.append("xn--bcher-kva.example")
    host = "_crossing-challenge.xn--bcher-kva.example"
    with tenancy.scope(tenant_id=other.tenant_id):
        at, by = timezone.now(), make.actor(other)
        theirs = domains.claim(tenant_id=other.tenant_id, typed="bücher.example", by=by, at=at)
        FakeDns.publish(host, f"token={theirs.token}")
        domains.check(domain=theirs, by=by, at=at)
    FakeDns.publish(host, f"token={domain.token}")
    with tenancy.scope(tenant_id=owner.tenant_id):
        domains.check(domain=domain, by=make.actor(owner), at=timezone.now())
    page = text(Client().get(path))
    assert "What you published is right" in page
    assert "another account" not in page


def test_a_proven_domain_asks_for_nothing_more(owner, domain, path):
    FakeDns.zones.domains.append("xn--bcher-kva.example")
    FakeDns.publish("_crossing-challenge.xn--bcher-kva.example", f"token={domain.token}")
    with tenancy.scope(tenant_id=owner.tenant_id):
        domains.check(domain=domain, by=make.actor(owner), at=timezone.now())
    page = text(Client().get(path))
    assert "There is nothing left to do." in page
    assert domain.token not in page


def test_whoever_has_the_link_finds_what_each_message_means(path):
    assert 'href="/dns/"' in text(Client().get(path))
    page = text(Client().get("/dns/"))
    assert "<h1>Proving a domain</h1>" in page
    assert "the alias leads to" in page


def test_looks_are_few_and_openings_are_bounded(path, monkeypatch):
    monkeypatch.setattr(domain_links, "LOOKS_A_MINUTE", 1)
    client = Client()
    client.get(f"{path}?look=1")
    FakeDns.asked.clear()
    response = client.get(f"{path}?look=1")
    assert (response.status_code, FakeDns.asked) == (429, [])
    assert "This was asked for very often." in text(response)
    assert "Try again in" in text(response)
    monkeypatch.setattr(domain_links, "OPENINGS_A_MINUTE", 1)
    assert client.get(path).status_code == 429


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expires_at": timezone.now() + timedelta(microseconds=1)}, "This link has expired."),
        ({"revoked_at": timezone.now(), "revoked_by": make.SYSTEM.known_id}, "This link was taken back."),
    ],
)
def test_a_link_that_ended_opens_nothing(domain, path, change, words):
    with make.arranging():
        DomainLink.objects.update(made_at=timezone.now() - timedelta(days=9), **change)
    response = Client().get(f"{path}?look=1")
    assert response.status_code == 410
    assert words in text(response)
    assert domain.token not in text(response)
    assert FakeDns.asked == []


def test_what_is_no_link_opens_nothing_and_no_secret_is_logged(path, caplog):
    secret = path.strip("/").split("/")[-1]
    with caplog.at_level(logging.DEBUG):
        response = Client().get(f"/dns/{secret[:-1]}/")
        Client().get(path)
    assert response.status_code == 404
    assert "This link opens nothing." in text(response)
    assert not any(secret[:-1] in record.getMessage() for record in caplog.records if record.name != "django.request")
    assert Client().post(path).status_code == 405
    with make.arranging():
        assert secret not in str(list(DomainLink.objects.values()))


def test_it_is_made_shown_once_and_taken_back(owner, domain):
    client = Client()
    client.force_login(owner.user)
    made = client.post(reverse("accounts:make_domain_link", args=["secret", domain.pk]))
    address = made.context["address"]
    assert address in text(made)
    assert address not in text(client.get(reverse("accounts:domains", args=["secret"])))
    path = reverse("domain_links:show", args=[address.rstrip("/").split("/")[-1]])
    assert Client().get(path).status_code == 200
    with make.arranging():
        link = DomainLink.objects.get()
    for _ in range(2):
        client.post(reverse("accounts:revoke_domain_link", args=["secret", link.pk]))
    assert Client().get(path).status_code == 410
    assert told(owner)[2:] == [f"accounts.domain_link.{what}" for what in ("made", "opened", "revoked")]


def test_few_are_open_at_once(owner, domain, monkeypatch):
    monkeypatch.setattr(domain_links, "MOST_OPEN", 1)
    client = Client()
    client.force_login(owner.user)
    url = reverse("accounts:make_domain_link", args=["secret", domain.pk])
    assert client.post(url).status_code == 200
    refused = client.post(url)
    assert refused.status_code == 422
    assert "links for this domain are open already." in text(refused)
    assert "Take one back first." in text(refused)


def test_a_link_goes_with_its_domain(owner, domain, path):
    with tenancy.scope(tenant_id=owner.tenant_id):
        domains.release(domain=domain, by=make.actor(owner), at=timezone.now())
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_who_only_reads_makes_none(owner, domain, role):
    client = Client()
    client.force_login(make.member(owner.tenant, role).user)
    assert client.post(reverse("accounts:make_domain_link", args=["secret", domain.pk])).status_code == 403


def test_what_a_provider_is_told_stands_there_once_it_was_begun(owner, domain, path):
    assert "identity provider" not in text(Client().get(path))
    given = {"tenant_id": owner.tenant_id, "by": make.actor(owner), "at": timezone.now()}
    with tenancy.scope(tenant_id=owner.tenant_id):
        ours = sso_known.our_values(sso_services.begin(**given))
    page = text(Client().get(path))
    assert f"{ours[Ours.ENTITY_ID]}</" in page
    assert f"{ours[Ours.ACS_URL]}</" in page
    assert page.count("?product=") == len(GUIDES)
    for product, guide in GUIDES.items():
        steps = text(Client().get(f"{path}?product={product}"))
        assert steps.count("Step ") >= len(guide.steps)
        assert all(name in unescape(steps) for step in guide.steps for name in step.fields or ())
        assert "It is connected" not in steps
    assert Client().get(f"{path}?product=%22%3E").status_code == 200
    with tenancy.scope(tenant_id=owner.tenant_id):
        provider = sso.connected(owner.tenant_id, make.actor(owner))
    page = text(Client().get(path))
    assert "It is connected" in page
    for kept in (provider.entity_id, "Secret Airways", "Olga", owner.user.email, "/t/secret/"):
        assert kept not in page
    with tenancy.scope(tenant_id=owner.tenant_id):
        sso_services.disconnect(**given)
        sso_services.decline(**given)
    assert "identity provider" not in text(Client().get(path))


def test_the_guides_lead_to_each_other_and_nowhere_else():
    for name in ("domain_guide", "sso_guide"):
        page = Client().get(reverse(name)).content.decode()
        assert not re.search(r"<a( rel=\S+ \S+)?>", page), "a document of ours is no page here"
        assert "crossing GET" in page
    assert 'href="../dns/"' in page
