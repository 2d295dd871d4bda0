"""Shadow reads on a real database: when they are made, what they find, why, and what they spare and keep back."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from backfills.domain.runs import RunState
from backfills.models import Run
from core import queue, tenancy
from core.errors import PermissionRefused
from core.findings import Outcome
from core.models.ledger import LedgerEntry
from core.permissions import StaffRole, TenantRole
from core.toggles import UnableToSwitch
from cutover.domain.phases import Phase
from parity_reports import evidence, readiness
from parity_reports.domain import shadow as domain
from parity_reports.domain.drift import Cause
from parity_reports.models import ShadowMismatch, ShadowRound, ShadowSample
from parity_reports.queries import shadow as queries
from parity_reports.services import drift, shadow, shadow_rounds
from tests import make
from tests.shadowing import Shadowing, alarms, shadowed, told

pytestmark = pytest.mark.django_db
MINUTES = timedelta(minutes=1)
CANARY = "canary-7e2a"


@pytest.fixture
def shadowing(settings, tmp_path) -> Shadowing:
    return shadowed(settings, tmp_path)


def ask(shadowing):
    with tenancy.scope(tenant_id=shadowing.tenant_id):
        return readiness.shadow_reads(tenant_id=shadowing.tenant_id, at=shadowing.at())


def test_reads_take_turns_and_what_agrees_leaves_numbers_and_times_alone(shadowing):
    made = [shadowing.round() for _ in range(4)]
    assert [(row.entity, row.read) for row in made] == [
        ("zones", "one"), ("people", "one"), ("people", "of_a_zone"), ("zones", "one"),
    ]  # fmt: skip
    people = made[1]
    assert (people.compared, people.mismatched, people.unasked, len(people.legacy), len(people.new)) == (3, 0, 0, 3, 3)
    assert (made[2].compared, made[2].unasked) == (0, 3), "nobody has a zone, so there is no list to ask for"
    assert (shadowing.mismatches(), told(shadow_rounds.CHANGED)) == ([], [])


def test_reads_are_made_while_traffic_moves_where_somebody_let_them_and_until_then(settings, tmp_path):
    shadowing = shadowed(settings, tmp_path, on=False)
    assert shadowing.round() is None
    shadowing.switch_on(days=1)
    for phase in (Phase.PREFLIGHT, Phase.HALTED, Phase.STABILISE):
        shadowing.stand(phase)
        assert shadowing.round() is None
    for phase in (Phase.CANARY, Phase.RAMP, Phase.FULL):
        shadowing.stand(phase)
        assert shadowing.round() is not None
    assert shadowing.round(later=timedelta(days=1)) is None, "its time is over, whether or not anybody ended it"


@pytest.mark.slow
def test_switching_on_and_off_leaves_entries_and_needs_reason_end_and_permission(settings, tmp_path):
    shadowing = shadowed(settings, tmp_path, on=False)
    for wrong in ({"reason": " "}, {"days": 31}, {"days": -1}):
        with pytest.raises(UnableToSwitch):
            shadowing.switch_on(**wrong)
    member = make.actor(make.member(shadowing.drifting.crossing.tenant, TenantRole.AUDITOR))
    with pytest.raises(PermissionRefused):
        shadowing.switch_on(by=member)
    lead = make.staff_actor(make.staff(StaffRole.DATA_LEAD))
    shadowing.switch_on(by=lead)
    with tenancy.scope(tenant_id=shadowing.tenant_id):
        assert shadow.switch_off(tenant_id=shadowing.tenant_id, by=lead, at=shadowing.at())
        assert not shadow.switch_off(tenant_id=shadowing.tenant_id, by=lead, at=shadowing.at())
    assert [entry["name"] for entry in told("core.toggle.switched_on", "core.toggle.switched_off")] == [
        "shadow_reads", "shadow_reads",
    ]  # fmt: skip
    assert shadowing.round() is None
    shadowing.stand(Phase.DONE)
    with pytest.raises(shadow.UnableToShadow, match="over"):
        shadowing.switch_on()


@pytest.mark.slow
def test_a_round_begins_once_it_is_due_and_not_while_data_move(shadowing):
    assert shadowing.round() is not None
    assert shadowing.round(later=timedelta(0)) is None
    with make.arranging():
        run = Run.objects.create(
            tenant_id=shadowing.tenant_id, entity="people", state=RunState.RUNNING, spec="people@1+x",
            requested_at=shadowing.at(),
        )  # fmt: skip
        assert queries.due(at=shadowing.at() + 10 * MINUTES) == [shadowing.tenant_id]
    assert shadowing.round() is None
    with make.arranging():
        run.delete()
        assert queries.due(at=shadowing.at() - 10 * MINUTES) == []
        assert shadow.request_due(by=make.SYSTEM, at=shadowing.at()) == 1
        assert [job.task for job in queue.jobs(shadowing.tenant_id, task=queries.TASK)] == [queries.TASK]


def test_a_late_write_is_a_mismatch_with_its_reason_until_it_agrees(shadowing):
    shadowing.drifting.legacy(2, fee="9")
    found = shadowing.rounds()
    (row,) = shadowing.mismatches()
    assert (found.compared, found.mismatched) == (3, 1)
    assert (row.shown, row.kind, row.columns, row.cause) == ("2", "different", {"fee": "value"}, Cause.LATE_WRITE)
    assert (row.records, row.unexplained_since, row.resolved_at) == (1, None, None)
    shadowing.drifting.new(2, fee=900)
    again = shadowing.rounds()
    (row,) = shadowing.mismatches()
    assert (row.resolved_at, row.sealed_key, again.mismatched) == (again.ended_at, "", 0)
    assert [(entry["appeared"], entry["resolved"]) for entry in told(shadow_rounds.CHANGED)] == [(1, 0), (0, 1)]


def test_what_nobody_explains_warns_blocks_and_stops_the_line_until_a_person_does(shadowing):
    shadowing.drifting.new(1, name="Bob")
    shadowing.rounds()
    (row,) = shadowing.mismatches()
    assert (row.cause, row.unexplained_since, row.columns) == (Cause.UNKNOWN, row.first_seen_at, {"name": "value"})
    assert ask(shadowing).outcome is Outcome.WARN
    assert alarms(shadowing) == []
    with make.arranging():
        assert queue.jobs(shadowing.tenant_id, task="parity_reports.tasks.recheck", unfinished=True)
    shadowing.rounds(later=15 * MINUTES)
    assert ask(shadowing).outcome is Outcome.BLOCK
    assert alarms(shadowing) == ["1 read is answered differently, and for more than 30 minutes nobody knows why."]
    shadowing.drifting.look()
    (drifted,) = shadowing.drifting.drifts()
    with make.arranging():
        drift.explain(
            drift_id=drifted.pk, reason="Corrected by hand.", until=shadowing.at() + timedelta(days=1),
            by=make.SYSTEM, at=shadowing.at(),
        )  # fmt: skip
    assert (shadowing.standing().unexplained, alarms(shadowing)) == (0, [])


@pytest.mark.slow
def test_what_the_last_comparison_found_already_is_no_news(shadowing):
    shadowing.drifting.new(3, name="Cid")
    shadowing.drifting.compare()
    found = shadowing.rounds()
    assert (found.compared, found.known, found.mismatched, shadowing.mismatches()) == (3, 1, 0, [])


@pytest.mark.slow
def test_what_changed_where_people_work_already_is_counted_apart(shadowing):
    shadowing.stand(Phase.FULL)
    shadowing.drifting.new(1, name="Bob")
    found = shadowing.rounds()
    assert (found.newer, found.mismatched, shadowing.mismatches()[0].cause) == (1, 0, Cause.NEW_WRITE)


@pytest.mark.slow
def test_a_list_is_one_mismatch_however_many_of_its_records_differ(shadowing):
    for number in (1, 2, 3):
        shadowing.drifting.legacy(number, zone="XX")
        shadowing.drifting.new(number, zone="XX")
    shadowing.drifting.compare()
    shadowing.drifting.new(1, name="Bob")
    shadowing.drifting.new(2, name="Cid")
    found = shadowing.rounds("of_a_zone")
    (row,) = shadowing.mismatches(read="of_a_zone")
    assert (found.compared, found.mismatched) == (1, 1)
    assert (row.shown, row.records, len(row.names), row.columns) == ("XX", 2, 2, {"name": "value"})
    shadowing.drifting.new(1, name="Ann")
    shadowing.drifting.new(2, name="Ann")
    shadowing.rounds("of_a_zone")
    assert shadowing.mismatches(read="of_a_zone")[0].resolved_at is not None


@pytest.mark.slow
def test_a_mismatch_is_looked_at_again_without_counting_twice(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(domain, "BATCH", 2)
    shadowing = shadowed(settings, tmp_path, people=4)
    shadowing.drifting.new(1, name="Bob")
    made = [shadowing.rounds() for _ in range(4)]
    assert sorted(row.compared for row in made) == [2, 2, 2, 2]
    assert sum(row.mismatched for row in made) == 2, "once in each drawing of all four"
    assert len(shadowing.mismatches()) == 1


@pytest.mark.slow
def test_a_sample_is_read_to_its_end_before_another_one_is_drawn(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(domain, "BATCH", 3)
    shadowing = shadowed(settings, tmp_path, people=6)
    for _ in range(2):
        shadowing.rounds()
    asked = [key for name, key in shadowing.reader.asked if name == "one" and key.isdigit()]
    assert sorted(asked) == ["1", "2", "3", "4", "5", "6"]
    shadowing.rounds()
    with make.arranging():
        assert ShadowSample.objects.get(entity="people", read="one").number == 2


@pytest.mark.slow
def test_an_outage_is_told_and_each_one_spares_the_platforms_longer(shadowing):
    shadowing.round()
    shadowing.reader.failing.add("legacy")
    waits = []
    for _ in range(3):
        made = shadowing.round(later=timedelta(hours=2))
        waits.append(made.slowed)
    assert (waits, made.problem) == ([2, 4, 8], "The legacy platform's database does not answer.")
    assert made.due_at > made.ended_at
    assert ask(shadowing).outcome is Outcome.UNKNOWN
    shadowing.reader.failing.clear()
    assert shadowing.round(later=timedelta(hours=2)).slowed == 4


@pytest.mark.slow
def test_reads_that_take_legacy_longer_than_usual_are_made_more_rarely(shadowing):
    ticks = {"step": 0.01, "now": 0.0}

    def clock():
        ticks["now"] += ticks["step"]
        return ticks["now"]

    shadowing.reader.clock = clock
    assert [shadowing.rounds().slowed for _ in range(6)] == [1] * 6
    ticks["step"] = 0.03
    assert [shadowing.rounds().slowed for _ in range(1)] == [2]
    ticks["step"] = 0.01
    assert shadowing.rounds().slowed == 1


@pytest.mark.slow
def test_nothing_is_known_before_reads_nor_with_few_nor_long_after_them(shadowing):
    assert (ask(shadowing).outcome, ask(shadowing).summary) == (Outcome.UNKNOWN, "No read was made yet")
    for _ in range(3):
        shadowing.round()
    assert ask(shadowing).summary == "3 reads of the 100 needed were made in the last day"
    shadowing.drifting.later += timedelta(hours=2)
    assert ask(shadowing).summary == "No read could be made for an hour"


def test_enough_reads_that_agree_pass_and_more_than_the_target_blocks(shadowing):
    for _ in range(3):
        shadowing.round()
    with make.arranging():
        ShadowRound.objects.filter(read="one", entity="people").update(compared=2_000)
    finding = ask(shadowing)
    assert (finding.outcome, finding.summary) == (
        Outcome.PASS, "All 2,000 reads were answered alike in the last day",
    )  # fmt: skip
    with make.arranging():
        ShadowRound.objects.filter(read="one", entity="people").update(mismatched=3)
    assert ask(shadowing).outcome is Outcome.BLOCK
    with make.arranging():
        packed = evidence.shadow_reads(tenant_id=shadowing.tenant_id, at=shadowing.at())
    assert (packed["counts"]["compared"], packed["counts"]["mismatched"], packed["stage"]) == (2000, 3, "moving")


@pytest.mark.slow
def test_off_while_traffic_moves_is_unknown_and_before_the_canary_nothing_is_asked(settings, tmp_path):
    shadowing = shadowed(settings, tmp_path, on=False)
    assert ask(shadowing).outcome is Outcome.UNKNOWN
    shadowing.stand(Phase.PREFLIGHT)
    assert ask(shadowing).outcome is Outcome.PASS
    shadowing.stand(Phase.STABILISE)
    assert ask(shadowing).outcome is Outcome.PASS


def test_what_is_said_before_traffic_moves_is_true_of_a_line_that_was_stopped(settings, tmp_path):
    shadowing = shadowed(settings, tmp_path)
    said = {}
    for phase in (Phase.PREFLIGHT, Phase.HALTED, Phase.ROLLED_BACK):
        shadowing.stand(phase)
        said[phase] = ask(shadowing).summary
    assert said == {
        Phase.PREFLIGHT: "Shadow reads begin with the canary",
        Phase.HALTED: "Your cutover is halted: no reads are shadowed meanwhile",
        Phase.ROLLED_BACK: "You are back on the legacy platform: no reads are shadowed",
    }


@pytest.mark.slow
def test_values_and_hidden_keys_are_kept_nowhere(shadowing):
    shadowing.drifting.legacy(1, nm=CANARY)
    shadowing.drifting.new(2, name=f"{CANARY}2")
    shadowing.rounds()
    with make.arranging():
        kept = [*ShadowRound.objects.values(), *ShadowMismatch.objects.values(), *ShadowSample.objects.values()]
        entries = list(LedgerEntry.objects.values())
    assert len(shadowing.mismatches()) == 2
    assert CANARY not in str(kept) + str(entries)
    for row in shadowing.mismatches():
        assert f"'{row.shown}'" not in row.sealed_key


@pytest.mark.slow
def test_keys_that_can_no_longer_be_opened_are_drawn_anew_and_stop_no_round(shadowing):
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    with make.arranging():
        ShadowSample.objects.update(sealed_keys="of an old key")
        ShadowMismatch.objects.update(sealed_key="of an old key")
    again = shadowing.rounds()
    assert (again.compared, again.mismatched, len(shadowing.mismatches(resolved_at=None))) == (3, 1, 1)


@pytest.mark.slow
def test_other_tenants_see_nothing_of_it(shadowing):
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    with tenancy.scope(tenant_id=make.tenant().pk):
        assert not ShadowMismatch.objects.exists()
        assert not ShadowRound.objects.exists()
        assert not ShadowSample.objects.exists()


@pytest.mark.slow
def test_what_is_too_old_is_forgotten(shadowing):
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    shadowing.drifting.new(2, fee=900)
    shadowing.rounds()
    with make.arranging():
        assert shadow.forget(at=shadowing.at()) == 0
        shadow.forget(at=shadowing.at() + timedelta(days=31))
        left = [ShadowMismatch, ShadowRound, ShadowSample]
        assert [model.objects.count() for model in left] == [0, 0, 0]


@pytest.mark.slow
def test_a_mismatch_that_is_over_keeps_no_key(shadowing):
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    with make.arranging(), pytest.raises(IntegrityError), transaction.atomic():
        ShadowMismatch.objects.update(resolved_at=shadowing.at())
