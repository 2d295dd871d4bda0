"""What backfills answers at the gate."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Tenant
from backfills import readiness
from backfills.services import runs
from core import queue
from core.actor import Actor
from core.findings import Outcome
from core.readiness import latest
from core.tenancy import scope
from tests import airline, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def tenant(airline_world: Platforms) -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def move(tenant: Tenant) -> None:
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()


def test_nothing_moved_blocks_both(tenant: Tenant) -> None:
    conserved = readiness.conserved(tenant_id=tenant.pk, at=timezone.now())
    letters = readiness.dead_letters(tenant_id=tenant.pk, at=timezone.now())
    assert (conserved.outcome, conserved.summary) == (
        Outcome.BLOCK,
        "Not moved yet: aircraft types, aircraft, airports, flights",
    )
    assert (letters.outcome, letters.fix) == (Outcome.BLOCK, "Start the runs.")


def test_while_it_moves_there_is_nothing_to_do_but_wait(tenant: Tenant) -> None:
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    finding = readiness.conserved(tenant_id=tenant.pk, at=timezone.now())
    assert finding.outcome is Outcome.BLOCK
    assert finding.fix == "Wait for the runs to end; nothing for you to do."


def test_a_paused_run_says_who_lets_it_go_on(tenant: Tenant) -> None:
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    for run in started:
        runs.pause(run=run, by=HOUSE, at=timezone.now())
    queue.run_pending()
    finding = readiness.conserved(tenant_id=tenant.pk, at=timezone.now())
    assert finding.summary == "Aircraft types stand still: the run is paused"
    assert finding.fix == "Let the run go on; it continues where it stands."


def test_accounted_for_and_none_rejected_passes_both(tenant: Tenant, airline_world: Platforms) -> None:
    airline.flights(airline_world, 2)
    move(tenant)
    conserved = readiness.conserved(tenant_id=tenant.pk, at=timezone.now())
    assert conserved.outcome is Outcome.PASS
    assert conserved.summary == (
        "7 legacy rows, 9 outcomes, for some rows become several objects: nothing lost, nothing twice"
    )
    assert readiness.dead_letters(tenant_id=tenant.pk, at=timezone.now()).outcome is Outcome.PASS


def test_both_are_asked_again_as_soon_as_a_run_has_ended(tenant: Tenant) -> None:
    move(tenant)
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    assert latest(tenant_id=tenant.pk).keys() >= {"backfills.conserved", "backfills.dead_letters"}


def test_too_many_rejected_rows_block_with_their_fix_though_every_row_is_accounted_for(
    tenant: Tenant, airline_world: Platforms
) -> None:
    airline.flights(airline_world, 2, tail_no="N3AAAA")
    move(tenant)
    assert readiness.conserved(tenant_id=tenant.pk, at=timezone.now()).outcome is Outcome.PASS
    finding = readiness.dead_letters(tenant_id=tenant.pk, at=timezone.now())
    assert finding.outcome is Outcome.BLOCK
    assert finding.facts == {"rejected": {"flights": {"fleet_number_for_registration:tail_no": 2}}}
    assert list(finding.items) == ["flights:fleet_number_for_registration:tail_no"], "what a waiver must name"
    assert "Crosswalk" in finding.fix


@pytest.mark.slow
def test_a_row_that_was_put_right_and_is_rejected_again_is_none_that_an_exception_named(
    tenant: Tenant, airline_world: Platforms
) -> None:
    def named() -> dict[str, str]:
        move(tenant)
        return dict(readiness.dead_letters(tenant_id=tenant.pk, at=timezone.now()).items)

    airline.flights(airline_world, 2, tail_no="N3AAAA")
    first = named()
    assert named() == first
    airline.legacy_do(airline_world, "UPDATE flt_hist SET tail_no = 'N1ZZ'")
    assert named() == {}
    airline.legacy_do(airline_world, "UPDATE flt_hist SET tail_no = 'N3AAAA'")
    again = named()
    assert again.keys() == first.keys()
    assert all(again[name] > reach for name, reach in first.items())


@pytest.mark.slow
def test_few_enough_rejected_rows_only_warn(tenant: Tenant, airline_world: Platforms) -> None:
    airline.flights(airline_world, 1200)
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    move(tenant)
    assert readiness.dead_letters(tenant_id=tenant.pk, at=timezone.now()).outcome is Outcome.WARN


@pytest.mark.slow
def test_the_facts_stand_when_a_new_run_finds_what_the_signed_one_did(tenant: Tenant) -> None:
    move(tenant)
    before = readiness.conserved(tenant_id=tenant.pk, at=timezone.now()).facts
    assert before["specs"].keys() == {"aircraft_types", "aircraft", "airports", "flights"}
    move(tenant)
    assert readiness.conserved(tenant_id=tenant.pk, at=timezone.now()).facts == before
