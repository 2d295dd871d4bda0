"""A limit of rows per second: the next batch is read when it is due, and no worker waits for that."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Tenant
from backfills.domain.runs import RunState, seconds_left
from backfills.models import Pace, Run
from backfills.services import pacing, runs, standing
from core import queue
from core.actor import Actor
from core.errors import PermissionRefused
from core.models import Job, LedgerEntry
from core.permissions import StaffRole
from core.tenancy import scope
from tests import airline, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def limit(tenant: Tenant, rows: int | None) -> None:
    standing.limit(tenant_id=tenant.pk, rows_per_second=rows, by=HOUSE, at=timezone.now())


def test_each_batch_is_read_when_the_limit_lets_it(airline_world: Platforms, tenant: Tenant) -> None:
    limit(tenant, 1)
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["airports"])
    queue.run_pending()
    job = Job.objects.get(task="backfills.tasks.advance_run")
    assert (job.state, job.attempts, job.message) == ("queued", 0, "Airports: 3 rows, limited to 1 rows per second")
    free_at = Pace.objects.get().free_at
    assert free_at is not None
    assert job.not_before == free_at > timezone.now() + SECOND
    assert queue.run_pending() == 0
    limit(tenant, None)
    queue.run_pending()
    assert Run.objects.get().state == RunState.SUCCEEDED


def test_what_was_read_counts_from_when_it_was_begun(tenant: Tenant) -> None:
    at = timezone.now()
    pacing.spend(tenant_id=tenant.pk, rows=10, at=at)
    assert pacing.held_until(tenant_id=tenant.pk, at=at) is None
    limit(tenant, 10)
    for seconds in (3, 6):
        pacing.spend(tenant_id=tenant.pk, rows=30, at=at)
        assert pacing.held_until(tenant_id=tenant.pk, at=at) == at + seconds * SECOND
    assert pacing.held_until(tenant_id=tenant.pk, at=at + 6 * SECOND) is None
    pacing.spend(tenant_id=tenant.pk, rows=5, at=at + 60 * SECOND)
    assert pacing.held_until(tenant_id=tenant.pk, at=at + 60 * SECOND) == at + 60.5 * SECOND


def test_staff_alone_sets_it_and_the_ledger_says_so(tenant: Tenant) -> None:
    at = timezone.now()
    owner = make.actor(make.member(tenant))
    with pytest.raises(PermissionRefused):
        standing.limit(tenant_id=tenant.pk, rows_per_second=5, by=owner, at=at)
    lead = make.staff_actor(make.staff(StaffRole.DATA_LEAD))
    for rows in (5, 5, None):
        standing.limit(tenant_id=tenant.pk, rows_per_second=rows, by=lead, at=at)
    told = LedgerEntry.objects.filter(event="backfills.pace.set").order_by("seq")
    assert [entry.data for entry in told] == [{"rows_per_second": 5}, {"rows_per_second": None}]
    with pytest.raises(standing.UnableToLimit, match="1 to 1,000,000"):
        standing.limit(tenant_id=tenant.pk, rows_per_second=0, by=lead, at=at)


@pytest.mark.parametrize(
    ("total", "limit", "measured", "left"),
    [(None, 10, 4.0, 4.0), (100, None, 4.0, 4.0), (100, 10, None, 6.0), (100, 10, 9.0, 9.0), (30, 10, None, 0.0)],
)
def test_the_time_left_is_never_shorter_than_the_limit_lets_it_be(
    total: int | None, limit: int | None, measured: float | None, left: float
) -> None:
    assert seconds_left(source_total=total, read=40, rows_per_second=limit, measured=measured) == left
