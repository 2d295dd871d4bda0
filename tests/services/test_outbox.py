"""Events: published with the change, handed to each subscriber at least once and in order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from accounts.models import Tenant
from core import outbox, ports, queue, tenancy
from core.models import Event
from core.outbox import SUBSCRIBERS
from tests import make

EVENT = "tests.thing.happened"


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no subscriber but this module's."""
    monkeypatch.setattr(SUBSCRIBERS, "_items", {})


@pytest.fixture
def tenant(db: None) -> Iterator[Tenant]:
    """A tenant, with its scope open."""
    made = make.tenant()
    with tenancy.scope(tenant_id=made.id):
        yield made


def test_each_subscriber_gets_the_event_with_what_it_names(tenant: Tenant) -> None:
    seen: list[Any] = []

    @outbox.subscribe(EVENT)
    def first(*, tenant_id: UUID, event_id: UUID, run_id: str) -> None:
        seen.append(("first", tenancy.current().tenant_id == tenant_id, event_id, run_id))

    @outbox.subscribe(EVENT)
    def second(**everything: object) -> None:
        seen.append(("second", sorted(everything)))

    @outbox.subscribe("tests.other.happened")
    def other() -> None:
        seen.append("never")

    event_id = outbox.publish(EVENT, tenant_id=tenant.id, run_id=tenant.id)
    assert queue.run_pending() == 2
    assert seen == [
        ("first", True, event_id, str(tenant.id)),
        ("second", ["at", "event_id", "run_id", "tenant_id"]),
    ]


def test_what_is_rolled_back_was_never_published(tenant: Tenant) -> None:
    outbox.subscribe(EVENT)(lambda: None)
    with transaction.atomic():
        outbox.publish(EVENT, tenant_id=tenant.id)
        transaction.set_rollback(True)
    assert (Event.objects.count(), queue.run_pending()) == (0, 0)


def test_a_subscriber_that_fails_gets_the_event_again_in_order_and_holds_up_no_other(tenant: Tenant) -> None:
    seen: list[Any] = []
    away = [True]

    @outbox.subscribe(EVENT)
    def fails(*, number: int) -> None:
        if away.pop() if away else False:
            raise ports.Unavailable("Away.")
        seen.append(("fails", number))

    @outbox.subscribe(EVENT)
    def works(*, number: int) -> None:
        seen.append(("works", number))

    for number in range(3):
        outbox.publish(EVENT, tenant_id=tenant.id, number=number)
    queue.run_pending()
    assert seen == [("works", number) for number in range(3)]
    queue.run_pending(at=datetime.now(UTC) + timedelta(minutes=30))
    assert seen[3:] == [("fails", number) for number in range(3)]


def test_a_subscriber_that_a_newer_release_no_longer_has_is_passed_over(tenant: Tenant) -> None:
    outbox.subscribe(EVENT)(lambda: None)
    outbox.publish(EVENT, tenant_id=tenant.id)
    SUBSCRIBERS._items.clear()
    queue.run_pending()
    assert [job.state for job in queue.jobs(tenant.id)] == [queue.JobState.DONE]


def test_tenants_do_not_see_each_others_events(tenant: Tenant) -> None:
    outbox.publish(EVENT, tenant_id=tenant.id)
    with tenancy.scope(tenant_id=make.tenant().id):
        assert Event.objects.count() == 0


def test_old_events_are_deleted(tenant: Tenant) -> None:
    outbox.publish(EVENT, tenant_id=tenant.id)
    assert outbox.prune(at=datetime.now(UTC) + timedelta(days=89)) == 0
    assert outbox.prune(at=datetime.now(UTC) + timedelta(days=91)) == 1
