"""Three days before each move, and once, its domains are proven afresh; the deciders are told once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from accounts.models import Domain, Member
from accounts.services import domains
from core import queue, tenancy
from cutover import tasks
from cutover.queries import cutovers as of_cutovers
from cutover.services import cutovers, proofs
from tests import make
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
T0 = AT + timedelta(days=20)


@pytest.fixture
def owner(fake_dns: type[FakeDns]) -> Member:
    """Return the owner of an account with two proven domains and a window in twenty days."""
    owner = make.member(make.tenant("JetBlue"))
    by, tenant_id = make.actor(owner), owner.tenant_id
    with tenancy.scope(tenant_id=tenant_id):
        cutovers.set_window(tenant_id=tenant_id, starts_at=T0, ends_at=T0 + timedelta(hours=6), by=by, at=AT)
        for name in ("jetblue.example", "ops.jetblue.example"):
            domain = domains.claim(tenant_id=tenant_id, typed=name, by=by, at=AT)
            fake_dns.publish(f"_crossing-challenge.{name}", f"token={domain.token}")
            domains.check(domain=domain, by=by, at=AT)
    return owner


def near(at: datetime) -> int:
    with make.arranging():
        return len(of_cutovers.near(at=at, within=proofs.FRESH_FROM))


def asked(owner: Member, at: datetime) -> int:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return proofs.ask_afresh(tenant_id=owner.tenant_id, by=make.SYSTEM, at=at)


@pytest.mark.parametrize(
    ("before", "count"),
    [
        (timedelta(days=3, seconds=1), 0),
        (timedelta(days=3), 2),
        (timedelta(hours=1), 2),
        (timedelta(0), 0),
        (timedelta(days=-1), 0),
    ],
)
def test_it_is_asked_from_three_days_before_until_the_move_begins(owner: Member, before: timedelta, count: int) -> None:
    assert near(T0 - before) == bool(count)
    assert asked(owner, T0 - before) == count
    assert asked(owner, T0 - before) == 0, "once"


def test_an_account_without_a_window_is_asked_nothing(fake_dns: type[FakeDns]) -> None:
    assert asked(make.member(make.tenant()), AT) == 0


def test_another_window_asks_anew_and_the_same_one_does_not(owner: Member) -> None:
    first = T0 - timedelta(days=2)
    assert asked(owner, first) == 2
    with tenancy.scope(tenant_id=owner.tenant_id):
        for domain in Domain.objects.all():
            FakeDns.publish(f"_crossing-challenge.{domain.name}", f"token={domain.token}")
            domains.check(domain=domain, by=make.actor(owner), at=first)
        later = T0 + timedelta(days=30)
        by, ends_at = make.actor(owner), later + timedelta(hours=6)
        cutovers.set_window(tenant_id=owner.tenant_id, starts_at=later, ends_at=ends_at, by=by, at=first)
    assert asked(owner, first + timedelta(hours=1)) == 0
    assert asked(owner, later - timedelta(days=2)) == 2


def test_beat_asks_and_the_deciders_get_one_mail(owner: Member) -> None:
    with make.arranging():
        tasks.ask_for_fresh_proofs(at=T0 - timedelta(days=2))
    mail.outbox.clear()
    with tenancy.scope(tenant_id=owner.tenant_id):
        tasks.ask_for_fresh_proof(tenant_id=owner.tenant_id, at=T0 - timedelta(days=2))
    queue.run_pending()
    subjects = [letter.subject for letter in mail.outbox if "Prove your domain once more" in letter.subject]
    assert len(subjects) == 1
