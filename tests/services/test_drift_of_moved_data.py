"""Drift on real databases: rows move by a run, are compared, and then change on either side."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.services import runs
from core import queue, tenancy
from core.actor import Actor
from parity_reports.models import Drift
from parity_reports.services import drift, reports
from tests import airline, make
from tests.databases import Platforms

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
