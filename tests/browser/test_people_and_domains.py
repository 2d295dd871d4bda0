"""Domains, members and invitations in a real browser: every state, and what is done by hand."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Domain, DomainTransfer, Invitation, Member, Tenant
from accounts.services import domain_transfers, domains, invitations
from core import tenancy
from core.permissions import TenantRole
from tests import make
from tests.browsing import Visits, check_page
from tests.fakes.dns import FakeDns


@dataclass
class Account:
    """JetBlue with its owner."""

    tenant: Tenant
    owner: Member

    def claim(self, name: str = "jetblue.example", *, days_ago: int = 0) -> Domain:
        by, at = make.actor(self.owner), timezone.now() - timedelta(days=days_ago)
        with tenancy.scope(tenant_id=self.tenant.pk):
            return domains.claim(tenant_id=self.tenant.pk, typed=name, by=by, at=at)

    def check(self, domain: Domain) -> None:
        with tenancy.scope(tenant_id=self.tenant.pk):
            domains.check(domain=domain, by=make.actor(self.owner), at=timezone.now())

    def invite(self, email: str = "nora.with.a.rather.long.address@jetblue.example") -> str:
        """Invite a person and return the path of their link."""
        with tenancy.scope(tenant_id=self.tenant.pk):
            invitations.invite(
                tenant_id=self.tenant.pk, email=email, role="admin", by=make.actor(self.owner), at=timezone.now()
            )
        match = re.search(r"https?://[^/]+(/invitations/\S+)", str(mail.outbox[-1].body))
        assert match
        return match[1]


@pytest.fixture
def account(committed_db: None, fake_dns: type[FakeDns]) -> Account:
    fake_dns.zones.domains.append("jetblue.example")
    tenant = make.tenant("JetBlue Airways", slug="jetblue", time_zone="America/New_York")
    return Account(tenant, make.member(tenant, person=make.user("Ana Ruiz", password=make.PASSWORD)))


@pytest.mark.slow
def test_the_domains_are_fit_to_be_seen_in_every_state(visit: Visits, account: Account) -> None:
    proven, wrong, given_up = (
        account.claim(),
        account.claim("bücher.example"),
        account.claim("old.example", days_ago=31),
    )
    account.claim("a-rather-long-name-of-a-subsidiary.jetblue.example")
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={proven.token}")
    FakeDns.publish(f"_crossing-challenge.{wrong.name}", "v=something-else " + "x" * 200)
    for domain in (proven, wrong, given_up):
        account.check(domain)
    page = visit("/t/jetblue/domains/", by=account.owner.user)
    for words in ("Proven", "none with your token", "This token was given up", "Waiting for the record"):
        expect(page.get_by_text(words).first).to_be_visible()
    check_page(page)
    page.get_by_text("No TXT records at your provider?").first.click()
    check_page(page)


@pytest.mark.slow
def test_the_members_are_fit_to_be_seen(visit: Visits, account: Account) -> None:
    account.invite()
    account.invite("second@jetblue.example")
    with make.arranging():
        Invitation.objects.filter(email="second@jetblue.example").update(sent_at=None, expires_at=timezone.now())
    for number in range(51):
        person = make.user(
            f"A Person With A Long Name {number}", email=f"a.long.address.{number}@subsidiary.jetblue.example"
        )
        make.member(account.tenant, TenantRole.MEMBER, person=person)
    page = visit("/t/jetblue/members/", by=account.owner.user)
    expect(page.get_by_text("52 members of JetBlue Airways")).to_be_visible()
    check_page(page)
    page.get_by_role("link", name=re.compile("2|Next")).first.click()
    check_page(page)


@pytest.mark.slow
def test_a_refusal_is_fit_to_be_seen_and_takes_the_focus(visit: Visits, account: Account) -> None:
    page = visit("/t/jetblue/domains/", by=account.owner.user)
    page.get_by_label("Domain", exact=True).fill("gmail.com")
    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_role("alert")).to_contain_text("public mail service")
    expect(page.get_by_label("Domain", exact=True)).to_have_value("gmail.com")
    check_page(page, expected_status=422)
    page = visit("/t/jetblue/members/", by=account.owner.user)
    page.get_by_role("button", name="Deactivate").click()
    page.get_by_role("button", name="Deactivate", exact=True).last.click()
    expect(page.get_by_role("alert")).to_contain_text("this is the last")
    check_page(page, expected_status=422)


@pytest.mark.slow
def test_a_domain_is_proven_by_hand(visit: Visits, account: Account) -> None:
    page = visit("/t/jetblue/domains/", by=account.owner.user, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Domain", exact=True).fill("jetblue.example")
    page.get_by_role("button", name="Claim").click()
    page.get_by_role("button", name="Check now").click()
    missing = page.get_by_text("There is no record at _crossing-challenge.jetblue.example yet.", exact=True)
    expect(missing).to_be_visible()
    expect(page.locator("#live")).to_contain_text("There is no record")
    page.get_by_role("button", name="Copy value").first.click()
    value = page.evaluate("navigator.clipboard.readText()")
    assert value.startswith("token=")
    FakeDns.publish("_crossing-challenge.jetblue.example", value)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Proven since")).to_be_visible()
    check_page(page)
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its proof ends")
    page.get_by_role("button", name="Release", exact=True).last.click()
    expect(page.get_by_text("No domain yet")).to_be_visible()


def test_a_domain_is_proven_without_javascript(visit: Visits, account: Account) -> None:
    page = visit("/t/jetblue/domains/", by=account.owner.user, java_script_enabled=False)
    page.get_by_label("Domain", exact=True).fill("jetblue.example")
    page.get_by_role("button", name="Claim").click()
    with make.arranging():
        FakeDns.publish("_crossing-challenge.jetblue.example", f"token={Domain.objects.get().token}")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Proven since")).to_be_visible()


@pytest.mark.slow
def test_the_link_of_an_invitation_is_fit_to_be_seen_by_everyone(visit: Visits, account: Account) -> None:
    link = account.invite("nora@jetblue.example")
    check_page(visit(link))
    check_page(visit(link, by=make.user("Mallory")), expected_status=403)
    check_page(visit(reverse("invitations:open", args=["nothing"])), expected_status=404)
    page = visit(link)
    page.get_by_label("Your name").fill("Nora New")
    page.get_by_label("A password").fill("short")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_role("alert")).to_contain_text("too short")
    check_page(page, expected_status=422)
    page.get_by_label("A password").fill(make.PASSWORD)
    page.get_by_role("button", name="Create my account").click()
    expect(page).to_have_url(re.compile(r"/t/jetblue/$"))
    check_page(visit(link), expected_status=410)


@pytest.mark.slow
def test_who_edits_the_dns_is_shown_what_to_do_without_an_account(visit: Visits, account: Account) -> None:
    domain = account.claim("bücher.example")
    FakeDns.zones.domains.append(domain.name)
    owner = visit("/t/jetblue/domains/", by=account.owner.user)
    owner.get_by_text("Does somebody else edit it for you?").click()
    owner.get_by_role("button", name="Make a link").click()
    expect(owner.get_by_text("Send this link to whoever edits the DNS")).to_be_visible()
    check_page(owner)
    address = owner.locator("[data-copy-name=link]").get_attribute("data-copy")
    assert address
    path = "/dns/" + address.rstrip("/").split("/")[-1] + "/"
    page = visit(path, java_script_enabled=False)
    page.get_by_role("link", name="Look now").click()
    expect(page.get_by_text("There is no record at _crossing-challenge.xn--bcher-kva.example yet.")).to_be_visible()
    page = visit(path)
    check_page(page)
    FakeDns.publish(f"_crossing-challenge.{domain.name}", f'"token={domain.token}"')
    page.get_by_role("link", name="Look now").click()
    expect(page.get_by_text("without quotes and without blanks")).to_be_visible()
    check_page(page)
    FakeDns.zones.records.clear()
    FakeDns.publish(f"_crossing-challenge.{domain.name}", f"token={domain.token}")
    page.get_by_role("link", name="Look now").click()
    expect(page.get_by_text("What you published is right")).to_be_visible()
    check_page(page)
    owner.goto("/t/jetblue/domains/")
    owner.get_by_text("Does somebody else edit it for you?").click()
    owner.get_by_role("button", name="Take back").click()
    page.reload()
    expect(page.get_by_role("heading", name="This link was taken back.")).to_be_visible()
    check_page(page, expected_status=410)


@pytest.mark.slow
def test_a_domain_goes_from_one_account_to_another(visit: Visits, account: Account) -> None:
    held = account.claim()
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={held.token}")
    account.check(held)
    other = make.tenant("Another Airline", slug="another")
    asking = visit("/t/another/domains/", by=make.member(other, person=make.user("Bo Lee")).user)
    asking.get_by_label("Domain", exact=True).fill("jetblue.example")
    asking.get_by_role("button", name="Claim").click()
    for step in ("shown", "proven"):
        with make.arranging():
            token = Domain.objects.get(tenant=other).token
        FakeDns.publish("_crossing-challenge.jetblue.example", f"token={token}")
        asking.get_by_role("button", name="Check now").click()
        expect(asking.get_by_text("The record is right, but another account holds this domain.").first).to_be_visible()
        if step == "shown":
            check_page(asking)
            asking.get_by_label("Why should jetblue.example be yours?").fill("We bought it.")
            asking.get_by_role("button", name="Ask for it").click()
            expect(asking.get_by_text("You asked for this domain")).to_be_visible()
    asking.reload()
    expect(asking.get_by_text("You have proven it afresh")).to_be_visible()
    check_page(asking)
    with make.arranging():
        domain_transfers.tell_holders(by=make.SYSTEM, at=timezone.now())
    holder = visit("/t/jetblue/domains/", by=account.owner.user)
    expect(holder.get_by_text("Somebody else has shown to control this domain")).to_be_visible()
    check_page(holder)
    with make.arranging():
        transfer = DomainTransfer.objects.select_related("domain").get()
        domain_transfers.approve(transfer=transfer, reason="The contract.", by=make.SYSTEM, at=timezone.now())
    holder.reload()
    expect(holder.get_by_text("This domain was handed over to another account")).to_be_visible()
    check_page(holder)
    asking.reload()
    expect(asking.get_by_text("Proven since")).to_be_visible()
    asking.get_by_role("button", name="Prove again").click()
    asking.get_by_role("button", name="Prove by a file").click()
    expect(asking.get_by_text("Put a file with this one line")).to_be_visible()
    check_page(asking)
