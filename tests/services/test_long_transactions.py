"""What a long transaction of legacy changed is met by the catch-up after its end, or it is said that it may not be."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from backfills import readiness
from backfills.domain import catching
from backfills.models import Run
from backfills.queries import mapping
from backfills.services import runs
from core import ports, queue
from core.actor import Actor
from core.findings import Outcome
from core.tenancy import scope
from portal.adapters.legacy import PostgresLegacy
from tests import airline, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(airline_world: Platforms, monkeypatch: pytest.MonkeyPatch) -> Platforms:
    """Any transaction is a long one here."""
    monkeypatch.setattr(catching, "MARGIN", timedelta(0))
    return airline_world


@pytest.fixture
def tenant(world: Platforms) -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def move(tenant: Tenant, *entities: str, catch_up: bool = False) -> dict[str, Run]:
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=entities or None, catch_up=catch_up)
    queue.run_pending()
    return {run.entity: Run.objects.get(pk=run.pk) for run in started}


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "while"])
def test_an_update_committed_after_a_catch_up_began_is_met_by_the_next(
    world: Platforms, tenant: Tenant, when: str
) -> None:
    airline.flights(world, 3)
    move(tenant)
    change = "UPDATE flt_hist SET dist_mi = 100 WHERE flt_seq = 2"  # a trigger sets its time
    with psycopg.connect(world.legacy_owner) as legacy:
        (began,) = legacy.execute("SELECT now()").fetchone() or (None,)
        if when == "before":
            legacy.execute(change)
        during = move(tenant, "flights", catch_up=True)["flights"]
        if when == "while":
            legacy.execute(change)
    assert during.changed == 0
    assert during.watermark == began
    assert during.blind_spot == ""
    after = move(tenant, "flights", catch_up=True)["flights"]
    assert (after.read, after.changed) == (1, 1)
    settled = move(tenant, "flights", catch_up=True)["flights"]
    assert settled.watermark
    assert settled.watermark > began


@pytest.mark.slow
def test_a_role_that_may_not_see_says_so(world: Platforms) -> None:
    spec = mapping.specs()["flights"]
    assert ports.legacy().blind_spot(spec=spec) == ""
    assert "does not let us see" in PostgresLegacy(url=world.new_loader).blind_spot(spec=spec)


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["", "Nobody lets us see."])
def test_what_may_be_passed_over_stands_on_the_page_and_in_the_check(
    world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr(PostgresLegacy, "blind_spot", lambda self, *, spec: reason)
    airline.flights(world, 1)
    move(tenant)
    found = readiness.caught_up(tenant_id=tenant.pk, at=timezone.now())
    assert found.outcome is Outcome.PASS
    assert ("may come later" in found.summary) is bool(reason)
    assert str(found.evidence["may_be_passed_over"] or "").endswith(reason)
    client = Client()
    client.force_login(make.member(tenant, "admin").user)
    page = client.get(f"/t/{tenant.slug}/runs/").content.decode()
    assert ("is met by drift or the next full run only. Nobody lets us see." in page) is bool(reason)
