"""Every row is judged before anything moves: what is found, what is kept, what a failing platform does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.domain.judgement import Fate
from backfills.models import InspectedEntity, InspectedFault, Inspection, OutcomeTotal
from backfills.queries import inspections as queries
from backfills.readiness import inspected
from backfills.services import inspections, runs
from core import ports, queue
from core.actor import Actor
from core.errors import PermissionRefused
from core.findings import Finding, Outcome
from core.models import LedgerEntry
from core.permissions import TenantRole
from core.tenancy import scope
from portal.adapters.legacy import PostgresLegacy
from tests import airline, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(airline_world: Platforms) -> Platforms:
    return airline_world


@pytest.fixture
def tenant(world: Platforms) -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def inspect(tenant: Tenant) -> queries.Found:
    inspections.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    return queries.latest(tenant_id=tenant.pk)


def answer(tenant: Tenant) -> Finding:
    return inspected(tenant_id=tenant.pk, at=timezone.now())


def test_it_foretells_exactly_what_the_runs_then_do(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 3)
    airline.flights(world, 1, tail_no="N3AAAA", can_flg="Y")
    airline.flights(world, 1, org_stn="XXX")
    airline.insert(world, "stn_mast", [{"carr_cd": airline.CODE, "stn_cd": "NYC", "stn_nm": "All", "dst_flg": "A",
                                        "lat_txt": "1", "lon_txt": "2", "elev_ft": "3", "tz_nm": "x"}])  # fmt: skip
    found = inspect(tenant)
    assert found.is_current
    assert [row.spec.entity for row in found.rows] == ["aircraft_types", "aircraft", "airports", "flights"]
    assert {row.spec.entity: row.seen.new for row in found.rows if row.seen} == {
        "aircraft_types": 1, "aircraft": 2, "airports": 3, "flights": 3,
    }  # fmt: skip
    foretold = {row.spec.entity: {(f, r): n for f, r, n in row.seen.outcomes} for row in found.rows if row.seen}
    assert airline.new_rows(world, "SELECT count(*) FROM platform.airport") == [(0,)]
    for run in runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now()):
        queue.run_pending()
        done = {(one.fate, one.rule): one.count for one in OutcomeTotal.objects.filter(run=run)}
        assert done == foretold[run.entity], run.entity


def written(found: queries.Found, entity: str) -> tuple[int | None, ...]:
    """What the move would make, change, leave as it is and remove."""
    seen = next(row.seen for row in found.rows if row.spec.entity == entity)
    assert seen
    return seen.new, seen.changed, seen.same, seen.gone


@pytest.mark.slow
def test_it_is_a_dry_run_that_tells_what_would_be_written_and_removed(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 4)
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    assert written(inspect(tenant), "flights") == (0, 0, 4, 0)
    airline.legacy_do(world, "UPDATE flt_hist SET dist_mi = 2000 WHERE flt_seq = 1")
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 2")
    airline.flights(world, 2)
    found = inspect(tenant)
    assert (written(found, "flights"), found.removes) == ((2, 1, 2, 1), 1)
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])
    queue.run_pending()
    run.refresh_from_db()
    assert (run.state, run.changed) == ("succeeded", 3)
    assert written(inspect(tenant), "flights") == (0, 0, 5, 0)
    assert written(inspect(tenant), "aircraft_types") == (0, 0, 1, 0)


def test_a_table_that_is_not_there_yet_is_no_reason_not_to_check(
    world: Platforms, tenant: Tenant, settings: Settings, tmp_path: Path
) -> None:
    for path in Path(settings.MAPPING_FOLDER).glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text().replace("platform.airport", "platform.not_made_yet"))
    settings.MAPPING_FOLDER = tmp_path
    found = inspect(tenant)
    assert found.is_done
    assert (written(found, "airports"), written(found, "aircraft")) == ((None,) * 4, (2, 0, 0, 0))


def test_all_that_is_wrong_with_a_row_is_told_at_once_by_what_is_to_be_done(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    airline.flights(world, 2, tail_no="N3AAAA", can_flg="Y", dst_stn="XXX")
    found = inspect(tenant)
    assert (found.total, found.rejected) == (11, 2)
    assert found.size > 0
    assert [(repair.count, [(one.rule, one.column) for one in repair.faults]) for repair in found.repairs] == [
        (2, [("missing_reference", "dst_stn")]),
        (2, [("cancelled_yet_departed", "can_flg")]),
        (2, [("fleet_number_for_registration", "tail_no")]),
    ]
    assert found.repairs[-1].faults[0].shown == [("3", "N3AAAA"), ("4", "N3AAAA")]
    assert [row.spec.entity for row in found.over_limit] == ["flights"]


def test_asking_twice_asks_once_and_only_the_latest_is_kept(world: Platforms, tenant: Tenant) -> None:
    first = inspections.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    assert inspections.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now()) == first
    assert len(queue.jobs(tenant.pk, task=queries.INSPECT)) == 1
    queue.run_pending()
    airline.flights(world, 1, can_flg="Y")
    assert inspect(tenant).rejected == 1
    assert InspectedEntity.objects.exclude(inspection=queries.latest(tenant_id=tenant.pk).inspection).count() == 0
    events = [entry.event for entry in LedgerEntry.objects.filter(event__startswith="backfills.inspection")]
    assert sorted(events) == ["backfills.inspection.finished"] * 2 + ["backfills.inspection.requested"] * 2


def test_it_ends_when_it_ends_and_one_that_ended_while_asked_for_comes_back(
    world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = timezone.now()
    ended = began + timedelta(hours=3)
    asked = inspections.request(tenant_id=tenant.pk, by=HOUSE, at=began)
    inspections.carry_out(inspection_id=asked.pk, by=HOUSE, now=lambda: ended)
    assert Inspection.objects.get().finished_at == ended

    def taken(**_: object) -> None:
        raise IntegrityError("the other one was still running")

    monkeypatch.setattr(Inspection.objects, "create", taken)
    assert inspections.request(tenant_id=tenant.pk, by=HOUSE, at=began) == asked


def test_an_outage_is_tried_again_and_begins_anew(
    world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    airline.flights(world, 1)
    read = PostgresLegacy.read

    def failing(self: PostgresLegacy, **asked: Any) -> Any:
        if asked["spec"].entity == "flights":
            raise ports.Unavailable("The legacy platform's database does not answer (no connection).")
        return read(self, **asked)

    monkeypatch.setattr(PostgresLegacy, "read", failing)
    found = inspect(tenant)
    assert found.is_running
    assert found.trouble == "The legacy platform's database does not answer (no connection)."
    assert InspectedEntity.objects.count() == 3
    monkeypatch.setattr(PostgresLegacy, "read", read)
    queue.run_pending(at=timezone.now() + timezone.timedelta(hours=1))
    assert queries.latest(tenant_id=tenant.pk).is_current
    assert InspectedEntity.objects.count() == 4


def test_what_a_platform_refuses_is_told(world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(self: PostgresLegacy, **_: Any) -> int:
        raise ports.Rejected("The legacy platform's database refused the request (42501).")

    monkeypatch.setattr(PostgresLegacy, "count", refusing)
    found = inspect(tenant)
    assert found.inspection
    assert (found.inspection.state, found.inspection.problem) == (
        Inspection.State.FAILED, "The legacy platform's database refused the request (42501).",
    )  # fmt: skip
    assert answer(tenant).summary == "The check was not finished"


def test_values_and_keys_that_are_not_public_are_never_written(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 1, dep_dly=7)
    airline.legacy_do(world, "UPDATE flt_hist SET air_min = 99999")
    inspect(tenant)
    fault = InspectedFault.objects.get(column="air_min")
    assert (fault.rule, fault.examples) == ("value_out_of_range", [["1", None]])


def test_only_who_manages_runs_may_ask(tenant: Tenant) -> None:
    member = make.member(tenant, TenantRole.AUDITOR)
    by = Actor.member(user_id=member.user_id, tenant_id=tenant.pk, role="auditor", name="A")
    with pytest.raises(PermissionRefused):
        inspections.request(tenant_id=tenant.pk, by=by, at=timezone.now())


@pytest.mark.slow
def test_the_gate_asks_for_a_check_and_is_content_once_everything_has_moved(world: Platforms, tenant: Tenant) -> None:
    assert (answer(tenant).outcome, answer(tenant).summary) == (Outcome.BLOCK, "Your data was not checked yet")
    inspections.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    assert answer(tenant).summary == "Your data is being checked"
    queue.run_pending()
    assert (answer(tenant).outcome, answer(tenant).summary) == (
        Outcome.PASS, "7 rows were checked, none would be rejected",
    )  # fmt: skip
    airline.flights(world, 2, can_flg="Y")
    inspect(tenant)
    assert (answer(tenant).outcome, answer(tenant).fix) == (
        Outcome.BLOCK, "In legacy, clear the cancelled flag or the departure time, then retry.",
    )  # fmt: skip
    airline.legacy_do(world, "UPDATE flt_hist SET can_flg = 'N' WHERE flt_seq > 1")
    airline.flights(world, 3000)
    inspect(tenant)
    assert (answer(tenant).outcome, queries.latest(tenant_id=tenant.pk).rejected) == (Outcome.WARN, 1)
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    assert (answer(tenant).outcome, answer(tenant).facts) == (Outcome.PASS, {"moved": True})


def test_a_changed_mapping_asks_for_a_new_check(world: Platforms, tenant: Tenant) -> None:
    inspect(tenant)
    InspectedEntity.objects.filter(entity="flights").update(spec="flights@0+old")
    assert answer(tenant).summary == "The mapping has changed since the check"


def test_what_is_foretold_adds_up(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 4, org_stn="XXX")
    for row in inspect(tenant).rows:
        assert row.seen
        assert sum(count for _, _, count in row.seen.outcomes) == row.seen.rows
        assert sum(count for fate, _, count in row.seen.outcomes if fate == Fate.QUARANTINED) == row.seen.rejected
