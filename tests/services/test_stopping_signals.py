"""What stops the line by the 0.1 % of the charter: rejected rows, and a comparison outside the targets."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Tenant
from backfills import readiness as backfills_readiness
from backfills import stop_the_line as rows
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, OutcomeTotal, Run
from backfills.queries import mapping
from core import readiness, tenancy
from core.permissions import StaffRole
from cutover.domain.phases import Phase
from cutover.evidence import line as line_evidence
from cutover.models import Cutover
from cutover.queries import cutovers
from cutover.services import line, phases
from parity_reports import stop_the_line as parity
from parity_reports.models import Report
from runbooks.models import PolicyException
from runbooks.services import exceptions
from tests import make
from tests.cutovers import AT
from tests.parity import arrange

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    made = make.tenant()
    with tenancy.scope(tenant_id=made.pk):
        phases.advance(tenant_id=made.pk, target=Phase.PREPARE, by=make.SYSTEM, at=AT)
        yield made


def moved(tenant: Tenant, *, rejected: int, of: int = 1_000, at: datetime = AT, **different: Any) -> Run:
    """Let the flights have moved, so many of them rejected."""
    spec = mapping.specs()["flights"]
    state = RunState.STOPPED if rejected * 1_000 > of else RunState.SUCCEEDED
    with transaction.atomic():
        run = Run.objects.create(
            tenant=tenant, entity="flights", spec=spec.label, requested_at=at, started_at=at, finished_at=at,
            source_total=of, **{"state": state, "problem": "Too many.", **different},
        )  # fmt: skip
        ends = {("migrated", ""): of - rejected, ("quarantined", "departure_disagrees"): rejected}
        OutcomeTotal.objects.bulk_create(
            OutcomeTotal(tenant=tenant, run=run, fate=fate, rule=rule, count=count)
            for (fate, rule), count in ends.items()
        )
    DeadLetter.objects.filter(tenant=tenant).delete()
    reject(run, rejected, at=at)
    return run


def reject(run: Run, number: int, *, at: datetime, first: int = 0) -> None:
    DeadLetter.objects.bulk_create(
        DeadLetter(
            tenant_id=run.tenant_id, run=run, entity="flights", source_key=f"{first + each}", spec=run.spec,
            rule="departure_disagrees", column="act_dep", sqlstate="23514", first_at=at, last_at=at,
        )
        for each in range(number)
    )  # fmt: skip


def waive(tenant: Tenant, check: str = "backfills.dead_letters", *, days: int = 7) -> PolicyException:
    """Let what a check blocks on be excepted, by two people."""
    asker = make.staff_actor(make.staff(StaffRole.CS))
    approver = make.staff_actor(make.staff(StaffRole.STEERING_GROUP))
    with make.arranging():
        asked = exceptions.request(
            tenant_id=tenant.pk, check_id=check, reason="They were cancelled long ago.",
            compensating_controls="A list is kept.", owner_id=asker.id, expires_at=AT + timedelta(days=days),
            by=asker, at=AT,
        )  # fmt: skip
        return exceptions.approve(exception=asked, by=approver, at=AT)


def rejected(tenant: Tenant, *, at: datetime = AT) -> str:
    alarm = rows.rejected_too_many(tenant_id=tenant.pk, at=at)
    return alarm.reason if alarm else ""


def stand(tenant: Tenant, phase: Phase) -> None:
    Cutover.objects.filter(tenant_id=tenant.pk).update(phase=phase.value)


def stopped(tenant: Tenant, *, after: int = 1) -> bool:
    return line.stop_if_raised(tenant_id=tenant.pk, by=make.SYSTEM, at=AT + after * MINUTE)


def test_more_rejected_rows_than_allowed_halt_a_tenant_that_moves_and_no_other(tenant: Tenant) -> None:
    moved(tenant, rejected=2)
    told = "Flights: 2 of 1,000 rows were rejected, more than the 0.1 % that the mapping allows."
    for phase in (Phase.PREFLIGHT, Phase.STABILISE):
        stand(tenant, phase)
        assert not stopped(tenant)
    for minutes, phase in enumerate((Phase.CANARY, Phase.RAMP), start=1):
        stand(tenant, phase)
        assert stopped(tenant, after=minutes)
        assert cutovers.phase_of(tenant.pk) is Phase.HALTED
        assert told in cutovers.history(tenant_id=tenant.pk).last().reason
    said = line_evidence(tenant_id=tenant.pk, at=AT)
    assert {"backfills.rejected", "parity_reports.targets"} <= set(said["signals"])
    assert said["raised"] == [{"reason": told, "since": AT}]
    assert [one["from"] for one in said["halts"]] == [Phase.CANARY, Phase.RAMP]


def test_as_many_as_allowed_stop_nothing(tenant: Tenant) -> None:
    moved(tenant, rejected=1)
    assert not rejected(tenant)


def test_a_run_that_put_it_right_or_is_under_way_stops_nothing(tenant: Tenant) -> None:
    moved(tenant, rejected=2)
    run = moved(tenant, rejected=0, at=AT + MINUTE)
    assert not rejected(tenant)
    Run.objects.filter(pk=run.pk).update(state=RunState.RUNNING, finished_at=None)
    assert not rejected(tenant)


def test_of_a_catch_up_under_way_the_run_before_it_stands(tenant: Tenant) -> None:
    moved(tenant, rejected=2)
    Run.objects.create(
        tenant=tenant, entity="flights", state=RunState.RUNNING, spec="flights@1", since=AT, requested_at=AT + MINUTE
    )
    assert rejected(tenant)


def test_what_a_waiver_names_stops_nothing_until_it_ends_or_more_is_rejected(tenant: Tenant) -> None:
    run = moved(tenant, rejected=3)
    readiness.evaluate(tenant_id=tenant.pk, by=make.SYSTEM, at=AT, checks=["backfills.dead_letters"])
    waive(tenant)
    assert not rejected(tenant)
    assert rejected(tenant, at=AT + timedelta(days=7)).startswith("Flights: 3 of 1,000"), "it has expired"
    later = AT + MINUTE
    for more, told in ((1, ""), (2, "Flights: 2 of 1,000 rows were rejected, more than the 0.1 %")):
        reject(run, 1, at=later, first=3 + more)
        with transaction.atomic():
            OutcomeTotal.objects.filter(run=run, fate="migrated").update(count=997 - more)
            OutcomeTotal.objects.filter(run=run, fate="quarantined").update(count=3 + more)
        assert rejected(tenant, at=later).startswith(told), "one more is 0.1 %"
        assert bool(rejected(tenant, at=later)) is bool(told)
    check = backfills_readiness.dead_letters(tenant_id=tenant.pk, at=later)
    assert check.outcome == "block", "before the move the gate is stricter: what came later was never agreed to"


@pytest.fixture
def crossing(settings: Any, tmp_path: Any, tenant: Tenant) -> Any:
    return arrange(settings, tmp_path, tenant)


def compared(crossing: Any, *, differing: int, of: int, **different: Any) -> None:
    """Let the platforms have been compared, with all invariants but `broken` of a thousand holding."""
    broken, moment = different.pop("broken", 0), different.pop("at", AT)
    fields = {"verdict": "different", "different": differing, "compared": of, "method": "full", **different}
    Report.objects.create(
        tenant=crossing.tenant, state="finished", requested_at=moment, finished_at=moment, sha256="0" * 64,
        mapping_sha256="0" * 64, invariants_total=1_000, invariants_passed=1_000 - broken, **fields,
    )  # fmt: skip


def targets(crossing: Any, *, at: datetime = AT) -> str:
    alarm = parity.outside_targets(tenant_id=crossing.tenant.pk, at=at)
    return alarm.reason if alarm else ""


@pytest.mark.parametrize(
    ("differing", "broken", "told"),
    [
        (0, 0, ""),
        (1, 1, ""),
        (2, 1, "By the last full comparison 2 of 1,000 records differ (0.20 %, target 0.1 %)."),
        (1, 2, "By the last full comparison 2 of 1,000 invariants do not hold (99.8 % pass, target 99.9 %)."),
    ],
)
def test_a_comparison_outside_the_targets_stops_the_line(crossing: Any, differing: int, broken: int, told: str) -> None:
    compared(crossing, differing=differing, of=1_000, broken=broken)
    assert targets(crossing) == told


def test_nothing_compared_stops_nothing(crossing: Any) -> None:
    assert not targets(crossing)
    compared(crossing, differing=9, of=1_000, verdict="incomplete", problem="Legacy did not answer.")
    compared(crossing, differing=9, of=1_000, method="sample")
    assert not targets(crossing), "neither was a whole comparison"


def test_only_a_newer_whole_comparison_takes_it_back(crossing: Any) -> None:
    compared(crossing, differing=9, of=1_000)
    compared(crossing, differing=0, of=9, verdict="incomplete", problem="Legacy did not answer.", at=AT + MINUTE)
    assert targets(crossing)
    compared(crossing, differing=1, of=1_000, at=AT + 2 * MINUTE)
    assert not targets(crossing)


def test_an_exception_covers_its_own_target_until_it_ends(crossing: Any) -> None:
    compared(crossing, differing=9, of=1_000, broken=2)
    waive(crossing.tenant, "parity_reports.parity")
    assert targets(crossing).endswith("2 of 1,000 invariants do not hold (99.8 % pass, target 99.9 %).")
    waive(crossing.tenant, "parity_reports.invariants")
    assert not targets(crossing)
    assert targets(crossing, at=AT + timedelta(days=7))


def test_it_halts_while_traffic_moves_until_people_work_on_the_new_platform(crossing: Any) -> None:
    compared(crossing, differing=9, of=1_000)
    for phase, halts in ((Phase.PREFLIGHT, False), (Phase.FULL, False), (Phase.RAMP, True)):
        stand(crossing.tenant, phase)
        assert stopped(crossing.tenant) is halts
    assert cutovers.history(tenant_id=crossing.tenant.pk).last().reason.startswith("By the last full comparison 9 of")
