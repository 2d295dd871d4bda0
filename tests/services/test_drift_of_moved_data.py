"""Drift on real databases: rows move by a run, are compared, and then change on either side."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.services import runs
from core import queue, tenancy
from core.actor import Actor
from core.permissions import StaffRole
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import Strategy
from parity_reports.models import Drift
from parity_reports.services import drift, previews, reconciliations, reports
from tests import airline, make
from tests.databases import Platforms

WHOLE = "SELECT reference, number, t::text FROM platform.flight AS t ORDER BY reference"
HOUSE = Actor.system("tests")
pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.slow]


@pytest.fixture
def tenant(airline_world: Platforms, settings: Settings) -> Iterator[Tenant]:
    airline.compare_with(airline_world, settings)
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    airline.flights(airline_world, 6)
    with tenancy.scope(tenant_id=made.pk):
        runs.start(tenant_id=made.pk, by=HOUSE, at=timezone.now())
        queue.run_pending()
        reports.request(tenant_id=made.pk, by=HOUSE, at=timezone.now())
        queue.run_pending()
        yield made


def look(tenant: Tenant) -> list[tuple[str, str, str]]:
    """Look again, and return key, kind and cause of what drifts."""
    drift.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    drift.recheck(tenant_id=tenant.pk, by=HOUSE, now=timezone.now, is_last_attempt=True)
    rows = Drift.objects.filter(resolved_at=None).order_by("key")
    return [(row.key, row.kind, row.cause) for row in rows]


def test_each_cause_is_told_from_the_platforms_themselves_and_ends_by_a_run(
    airline_world: Platforms, tenant: Tenant
) -> None:
    assert look(tenant) == []
    airline.legacy_do(airline_world, "UPDATE flt_hist SET dist_mi = 999 WHERE flt_seq = 1")
    airline.legacy_do(airline_world, "DELETE FROM flt_hist WHERE flt_seq = 2")
    airline.new_do(airline_world, "UPDATE platform.flight SET distance_km = distance_km + 1 WHERE number = 3")
    airline.new_do(airline_world, "DELETE FROM platform.flight WHERE number = 4")
    assert look(tenant) == [
        ("ZZ1-20130115-1", "different", "late_write"),
        ("ZZ2-20130115-1", "extra", "late_write"),
        ("ZZ3-20130115-1", "different", "unknown"),
        ("ZZ4-20130115-1", "missing", "unknown"),
    ]
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    assert look(tenant) == []


def test_what_drifts_is_put_right_record_by_record_and_put_back(airline_world: Platforms, tenant: Tenant) -> None:
    before = airline.new_rows(airline_world, WHOLE)
    airline.legacy_do(airline_world, "UPDATE flt_hist SET dist_mi = 999 WHERE flt_seq = 1")
    airline.legacy_do(airline_world, "DELETE FROM flt_hist WHERE flt_seq = 2")
    airline.new_do(airline_world, "UPDATE platform.flight SET distance_km = 1 WHERE number = 3")
    airline.new_do(airline_world, "DELETE FROM platform.flight WHERE number = 4")
    assert len(look(tenant)) == 4
    drifted = airline.new_rows(airline_world, WHOLE)
    lead, other = (make.staff_actor(make.staff(role)) for role in (StaffRole.DATA_LEAD, StaffRole.TECHNICAL_LEAD))
    row = previews.make(
        tenant_id=tenant.pk,
        entity="flights",
        strategies=dict.fromkeys(Cause, Strategy.SOURCE),
        reason="As agreed.",
        accepted_until=None,
        by=lead,
        at=timezone.now(),
    )
    reconciliations.confirm(reconciliation_id=row.pk, by=lead, at=timezone.now())
    reconciliations.approve(reconciliation_id=row.pk, by=other, at=timezone.now())
    queue.run_pending()
    assert look(tenant) == []
    repaired = airline.new_rows(airline_world, WHOLE)
    assert {row[1] for row in repaired} == {1, 3, 4, 5, 6}
    assert [row for row in repaired if row[1] in (3, 4, 5, 6)] == [row for row in before if row[1] in (3, 4, 5, 6)]
    reconciliations.undo(reconciliation_id=row.pk, by=lead, at=timezone.now())
    queue.run_pending()
    assert airline.new_rows(airline_world, WHOLE) == drifted
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    assert look(tenant) == [], "a run finds its way through what was put right and back"


def caught_up(tenant: Tenant) -> int:
    """Catch flights up, and return how many were read."""
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"], catch_up=True)
    queue.run_pending()
    run.refresh_from_db()
    assert (run.state, run.whole_because) == ("succeeded", "")
    return run.read


def test_what_looks_up_what_was_put_right_is_caught_up_where_it_names_it(
    airline_world: Platforms, tenant: Tenant
) -> None:
    airline.legacy_do(airline_world, "UPDATE flt_hist SET upd_ts = now() - interval '1 hour'")
    airline.new_do(airline_world, "UPDATE platform.airport SET time_zone = 'America/Denver' WHERE code = 'LAX'")
    assert [key for key, *_ in look(tenant)] == ["LAX"]
    asked = {"strategies": dict.fromkeys(Cause, Strategy.SOURCE), "reason": "As agreed.", "accepted_until": None}
    lead, other = (make.staff_actor(make.staff(role)) for role in (StaffRole.DATA_LEAD, StaffRole.TECHNICAL_LEAD))
    row = previews.make(tenant_id=tenant.pk, entity="airports", by=lead, at=timezone.now(), **asked)
    reconciliations.confirm(reconciliation_id=row.pk, by=lead, at=timezone.now())
    reconciliations.approve(reconciliation_id=row.pk, by=other, at=timezone.now())
    queue.run_pending()
    assert look(tenant) == []
    assert caught_up(tenant) == 6, "they fly there"
    assert caught_up(tenant) == 0
    reconciliations.undo(reconciliation_id=row.pk, by=lead, at=timezone.now())
    queue.run_pending()
    assert caught_up(tenant) == 6
