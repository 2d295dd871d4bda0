"""Drift on a real database: what appears, why, what ends, what stops the line, and what a failing platform does."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from backfills.domain.runs import RunState
from backfills.models import Run
from core import ports, queue, stop_the_line, tenancy
from core.errors import PermissionRefused
from core.findings import Outcome
from core.models.ledger import LedgerEntry
from core.permissions import StaffRole, TenantRole
from parity_reports import readiness
from parity_reports.domain import drift as domain
from parity_reports.domain.drift import Cause
from parity_reports.models import Drift, EntityResult, Watch
from parity_reports.queries import drift as queries
from parity_reports.services import drift, watching
from tests import make
from tests.drifting import Drifting, settle
from tests.fakes.comparison import FakeComparison

pytestmark = pytest.mark.django_db
MINUTES = timedelta(minutes=1)
CANARY = "canary-9b1d"


@pytest.fixture
def drifting(settings, tmp_path) -> Drifting:
    return settle(settings, tmp_path)


def ask(drifting):
    with tenancy.scope(tenant_id=drifting.tenant_id):
        return readiness.drift_explained(tenant_id=drifting.tenant_id, at=drifting.at())


def alarms(drifting):
    with tenancy.scope(tenant_id=drifting.tenant_id):
        return stop_the_line.raised(tenant_id=drifting.tenant_id, at=drifting.at())


def told(drifting):
    with make.arranging():
        rows = LedgerEntry.objects.filter(event=watching.CHANGED).order_by("seq")
        return [row.data for row in rows]


def explain(drifting, row, *, days=1, by=None, reason="Corrected by hand after a call."):
    with make.arranging():
        return drift.explain(
            drift_id=row.pk,
            reason=reason,
            until=drifting.at() + timedelta(days=days),
            by=by or make.staff_actor(make.staff(StaffRole.DATA_LEAD)),
            at=drifting.at(),
        )


def test_where_nothing_drifts_it_was_looked_at_and_nothing_is_told(drifting):
    drifting.look()
    standing = drifting.standing()
    assert (standing.differing, standing.unexplained, drifting.drifts(), told(drifting)) == (0, 0, [], [])
    assert {watch.entity for watch in standing.watches} == {"people", "zones"}
    assert ask(drifting).outcome is Outcome.PASS


def test_a_late_write_is_explained_and_over_once_it_has_arrived(drifting):
    drifting.legacy(2, fee="9")
    drifting.look(later=15 * MINUTES)
    (row,) = drifting.drifts()
    assert (row.cause, row.key, row.columns, row.resolved_at) == (Cause.LATE_WRITE, "2", {"fee": "value"}, None)
    assert (ask(drifting).outcome, alarms(drifting)) == (Outcome.PASS, [])
    drifting.new(2, fee=900)
    drifting.look(later=15 * MINUTES)
    (row,) = drifting.drifts()
    assert row.resolved_at is not None
    assert drifting.standing().differing == 0
    assert [(entry["appeared"], entry["resolved"]) for entry in told(drifting)] == [(1, 0), (0, 1)]


def test_a_new_and_a_deleted_row_of_legacy_are_late_writes(drifting):
    drifting.crossing.put(9, moved=False)
    drifting.crossing.legacy.pop(0)
    drifting.look()
    assert [(row.key, row.kind, row.cause) for row in drifting.drifts()] == [
        ("1", "extra", "late_write"),
        ("9", "missing", "late_write"),
    ]


def test_what_nobody_explains_warns_then_blocks_and_stops_the_line(drifting):
    drifting.new(1, name="Bob")
    drifting.look()
    (row,) = drifting.drifts()
    assert (row.cause, row.columns) == (Cause.UNKNOWN, {"name": "value"})
    assert (ask(drifting).outcome, alarms(drifting)) == (Outcome.WARN, [])
    drifting.look(later=31 * MINUTES)
    assert ask(drifting).outcome is Outcome.BLOCK
    (alarm,) = alarms(drifting)
    assert alarm.reason.startswith("1 record differs since the comparison")
    assert alarm.since == row.unexplained_since, "seen again, it has been unexplained since the first time"


def test_an_explanation_holds_until_its_end_and_no_longer_than_the_difference(drifting):
    drifting.new(1, name="Bob")
    drifting.look()
    drifting.later += 40 * MINUTES
    explain(drifting, drifting.drifts()[0])
    assert (ask(drifting).outcome, alarms(drifting), drifting.standing().unexplained) == (Outcome.PASS, [], 0)
    drifting.look()
    assert alarms(drifting) == [], "the same difference, seen again"
    drifting.later += timedelta(days=1)
    assert len(alarms(drifting)) == 1
    explain(drifting, drifting.drifts()[0])
    drifting.new(1, fee=1)
    drifting.look()
    (row,) = drifting.drifts()
    assert (row.explained_at, row.unexplained_since) == (None, drifting.drifts()[0].last_seen_at)


@pytest.mark.parametrize(
    ("options", "said"), [({"reason": " "}, "Say why"), ({"days": 15}, "14 days"), ({"days": -1}, "past")]
)
def test_an_explanation_needs_a_reason_and_an_end(drifting, options, said):
    drifting.new(1, name="Bob")
    drifting.look()
    with pytest.raises(drift.UnableToExplain, match=said):
        explain(drifting, drifting.drifts()[0], **options)


def test_only_the_leads_explain_and_only_what_no_fact_does(drifting):
    drifting.new(1, name="Bob")
    drifting.legacy(2, fee="9")
    drifting.look()
    unknown, late = drifting.drifts()
    owner = make.actor(make.member(drifting.crossing.tenant))
    for by in (owner, make.staff_actor(make.staff(StaffRole.RUNBOOK_OWNER))):
        with pytest.raises(PermissionRefused):
            explain(drifting, unknown, by=by)
    with pytest.raises(drift.UnableToExplain, match="the facts explain it"):
        explain(drifting, late)


def test_what_differed_at_the_comparison_is_no_drift(settings, tmp_path):
    drifting = settle(settings, tmp_path)
    drifting.new(1, fee=None)
    report = drifting.compare()
    drifting.look()
    assert (report.different, drifting.standing().differing, drifting.drifts()) == (1, 0, [])


def test_a_new_comparison_does_not_swallow_what_drifted_before_it(drifting):
    drifting.new(1, name="Bob")
    drifting.look()
    drifting.compare()
    drifting.look()
    (row,) = drifting.drifts()
    assert (row.resolved_at, drifting.standing().unexplained) == (None, 1)


def test_a_platform_that_fails_half_way_changes_nothing_that_is_known(drifting):
    drifting.new(1, name="Bob")
    drifting.look()
    drifting.crossing.engine.failing.add("legacy")
    with pytest.raises(ports.Unavailable):
        drifting.look(is_last_attempt=False)
    drifting.look(later=15 * MINUTES)
    (row,) = drifting.drifts()
    assert (row.resolved_at, drifting.standing().unexplained) == (None, 1)
    assert "does not answer" in drifting.standing().problem
    drifting.later += timedelta(hours=2)
    drifting.crossing.engine.failing.clear()
    drifting.new(1, name="Ann")
    drifting.look()
    assert (drifting.standing().problem, drifting.standing().differing) == ("", 0)


def test_nobody_having_looked_for_an_hour_is_unknown(drifting):
    assert ask(drifting).outcome is Outcome.PASS, "the comparison itself was a look"
    drifting.later += timedelta(hours=1, minutes=1)
    assert ask(drifting).outcome is Outcome.UNKNOWN
    drifting.look()
    assert ask(drifting).outcome is Outcome.PASS


def test_never_compared_is_unknown(settings, tmp_path):
    tenant = make.tenant()
    with tenancy.scope(tenant_id=tenant.pk):
        finding = readiness.drift_explained(tenant_id=tenant.pk, at=make_at())
    assert (finding.outcome, finding.summary) == (Outcome.UNKNOWN, "The platforms were not compared yet")


def make_at():
    from tests.queueing import now

    return now()


def test_while_data_move_nothing_is_looked_at(drifting):
    with make.arranging():
        Run.objects.create(
            tenant_id=drifting.tenant_id, entity="people", state=RunState.RUNNING, spec="x", requested_at=drifting.at()
        )
    drifting.legacy(2, fee="9")
    drifting.look()
    assert drifting.drifts() == []
    with tenancy.scope(tenant_id=drifting.tenant_id), pytest.raises(drift.UnableToLook, match="being moved"):
        drift.request(tenant_id=drifting.tenant_id, by=make.SYSTEM, at=drifting.at())


def test_too_many_differences_at_the_comparison_leave_nothing_to_tell_drift_from(drifting):
    with make.arranging():
        EntityResult.objects.filter(entity="people").update(differing=None)
    drifting.look()
    assert "Too many records differed" in drifting.standing().problem


def test_more_than_are_kept_one_by_one_are_counted_and_timed_together(drifting, monkeypatch):
    monkeypatch.setattr(domain, "LISTED", 1)
    for number in (1, 2, 3):
        drifting.new(number, name="Bob")
    drifting.look()
    assert (len(drifting.drifts()), drifting.standing().unexplained) == (1, 3)
    explain(drifting, drifting.drifts()[0])
    assert drifting.standing().unexplained_since is not None, "the two others are not explained by it"
    drifting.later += 31 * MINUTES
    assert len(alarms(drifting)) == 1


def test_those_that_are_due_are_looked_at_and_no_others(drifting):
    with make.arranging():
        assert queries.due(at=drifting.at()) == []
        assert queries.due(at=drifting.at() + queries.EVERY) == [drifting.tenant_id]
        assert queries.due(at=drifting.at() + queries.WATCHED_FOR + queries.EVERY) == []
    drifting.look(later=16 * MINUTES)
    with make.arranging():
        assert queries.due(at=drifting.at()) == []
        assert queries.due(at=drifting.at() + queries.EVERY + MINUTES) == [drifting.tenant_id]


def test_whoever_may_compare_may_have_it_looked_at_through_the_queue(drifting):
    drifting.legacy(2, fee="9")
    auditor = make.actor(make.member(drifting.crossing.tenant, TenantRole.AUDITOR))
    with tenancy.scope(tenant_id=drifting.tenant_id):
        with pytest.raises(PermissionRefused):
            drift.request(tenant_id=drifting.tenant_id, by=auditor, at=drifting.at())
        first = drift.request(tenant_id=drifting.tenant_id, by=make.SYSTEM, at=drifting.at())
        assert drift.request(tenant_id=drifting.tenant_id, by=make.SYSTEM, at=drifting.at()) == first
    queue.run_pending()
    assert [row.cause for row in drifting.drifts()] == ["late_write"]


def test_no_value_of_a_restricted_column_and_no_unpublic_key_is_kept(drifting):
    drifting.new(1, name=CANARY)
    drifting.look()
    with make.arranging():
        rows = [*Drift.objects.values(), *Watch.objects.values()]
    assert CANARY not in str(rows)
    assert CANARY not in str(told(drifting))


def test_the_database_refuses_an_unexplained_drift_without_its_moment(drifting):
    drifting.new(1, name="Bob")
    drifting.look()
    with make.arranging(), pytest.raises(IntegrityError), transaction.atomic():
        Drift.objects.update(unexplained_since=None)


def test_a_look_goes_on_from_the_one_before_it_and_once_a_day_reads_everything(drifting, monkeypatch):
    given, real = [], FakeComparison.look
    monkeypatch.setattr(
        FakeComparison, "look", lambda self, plan, *, mark, report: given.append((plan.entity, mark))
        or real(self, plan, mark=mark, report=report)
    )  # fmt: skip
    drifting.new(1, name="Bob")
    drifting.look()
    drifting.look(later=15 * MINUTES)
    marks = [mark for entity, mark in given if entity == "people"]
    assert marks[0] == ""
    assert marks[1] != ""
    with tenancy.scope(tenant_id=drifting.tenant_id):
        watch = Watch.objects.get(entity="people")
    assert marks[1] not in watch.mark, "it names records, so it is kept encrypted"
    assert watch.whole_at < watch.looked_at
    drifting.look(later=drift.WHOLE_EVERY)
    assert given[-1][1] == ""
    assert [row.key for row in drifting.drifts(resolved_at=None)] == ["1"]


def test_a_mark_that_nobody_can_decrypt_any_more_is_none(drifting, settings):
    drifting.look()
    with tenancy.scope(tenant_id=drifting.tenant_id):
        Watch.objects.update(mark="gAAAAA of another key")
    drifting.look(later=15 * MINUTES)
    with tenancy.scope(tenant_id=drifting.tenant_id):
        assert all(watch.whole_at == watch.looked_at for watch in Watch.objects.all())
