"""A hold that is placed while something is committed elsewhere waits for it, or is seen by it: nothing lies between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from core import holds, tenancy
from core.actor import Actor
from core.models import Hold
from tests import make
from tests.races import await_waiter, beside

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed_db")]
AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
BY = Actor.system("tests")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def place(tenant_id: UUID) -> Hold:
    until = AT + timedelta(days=1)
    return holds.place(holds.LEGAL_HOLD, tenant_id=tenant_id, expires_at=until, reason="Court", by=BY, at=AT)


def asked(tenant_id: UUID) -> bool:
    with holds.none_placed(tenant_id=tenant_id):
        return holds.is_legally_held(tenant_id=tenant_id, at=AT)


def test_whoever_places_a_hold_waits_for_what_is_being_committed(pool: ThreadPoolExecutor) -> None:
    tenant_id = make.tenant().pk
    with tenancy.scope(tenant_id=tenant_id):
        with holds.none_placed(tenant_id=tenant_id):
            placed = beside(pool, tenant_id, lambda: place(tenant_id))
            await_waiter()
            assert not holds.is_legally_held(tenant_id=tenant_id, at=AT)
        assert placed.result(timeout=30).kind == holds.LEGAL_HOLD
        assert holds.is_legally_held(tenant_id=tenant_id, at=AT)


def test_whoever_places_a_hold_waits_for_whoever_asked_inside_a_transaction(pool: ThreadPoolExecutor) -> None:
    tenant_id = make.tenant().pk
    with tenancy.scope(tenant_id=tenant_id):
        with transaction.atomic():
            assert not holds.is_held_until_commit(tenant_id=tenant_id, at=AT)
            placed = beside(pool, tenant_id, lambda: place(tenant_id))
            await_waiter()
            holds.demand_none(tenant_id=tenant_id, at=AT)
        assert placed.result(timeout=30).kind == holds.LEGAL_HOLD
        with pytest.raises(holds.LegallyHeld):
            holds.demand_none(tenant_id=tenant_id, at=AT)


def test_whoever_is_about_to_commit_sees_the_hold_that_is_being_placed(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_id, about_to_commit, go_on, record = make.tenant().pk, Event(), Event(), holds.ledger.record

    def record_slowly(*given: Any, **data: Any) -> object:
        about_to_commit.set()
        assert go_on.wait(timeout=30)
        return record(*given, **data)

    monkeypatch.setattr(holds.ledger, "record", record_slowly)
    placed = beside(pool, tenant_id, lambda: place(tenant_id))
    try:
        assert about_to_commit.wait(timeout=30)
        found = beside(pool, tenant_id, lambda: asked(tenant_id))
        await_waiter()
    finally:
        go_on.set()
    assert placed.result(timeout=30).kind == holds.LEGAL_HOLD
    assert found.result(timeout=30) is True


def test_whoever_waits_too_long_is_told(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "PATIENCE", 0.05)
    tenant_id = make.tenant().pk
    with tenancy.scope(tenant_id=tenant_id), holds.none_placed(tenant_id=tenant_id):
        placed = beside(pool, tenant_id, lambda: place(tenant_id))
        with pytest.raises(holds.UnableToHold, match="takes unusually long"):
            placed.result(timeout=30)
        assert not Hold.objects.exists()
