"""Domains on PostgreSQL: claimed, looked up, proven once, re-checked, renewed, released."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.domain.diagnosis import Code
from accounts.models import Domain, DomainCheck
from accounts.services import domains, lookups
from core import queue, tenancy
from core.actor import Actor
from core.dns import DnsStatus
from core.errors import PermissionRefused
from core.permissions import TenantRole
from portal.demo.dns import Fault
from tests import make
from tests.desks import AT, Desk, desk_of, publish
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.django_db
HOST = "_crossing-challenge.jetblue.example"


@pytest.fixture
def desk(fake_dns: type[FakeDns]) -> Iterator[Desk]:
    fake_dns.zones.domains.append("jetblue.example")
    desk = desk_of(make.tenant("JetBlue"))
    with tenancy.scope(tenant_id=desk.tenant.pk):
        yield desk


def test_a_claim_asks_for_a_record_and_plans_its_first_check(desk: Desk) -> None:
    domain = desk.claim(" BÜCHER.example ")
    assert (domain.name, domain.text) == ("xn--bcher-kva.example", "bücher.example")
    assert not domain.is_verified
    assert domain.next_check_at == AT + timedelta(minutes=1)
    assert desk.told() == ["accounts.domain.claimed"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [("co.uk", "public suffix"), ("gmail.com", "public mail service"), ("x@y.example", "after the @")],
)
def test_what_nobody_can_hold_is_refused(desk: Desk, typed: str, words: str) -> None:
    with pytest.raises(domains.UnableToClaim, match=words):
        desk.claim(typed)
    assert desk.told() == []


def test_a_domain_stands_on_the_list_once(desk: Desk) -> None:
    desk.claim()
    with pytest.raises(domains.UnableToClaim, match="on your list already"):
        desk.claim("JETBLUE.example.")


def test_the_list_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "MOST_DOMAINS", 1)
    desk.claim()
    with pytest.raises(domains.UnableToClaim, match="1 domains already"):
        desk.claim("other.example")


def test_a_published_record_proves_the_domain_once(desk: Desk) -> None:
    domain = desk.claim()
    publish(domain)
    later = AT + timedelta(minutes=3)
    assert desk.check(domain, at=later).code is Code.MET
    assert (domain.verified_at, domain.proven_at, domain.verified_by) == (later, later, desk.by.id)
    assert domain.next_check_at is None
    desk.check(domain, at=later + timedelta(hours=1))
    assert domain.verified_at == later
    assert desk.told() == ["accounts.domain.claimed", "accounts.domain.verified"]


def test_a_missing_record_is_explained_and_looked_up_again(desk: Desk) -> None:
    domain = desk.claim()
    found = desk.check(domain, at=AT + timedelta(minutes=2))
    assert found.code is Code.NOT_PUBLISHED
    assert domain.next_check_at == AT + timedelta(minutes=5)
    kept = DomainCheck.objects.get(domain=domain)
    assert (kept.code, kept.expected, kept.fix) == ("not_published", f"token={domain.token}", found.fix)
    assert FakeDns.asked == [HOST, *domains.challenge_of(domain).mistaken_hosts]


def test_clues_are_looked_for_where_people_go_wrong(desk: Desk) -> None:
    domain = desk.claim()
    FakeDns.publish(f"{HOST}.jetblue.example", f"token={domain.token}")
    assert desk.check(domain).code is Code.ZONE_TWICE
    FakeDns.zones.records.clear()
    FakeDns.publish("jetblue.example", f"token={domain.token}")
    assert desk.check(domain).code is Code.AT_THE_APEX
    FakeDns.zones.records.clear()
    FakeDns.publish("*.jetblue.example", "v=spf1 -all")
    assert desk.check(domain).code is Code.WILDCARD


@pytest.mark.parametrize("fault", list(Fault))
def test_an_outage_asks_no_clues_and_takes_nothing_away(desk: Desk, fault: Fault) -> None:
    domain = desk.claim()
    publish(domain)
    desk.check(domain)
    FakeDns.zones.faults["jetblue.example"] = fault.value
    FakeDns.asked.clear()
    assert desk.check(domain, at=AT + timedelta(days=90)).code == DnsStatus(fault.value).value
    assert FakeDns.asked == [HOST]
    assert domain.verified_at == AT
    assert domain.failed_at is None


def test_a_proven_domain_stays_proven_when_its_record_is_removed(desk: Desk) -> None:
    domain = desk.claim()
    publish(domain)
    desk.check(domain)
    FakeDns.zones.records.clear()
    assert desk.check(domain, at=AT + timedelta(days=90)).code is Code.NOT_PUBLISHED
    assert domain.is_verified
    assert domain.next_check_at is None


def test_a_token_never_seen_is_given_up_and_a_new_one_starts_over(desk: Desk) -> None:
    domain = desk.claim()
    late = AT + timedelta(days=30)
    desk.check(domain, at=late)
    assert (domain.failed_at, domain.next_check_at) == (late, None)
    with pytest.raises(domains.UnableToCheck, match="given up after 30 days"):
        desk.check(domain, at=late)
    old = domain.token
    domains.renew(domain=domain, by=desk.by, at=late)
    assert domain.token != old
    assert domain.next_check_at == late + timedelta(minutes=1)
    publish(domain, f"token={old}")
    assert desk.check(domain, at=late).code is Code.SUPERSEDED
    assert desk.told()[1:] == ["accounts.domain.token_given_up", "accounts.domain.token_renewed"]


def test_a_fresh_proof_takes_nothing_away_while_it_waits_or_fails(desk: Desk) -> None:
    domain = desk.claim()
    publish(domain)
    desk.check(domain)
    renewed_at = AT + timedelta(days=10)
    domains.renew(domain=domain, by=desk.by, at=renewed_at)
    assert domain.is_verified
    assert domain.awaits_proof
    assert desk.check(domain, at=renewed_at + timedelta(days=30)).code is Code.SUPERSEDED
    assert domain.is_verified
    assert domain.failed_at is not None
    domains.renew(domain=domain, by=desk.by, at=AT + timedelta(days=50))
    publish(domain)
    desk.check(domain, at=AT + timedelta(days=51))
    assert (domain.verified_at, domain.proven_at) == (AT, AT + timedelta(days=51))
    assert desk.told()[-1] == "accounts.domain.proven_again"


def test_the_second_of_two_renewals_at_once_is_refused(desk: Desk) -> None:
    domain = desk.claim()
    stale = Domain.objects.get(pk=domain.pk)
    domains.renew(domain=domain, by=desk.by, at=AT)
    with pytest.raises(domains.UnableToRenew, match="a moment ago"):
        domains.renew(domain=stale, by=desk.by, at=AT)


def test_a_check_that_overlaps_a_renewal_proves_nothing(desk: Desk) -> None:
    domain = desk.claim()
    publish(domain)
    stale = Domain.objects.get(pk=domain.pk)
    domains.renew(domain=domain, by=desk.by, at=AT)
    with pytest.raises(domains.UnableToCheck, match="a moment ago"):
        desk.check(stale)
    domain.refresh_from_db()
    assert not domain.is_verified


def test_one_account_holds_a_domain_and_another_learns_no_more_than_that(desk: Desk) -> None:
    domain = desk.claim()
    publish(domain)
    desk.check(domain)
    with tenancy.empty_scope():
        other = desk_of(make.tenant("Somebody else"))
    with tenancy.scope(tenant_id=other.tenant.pk):
        theirs = other.claim()
        assert other.check(theirs).code is Code.SUPERSEDED or not theirs.is_verified
        publish(theirs)
        found = other.check(theirs)
        assert found.code is Code.HELD_ELSEWHERE
        assert "JetBlue" not in f"{found.summary}{found.fix}"
        assert not theirs.is_verified
        assert theirs.next_check_at is not None, "it is looked up again, should the other release it"
    with tenancy.scope(tenant_id=desk.tenant.pk):
        domains.release(domain=domain, by=desk.by, at=AT)
    with tenancy.scope(tenant_id=other.tenant.pk):
        assert other.check(theirs).code is Code.MET
        assert theirs.is_verified


def test_a_release_is_audited_once(desk: Desk) -> None:
    domain = desk.claim()
    gone = Domain.objects.get(pk=domain.pk)
    domains.release(domain=domain, by=desk.by, at=AT)
    domains.release(domain=gone, by=desk.by, at=AT)
    assert not Domain.objects.exists()
    assert desk.told() == ["accounts.domain.claimed", "accounts.domain.released"]


def test_only_the_newest_checks_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "CHECKS_KEPT", 2)
    domain = desk.claim()
    for minutes in range(4):
        desk.check(domain, at=AT + timedelta(minutes=minutes))
    kept = DomainCheck.objects.order_by("checked_at").values_list("checked_at", flat=True)
    assert list(kept) == [AT + timedelta(minutes=2), AT + timedelta(minutes=3)]


@pytest.mark.parametrize("role", [TenantRole.MEMBER, TenantRole.AUDITOR])
def test_who_may_not_manage_domains_is_refused_everything(desk: Desk, role: TenantRole) -> None:
    domain = desk.claim()
    with tenancy.empty_scope():
        by = make.actor(make.member(desk.tenant, role))
    for refused in (
        lambda: domains.claim(tenant_id=desk.tenant.pk, typed="other.example", by=by, at=AT),
        lambda: domains.check(domain=domain, by=by, at=AT),
        lambda: domains.renew(domain=domain, by=by, at=AT),
        lambda: domains.release(domain=domain, by=by, at=AT),
    ):
        with pytest.raises(PermissionRefused):
            refused()
    assert desk.told() == ["accounts.domain.claimed"]


def test_beat_looks_up_what_is_due_and_nothing_else(desk: Desk) -> None:
    now = timezone.now()  # the queue goes by the database's clock
    due, resting = desk.claim(at=now - timedelta(minutes=2)), desk.claim("later.example", at=now)
    publish(due)
    with tenancy.empty_scope():
        with make.arranging():
            queue.enqueue("accounts.tasks.check_due_domains")
        queue.run_pending()
    due.refresh_from_db()
    assert due.verified_by == Actor.system("beat").id
    assert DomainCheck.objects.get().is_automatic
    assert Domain.objects.get(pk=resting.pk).next_check_at == now + timedelta(minutes=1)


def test_a_tenants_people_look_up_one_domain_at_a_time(desk: Desk) -> None:
    """Each may hold a thread for as long as the tenant's own name servers are slow; the worker's checks do not wait."""
    domain = desk.claim()
    name = [lookups.lock_name(desk.tenant.pk)]
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", name)
            FakeDns.asked.clear()
            with pytest.raises(domains.UnableToCheck, match="being looked up"):
                desk.check(domain)
            assert FakeDns.asked == []
            assert desk.check(domain, is_automatic=True).code is Code.NOT_PUBLISHED
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", name)
            assert desk.check(domain).code is Code.NOT_PUBLISHED
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", name)
            assert cursor.fetchone() == (True,), "the look-up gave the lock back"
    finally:
        other.close()
