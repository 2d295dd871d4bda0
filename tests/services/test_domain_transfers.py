"""A domain goes from one account to another by a fresh proof and our approval, and neither learns who the other is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from accounts.domain.diagnosis import Code
from accounts.models import Domain, DomainTransfer, Tenant, User
from accounts.services import domain_transfers, domains
from core import ledger, queue, tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.permissions import StaffRole, TenantRole
from tests import make
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
HOST = "_crossing-challenge.jetblue.example"


@dataclass
class Side:
    """One account, its owner, and its claim of the domain."""

    tenant: Tenant
    owner: User
    by: Actor
    domain: Domain

    def check(self, at: datetime = AT) -> Code:
        with tenancy.scope(tenant_id=self.tenant.pk):
            return domains.check(domain=self.domain, by=self.by, at=at).code

    def ask(self, at: datetime = AT) -> DomainTransfer:
        with tenancy.scope(tenant_id=self.tenant.pk):
            return domain_transfers.ask(domain=self.domain, reason="We bought it.", by=self.by, at=at)

    def publish(self) -> None:
        FakeDns.publish(HOST, f"token={self.domain.token}")

    def now(self) -> Domain:
        with make.arranging():
            return Domain.objects.get(pk=self.domain.pk)

    def told(self) -> list[str]:
        with tenancy.scope(tenant_id=self.tenant.pk):
            return [entry.event for entry in reversed(ledger.recent(tenant_id=self.tenant.pk, limit=50))]


def side(name: str) -> Side:
    tenant = make.tenant(name)
    member = make.member(tenant, TenantRole.OWNER)
    by = make.actor(member)
    with tenancy.scope(tenant_id=tenant.pk):
        claim = domains.claim(tenant_id=tenant.pk, typed="jetblue.example", by=by, at=AT)
    return Side(tenant, member.user, by, claim)


@pytest.fixture
def sides(fake_dns: type[FakeDns]) -> tuple[Side, Side]:
    """Return who holds the domain, and who has just shown to control its DNS as well."""
    fake_dns.zones.domains.append("jetblue.example")
    holder, asking = side("Holding Airways"), side("Asking Airlines")
    for one in (holder, asking):
        one.publish()
        one.check()
    return holder, asking


@pytest.fixture
def lead() -> Actor:
    return make.staff_actor(make.staff(StaffRole.IDENTITY_BILLING_LEAD))


def transfers() -> QuerySet[DomainTransfer]:
    return DomainTransfer.objects.select_related("domain")


def decide(what: str, transfer: DomainTransfer, lead: Actor, *, at: datetime = LATER) -> DomainTransfer:
    with tenancy.staff_scope(by=lead, reason="decide about a transfer"):
        row = transfers().get(pk=transfer.pk)
        return getattr(domain_transfers, what)(transfer=row, reason="They showed the contract.", by=lead, at=at)


def proven(asking: Side) -> DomainTransfer:
    transfer = asking.ask()
    asking.publish()
    assert asking.check(LATER) is Code.HELD_ELSEWHERE
    return transfer


def tell_holders(at: datetime = LATER) -> None:
    with tenancy.staff_scope(by=make.SYSTEM, reason="as beat does"):
        domain_transfers.tell_holders(by=make.SYSTEM, at=at)


def test_an_old_proof_is_not_enough_a_fresh_one_is(sides: tuple[Side, Side], lead: Actor) -> None:
    _, asking = sides
    before = asking.domain.token
    transfer = asking.ask()
    assert asking.domain.token != before
    assert asking.check(LATER) is Code.SUPERSEDED, "what was published before it was asked shows nothing"
    with pytest.raises(domain_transfers.UnableToDecide, match="no fresh proof yet"):
        decide("approve", transfer, lead)
    asking.publish()
    assert asking.check(LATER) is Code.HELD_ELSEWHERE
    with make.arranging():
        assert transfers().get().state == "proven"
    assert asking.now().verified_at is None


def test_approval_hands_it_over_and_both_are_told(sides: tuple[Side, Side], lead: Actor) -> None:
    holder, asking = sides
    transfer = proven(asking)
    decide("approve", transfer, lead)
    taken, lost = asking.now(), holder.now()
    assert (taken.verified_at, taken.proven_via, taken.next_check_at) == (LATER, "txt", None)
    assert (lost.verified_at, lost.passed_on_at, lost.next_check_at) == (None, LATER, None)
    assert holder.told()[-1] == "accounts.domain.passed_on"
    assert asking.told()[-2:] == ["accounts.domain_transfer.approved", "accounts.domain.taken_over"]
    mail.outbox.clear()
    queue.run_pending()
    by_person = {letter.to[0]: letter.subject for letter in mail.outbox}
    assert by_person[holder.owner.email] == "A domain of Holding Airways was handed over to another account"
    assert by_person[asking.owner.email] == "The domain that Asking Airlines asked for is yours"
    assert not any("Asking" in letter.body for letter in mail.outbox if letter.to == [holder.owner.email])
    assert not any("Holding" in letter.body for letter in mail.outbox if letter.to == [asking.owner.email])


def test_the_holder_is_told_once_that_somebody_else_controls_it(sides: tuple[Side, Side]) -> None:
    holder, asking = sides
    asking.ask()
    tell_holders()
    assert holder.now().contested_at is None, "a wish alone is nobody's business"
    asking.publish()
    asking.check(LATER)
    for _ in range(2):
        tell_holders()
    assert holder.now().contested_at == LATER
    assert holder.now().is_verified
    assert holder.told().count("accounts.domain.contested") == 1
    client = Client()
    client.force_login(holder.owner)
    page = client.get(reverse("accounts:domains", args=[holder.tenant.slug])).content.decode()
    assert "Somebody else has shown to control this domain" in page
    assert "Asking" not in page
    with tenancy.scope(tenant_id=asking.tenant.pk):
        domain_transfers.withdraw(transfer=transfers().get(), by=asking.by, at=LATER)
    tell_holders()
    assert holder.now().contested_at is None
    assert holder.told()[-1] == "accounts.domain.uncontested"


def test_a_holder_may_ask_for_it_in_turn(sides: tuple[Side, Side], lead: Actor) -> None:
    holder, asking = sides
    decide("approve", proven(asking), lead)
    with tenancy.scope(tenant_id=holder.tenant.pk):
        lost = domains.renew(domain=Domain.objects.get(), by=holder.by, at=LATER)
        FakeDns.publish(HOST, f"token={lost.token}")
        assert domains.check(domain=lost, by=holder.by, at=LATER).code is Code.HELD_ELSEWHERE
        domain_transfers.ask(domain=lost, reason="It is ours.", by=holder.by, at=LATER)


def test_declining_leaves_it_and_says_why_to_who_asked(sides: tuple[Side, Side], lead: Actor) -> None:
    holder, asking = sides
    decide("decline", proven(asking), lead)
    assert holder.now().is_verified
    assert not asking.now().is_verified
    client = Client()
    client.force_login(asking.owner)
    page = client.get(reverse("accounts:domains", args=[asking.tenant.slug])).content.decode()
    assert "We left the domain where it is" in page
    assert "They showed the contract." in page
    with pytest.raises(domain_transfers.UnableToDecide, match="decided or withdrawn"):
        decide("approve", transfers_of(asking), lead)
    with pytest.raises(domain_transfers.UnableToDecide, match="decided or withdrawn"):
        decide("decline", transfers_of(asking), lead)


def transfers_of(asking: Side) -> DomainTransfer:
    with make.arranging():
        return transfers().get(tenant=asking.tenant)


def test_it_is_looked_up_once_more_before_it_goes(sides: tuple[Side, Side], lead: Actor) -> None:
    holder, asking = sides
    transfer = proven(asking)
    FakeDns.zones.records.clear()
    with pytest.raises(domain_transfers.UnableToDecide, match="does not stand any more: There is no record"):
        decide("approve", transfer, lead)
    FakeDns.zones.faults["jetblue.example"] = "servfail"
    with pytest.raises(domain_transfers.UnableToDecide, match="SERVFAIL"):
        decide("approve", transfer, lead)
    assert holder.now().is_verified
    assert transfers_of(asking).state == "proven"


def test_an_old_fresh_proof_is_no_fresh_proof(sides: tuple[Side, Side], lead: Actor) -> None:
    with pytest.raises(domain_transfers.UnableToDecide, match="older than 7 days"):
        decide("approve", proven(sides[1]), lead, at=LATER + timedelta(days=7, seconds=1))


def test_who_asks_must_have_shown_that_another_account_holds_it(sides: tuple[Side, Side]) -> None:
    holder, asking = sides
    for one, words in ((holder, "No other account"), (side("Third"), "No other account")):
        with pytest.raises(domain_transfers.UnableToAsk, match=words):
            one.ask()
    with tenancy.scope(tenant_id=asking.tenant.pk), pytest.raises(domain_transfers.UnableToAsk, match="Say why"):
        domain_transfers.ask(domain=asking.domain, reason=" \n", by=asking.by, at=AT)
    asking.ask()
    asking.publish()
    asking.check(LATER)
    with pytest.raises(domain_transfers.UnableToAsk, match="already"):
        asking.ask(LATER)


def test_a_domain_that_became_free_needs_no_decision(sides: tuple[Side, Side]) -> None:
    holder, asking = sides
    proven(asking)
    with tenancy.scope(tenant_id=holder.tenant.pk):
        domains.release(domain=holder.domain, by=holder.by, at=LATER)
    assert asking.check(LATER) is Code.MET
    assert transfers_of(asking).state == "withdrawn"


@pytest.mark.parametrize("role", [StaffRole.AUDITOR, StaffRole.SUPPORT, StaffRole.TECHNICAL_LEAD])
def test_only_who_may_decide_decides(sides: tuple[Side, Side], role: StaffRole) -> None:
    transfer = proven(sides[1])
    person = make.staff(role)
    for what in ("approve", "decline"):
        with pytest.raises(PermissionRefused):
            decide(what, transfer, make.staff_actor(person))
    client = Client()
    client.force_login(person)
    assert client.post(reverse("admin:accounts_domaintransfer_approve", args=[transfer.pk])).status_code == 403
    for member in (TenantRole.OWNER, TenantRole.AUDITOR):
        by = make.actor(make.member(sides[1].tenant, member))
        with tenancy.scope(tenant_id=sides[1].tenant.pk), pytest.raises(PermissionRefused):
            domain_transfers.approve(transfer=transfers().get(), reason="x", by=by, at=LATER)


def test_staff_decides_in_the_admin_with_what_the_holder_did_since(sides: tuple[Side, Side]) -> None:
    holder, asking = sides
    transfer = proven(asking)
    with tenancy.scope(tenant_id=holder.tenant.pk):
        held = domains.renew(domain=Domain.objects.get(), by=holder.by, at=LATER)
        FakeDns.publish(HOST, f"token={held.token}")
        domains.check(domain=held, by=holder.by, at=LATER + timedelta(hours=1))
    client = Client()
    client.force_login(make.staff(StaffRole.PROGRAMME_MANAGER))
    page = client.get(reverse("admin:accounts_domaintransfer_change", args=[transfer.pk])).content.decode()
    assert "Holding Airways, proven last" in page
    assert "after this was asked" in page
    assert "Asking Airlines" in page
    url = reverse("admin:accounts_domaintransfer_decline", args=[transfer.pk])
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "They proved it again."}).status_code == 302
    assert transfers_of(asking).answer == "They proved it again."
    listing = client.get(reverse("admin:accounts_domain_changelist"), {"state": "proven"}).content.decode()
    assert "Holding Airways" in listing
    assert "Asking Airlines" not in listing
    shown = client.get(reverse("admin:accounts_domain_change", args=[asking.domain.pk])).content.decode()
    assert "UTC · The record is right" in shown
