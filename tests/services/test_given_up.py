"""What a job should bring to its end goes on without it, or ends and says so: nothing is under way for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backfills.models import Run
from backfills.services import standing
from core import queue
from core.domain.jobs import JobState
from core.models import Job
from parity_reports.models import Report
from parity_reports.services import reconciliations, repairs, reports
from tests import make
from tests.services.test_reconciliations import act, drifting, fees, lead, preview

__all__ = ["drifting", "lead"]
pytestmark = pytest.mark.django_db


def begun(drifting, lead):
    drifting.legacy(2, fee="9")
    drifting.look()
    return act(drifting, reconciliations.confirm, preview(drifting, lead), lead)


def give_up(task, problem="The new platform's database does not answer."):
    """Let a task's job end as one does whose worker was killed once too often."""
    with make.arranging():
        ended = {"state": JobState.DEAD.value, "finished_at": timezone.now(), "problem": problem}
        assert Job.objects.filter(task=task, state=JobState.QUEUED.value).update(**ended)


def take_up(what, drifting):
    with make.arranging():
        what(by=make.SYSTEM, at=drifting.at())


def test_a_reconciliation_that_lost_its_job_goes_on_and_one_with_a_job_is_left_to_it(drifting, lead):
    row = begun(drifting, lead)
    take_up(repairs.take_up, drifting)
    with make.arranging():
        assert Job.objects.filter(task=reconciliations.TASK).count() == 1
        Job.objects.filter(task=reconciliations.TASK).delete()
    take_up(repairs.take_up, drifting)
    queue.run_pending()
    with make.arranging():
        row.refresh_from_db()
    assert (row.state, fees(drifting)[2]) == ("done", "900")


def test_a_reconciliation_whose_job_was_given_up_ends_and_can_be_undone(drifting, lead):
    row = begun(drifting, lead)
    give_up(reconciliations.TASK)
    take_up(repairs.take_up, drifting)
    with make.arranging():
        row.refresh_from_db()
    assert row.state == "failed"
    assert "given up; what was done by then stays" in row.problem
    assert row.problem.endswith("does not answer.")
    assert act(drifting, reconciliations.undo, row, lead).state == "undoing"
    give_up(reconciliations.TASK)
    take_up(repairs.take_up, drifting)
    with make.arranging():
        row.refresh_from_db()
    assert row.state == "failed", "an undo, too"


def test_a_comparison_whose_job_was_given_up_ends_as_incomplete(drifting):
    report = drifting.crossing.request()
    take_up(reports.take_up, drifting)
    give_up(reports.TASK)
    with make.arranging():
        assert Report.objects.get(pk=report.pk).state == Report.State.RUNNING
    take_up(reports.take_up, drifting)
    with make.arranging():
        report = Report.objects.get(pk=report.pk)
    assert (report.state, report.verdict) == (Report.State.FINISHED, "incomplete")
    assert reports.INTERRUPTED in report.problem


def test_a_standing_catch_up_whose_job_was_given_up_makes_way_for_the_next(drifting):
    at = drifting.at()
    stale = {"tenant_id": drifting.tenant_id, "state": "running", "spec": "people@1", "requested_at": at,
             "started_at": at, "since": at - timedelta(hours=1)}  # fmt: skip
    with make.arranging():
        ours = Run.objects.create(entity="people", standing=True, **stale)
        asked_for = Run.objects.create(entity="zones", **stale)
    take_up(standing.end_given_up, drifting)
    with make.arranging():
        ours.refresh_from_db()
        asked_for.refresh_from_db()
    assert (ours.state, "the next one begins anew" in ours.problem) == ("failed", True)
    assert asked_for.state == "running", "somebody lets that one go on, and the page says so"
