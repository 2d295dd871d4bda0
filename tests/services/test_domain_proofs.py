"""Proofs by a file, proofs given afresh before the move, and what people are told before a token is given up."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core import mail
from pytest_django.fixtures import Settings

from accounts.domain.diagnosis import Code
from accounts.models import Domain
from accounts.services import domains
from core import queue, tenancy
from core.actor import Actor
from core.models import Event
from core.outbound import Reply
from portal.demo.dns import Fault
from tests import make
from tests.desks import AT, Desk, desk_of, publish
from tests.fakes.dns import FakeDns
from tests.fakes.outbound import FakeOutbound

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(fake_dns: type[FakeDns]) -> Iterator[Desk]:
    fake_dns.zones.domains.append("jetblue.example")
    desk = desk_of(make.tenant("JetBlue"))
    with tenancy.scope(tenant_id=desk.tenant.pk):
        yield desk


@pytest.fixture
def web(settings: Settings) -> Iterator[type[FakeOutbound]]:
    settings.ADAPTERS = {**settings.ADAPTERS, "outbound": {"BACKEND": "tests.fakes.outbound.FakeOutbound"}}
    FakeOutbound.reset()
    yield FakeOutbound
    FakeOutbound.reset()


def test_a_file_proves_a_domain_whose_holder_chose_that_way(desk: Desk, web: type[FakeOutbound]) -> None:
    domain = desk.claim()
    asked = domains.challenge_of(domain)
    web.answers[asked.file_url] = lambda _: Reply(200, {}, f"{asked.file_content}\n".encode())
    assert desk.check(domain).code is Code.NOT_PUBLISHED
    assert web.sent == [], "nobody's web site is written to unasked"
    for _ in range(2):
        domains.choose(domain=domain, method="file", by=desk.by, at=AT)
    assert desk.check(domain).code is Code.MET
    assert (domain.verified_at, domain.proven_via) == (AT, "file")
    assert desk.told()[1:] == ["accounts.domain.method_chosen", "accounts.domain.verified"]


def test_a_file_elsewhere_or_too_long_proves_nothing(desk: Desk, web: type[FakeOutbound]) -> None:
    domain = domains.choose(domain=desk.claim(), method="file", by=desk.by, at=AT)
    asked, onward = domains.challenge_of(domain), "https://www.jetblue.example/file"
    web.answers[onward] = lambda _: Reply(200, {}, asked.file_content.encode())
    web.answers[asked.file_url] = lambda _: Reply(302, {"location": onward})
    assert desk.check(domain).code is Code.FILE_MOVED
    web.answers[asked.file_url] = lambda _: Reply(200, {}, asked.file_content.encode() + b"\n" * 1024)
    assert desk.check(domain).code is Code.FILE_WRONG
    assert not domain.is_verified


def test_a_record_counts_where_a_file_was_chosen(desk: Desk, web: type[FakeOutbound]) -> None:
    domain = domains.choose(domain=desk.claim(), method="file", by=desk.by, at=AT)
    publish(domain)
    assert desk.check(domain).code is Code.MET
    assert domain.proven_via == "txt"
    assert web.sent == []


def test_there_is_no_other_way(desk: Desk) -> None:
    with pytest.raises(domains.UnableToChoose, match="no such way"):
        domains.choose(domain=desk.claim(), method="mail", by=desk.by, at=AT)


T0 = AT + timedelta(days=20)
SINCE = T0 - timedelta(days=3)


def proven(desk: Desk, *, at: datetime = AT) -> Domain:
    domain = desk.claim(at=at)
    publish(domain)
    desk.check(domain, at=at)
    return domain


def ask_afresh(desk: Desk, *, at: datetime = SINCE) -> int:
    return domains.ask_afresh(tenant_id=desk.tenant.pk, since=SINCE, by=Actor.system("beat"), at=at)


def test_three_days_before_the_move_a_new_token_is_asked_for_once_and_takes_nothing_away(desk: Desk) -> None:
    domain, before = proven(desk), desk.told()
    desk.claim("unproven.example")
    old = domain.token
    assert [ask_afresh(desk), ask_afresh(desk, at=SINCE + timedelta(hours=1))] == [1, 0]
    domain.refresh_from_db()
    assert domain.token != old
    assert (domain.is_verified, domain.lacks_fresh_proof) == (True, True)
    assert domain.next_check_at == SINCE + timedelta(minutes=1)
    assert desk.check(domain, at=SINCE + timedelta(hours=2)).code is Code.SUPERSEDED
    assert domain.is_verified
    publish(domain)
    desk.check(domain, at=SINCE + timedelta(hours=3))
    assert (domain.verified_at, domain.lacks_fresh_proof) == (AT, False)
    assert desk.told()[len(before) + 1 :] == ["accounts.domain.fresh_proof_asked", "accounts.domain.proven_again"]


@pytest.mark.parametrize("fault", list(Fault))
def test_an_outage_on_the_last_days_takes_no_domain_away(desk: Desk, fault: Fault) -> None:
    domain = proven(desk)
    ask_afresh(desk)
    domain.refresh_from_db()
    FakeDns.zones.faults["jetblue.example"] = fault.value
    for after in (timedelta(minutes=1), timedelta(days=2), timedelta(days=30), timedelta(days=60)):
        if domain.failed_at is None:
            desk.check(domain, at=SINCE + after, is_automatic=True)
        assert domain.verified_at == AT


def test_what_was_proven_since_is_fresh_enough(desk: Desk) -> None:
    proven(desk, at=SINCE)
    assert ask_afresh(desk, at=SINCE + timedelta(hours=1)) == 0


def test_a_token_that_somebody_asked_for_since_is_not_replaced(desk: Desk) -> None:
    domain = proven(desk)
    domains.renew(domain=domain, by=desk.by, at=SINCE)
    token = domain.token
    assert ask_afresh(desk, at=SINCE + timedelta(hours=1)) == 1
    domain.refresh_from_db()
    assert (domain.token, domain.lacks_fresh_proof) == (token, True)


def told_of(desk: Desk) -> list[tuple[str, str]]:
    """What people of the account were told of, with its occasion."""
    with tenancy.empty_scope(), make.arranging():
        events = Event.objects.filter(tenant_id=desk.tenant.pk, name__startswith="accounts.domain.token_")
        return [(event.name.rsplit(".", 1)[1], event.payload["occasion"][-1]) for event in events.order_by("id")]


def test_people_are_reminded_a_week_and_a_day_before_a_token_is_given_up_and_told_when_it_is(desk: Desk) -> None:
    domain = desk.claim()
    at: datetime | None = AT
    while at is not None:
        desk.check(domain, at=at, is_automatic=True)
        at = domain.next_check_at
    assert domain.failed_at == AT + timedelta(days=30)
    said = told_of(desk)
    assert sorted(set(said)) == [("token_ending", "1"), ("token_ending", "7"), ("token_given_up", "0")]
    assert said.count(("token_given_up", "0")) == 1
    with tenancy.empty_scope():
        mailed_before = len(mail.outbox)
        queue.run_pending()
        subjects = [letter.subject for letter in mail.outbox[mailed_before:]]
    assert subjects.count("A domain of JetBlue still waits for its record") == 2, (
        "once for each notice, not for each look"
    )
    assert subjects.count("The record of a domain of JetBlue was not seen for 30 days") == 1
