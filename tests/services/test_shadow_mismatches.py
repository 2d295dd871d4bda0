"""Mismatches of shadow reads on a real database: what answers them while no read is made, and how they end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cutover.domain.phases import Phase
from parity_reports.domain.drift import Cause
from parity_reports.domain.shadow import Ending
from parity_reports.models import ShadowMismatch
from parity_reports.queries import reads
from parity_reports.services import drift, shadow, shadow_rounds
from tests import make
from tests.fakes.platforms import FakeMover
from tests.shadowing import Shadowing, alarms, shadowed, told

pytestmark = pytest.mark.django_db
MINUTES = timedelta(minutes=1)


@pytest.fixture
def shadowing(settings, tmp_path) -> Shadowing:
    return shadowed(settings, tmp_path)


def halted_by_a_read(shadowing):
    shadowing.drifting.look()
    shadowing.drifting.new(1, name="Bob")
    shadowing.rounds()
    shadowing.rounds(later=15 * MINUTES)
    assert len(alarms(shadowing)) == 1, "a look from before says nothing of it"
    shadowing.stand(Phase.HALTED)


def test_what_was_put_right_while_the_line_stands_still_does_not_stop_it_again(shadowing):
    halted_by_a_read(shadowing)
    shadowing.drifting.look(later=MINUTES)
    shadowing.drifting.new(1, name="Ann")
    assert shadowing.standing().unexplained == 1
    shadowing.drifting.look(later=MINUTES)
    shadowing.stand(Phase.RAMP)
    assert (shadowing.drifting.standing().differing, shadowing.standing().unexplained, alarms(shadowing)) == (0, 0, [])


@pytest.mark.slow
def test_what_was_put_right_before_drift_was_looked_at_is_answered_by_that_look(shadowing):
    halted_by_a_read(shadowing)
    shadowing.drifting.new(1, name="Ann")
    shadowing.drifting.look(later=MINUTES)
    assert (shadowing.drifting.drifts(), shadowing.standing().unexplained, alarms(shadowing)) == ([], 0, [])


@pytest.mark.slow
def test_a_reason_that_a_look_for_drift_finds_counts_here(shadowing):
    halted_by_a_read(shadowing)
    shadowing.drifting.legacy(1, nm="Cid")
    shadowing.drifting.look(later=MINUTES)
    assert [row.cause for row in shadowing.drifting.drifts()] == [Cause.LATE_WRITE]
    assert (shadowing.standing().unexplained, alarms(shadowing)) == (0, [])


@pytest.mark.slow
def test_a_read_that_is_no_longer_declared_counts_no_more_and_is_forgotten(shadowing, monkeypatch):
    halted_by_a_read(shadowing)
    left = {entity: each[1:] for entity, each in reads.every().items()}
    monkeypatch.setattr(reads, "every", lambda: left)
    assert (shadowing.standing().open, shadowing.standing().unexplained, alarms(shadowing)) == (0, 0, [])
    with make.arranging():
        shadow.forget(at=shadowing.at() + timedelta(days=29))
        assert ShadowMismatch.objects.count() == 1
        shadow.forget(at=shadowing.at() + timedelta(days=31))
        assert ShadowMismatch.objects.count() == 0


@pytest.mark.slow
def test_a_list_is_explained_once_every_record_without_a_reason_is_and_no_other_need_be(shadowing, monkeypatch):
    monkeypatch.setattr(shadow_rounds, "_NAMES", 1)
    for number in (1, 2, 3):
        shadowing.drifting.legacy(number, zone="XX")
        shadowing.drifting.new(number, zone="XX")
        _, _, row_as_moved = FakeMover.entities[shadowing.tenant_id, "people"].rows[str(number)]
        row_as_moved["zone"] = "XX"
    shadowing.drifting.compare()
    shadowing.drifting.new(1, name="Bob")
    shadowing.drifting.new(2, name="Bob")
    shadowing.drifting.legacy(3, fee="9")
    shadowing.rounds("of_a_zone")
    (row,) = shadowing.mismatches(read="of_a_zone")
    shadowing.drifting.look()
    puzzling = [one for one in shadowing.drifting.drifts() if one.cause == Cause.UNKNOWN]
    assert (row.records, sorted(row.names)) == (3, sorted(one.record for one in puzzling))
    for left, one in zip((1, 0), puzzling, strict=True):
        with make.arranging():
            ShadowMismatch.objects.filter(read="one").delete()
            drift.explain(
                drift_id=one.pk, reason="Corrected by hand.", until=shadowing.at() + timedelta(days=1),
                by=make.SYSTEM, at=shadowing.at(),
            )  # fmt: skip
        assert shadowing.standing().unexplained == left


@pytest.mark.slow
def test_only_what_was_asked_again_and_agreed_ends_as_alike(shadowing):
    drifting = shadowing.drifting
    for number in (1, 2, 3):
        drifting.new(number, name="Bob")
    shadowing.rounds()
    drifting.new(1, name="Ann")
    drifting.crossing.legacy.remove(drifting._row(drifting.crossing.legacy, "seq", "2"))
    drifting.compare()
    shadowing.rounds()
    assert [(row.shown, row.ended) for row in shadowing.mismatches()] == [
        ("1", Ending.ALIKE), ("2", Ending.GONE), ("3", Ending.KNOWN),
    ]  # fmt: skip
    assert told(shadow_rounds.CHANGED)[-1]["resolved"] == 3


@pytest.mark.slow
def test_a_list_that_cannot_be_asked_for_any_more_is_gone_and_one_that_grew_too_long_stands(shadowing, monkeypatch):
    for number in (1, 2, 3):
        shadowing.drifting.legacy(number, zone="XX")
        shadowing.drifting.new(number, zone="XX")
    shadowing.drifting.compare()
    shadowing.drifting.new(1, name="Bob")
    shadowing.rounds("of_a_zone")
    as_declared = reads.every()
    shorter = {"people": (as_declared["people"][0], replace(as_declared["people"][1], at_most=2))}
    with monkeypatch.context() as patched:
        patched.setattr(reads, "every", lambda: {**as_declared, **shorter})
        assert shadowing.rounds("of_a_zone").unasked == 1
    (row,) = shadowing.mismatches(read="of_a_zone")
    assert (row.resolved_at, row.ended) == (None, "")
    for number in (1, 2, 3):
        shadowing.drifting.legacy(number, zone=None)
    shadowing.rounds("of_a_zone")
    assert [row.ended for row in shadowing.mismatches(read="of_a_zone")] == [Ending.GONE]


@pytest.mark.slow
def test_what_agrees_in_a_sample_ends_though_its_own_key_can_no_longer_be_opened(shadowing):
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    shadowing.drifting.new(2, fee=900)
    with make.arranging():
        ShadowMismatch.objects.update(sealed_key="of an old key")
    shadowing.rounds()
    assert [row.ended for row in shadowing.mismatches()] == [Ending.ALIKE]
