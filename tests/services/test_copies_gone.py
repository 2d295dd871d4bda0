"""What was copied or kept for the move goes in time by itself, and what does not is told, with what to do."""

from datetime import timedelta

import pytest
from django.test import Client

from compliance import tasks
from compliance.domain.datasets import GRACE, KEPT, Dataset
from compliance.models import Attestation, Deletion
from compliance.queries import kept
from compliance.readiness import copies_gone
from compliance.services import deletions
from core import queue, readiness, tenancy
from core.findings import Outcome
from core.ports import Unavailable
from cutover.models import Cutover
from parity_reports.models import Report
from tests import holding, make
from tests.queueing import now
from tests.services.test_compliance import StagedMover, moved

__all__ = ["moved"]
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def done(moved, settings):
    """Return an account whose move was over so long ago that nothing of it should be there."""
    settings.QUEUE_RINGS = False
    over(KEPT + GRACE)
    return moved


def over(ago: timedelta) -> None:
    with make.arranging():
        Cutover.objects.update(phase="done", phase_since=now() - ago)


def a_day() -> None:
    """Let what is due be ordered, and carried out."""
    with tenancy.empty_scope():
        with make.arranging():
            tasks.find_due_erasures(at=now())
        queue.run_pending()


def asked(tenant):
    return copies_gone(tenant_id=tenant.pk, at=now())


def test_stage_data_go_by_themselves_and_findings_the_day_after(done):
    a_day()
    assert (StagedMover.rows, Report.objects.count()) == (0, 1)
    a_day()
    assert Report.objects.count() == 0
    attested = Attestation.objects.order_by("attested_at").values_list("deletion__dataset", flat=True)
    assert list(attested) == ["stage", "findings"]
    assert asked(done).outcome is Outcome.PASS


def test_nothing_goes_before_its_end_and_nothing_is_told_before_it_had_time_to_go(done):
    over(KEPT - timedelta(hours=1))
    a_day()
    assert (StagedMover.rows, Deletion.objects.count()) == (90, 0)
    over(KEPT + GRACE - timedelta(hours=1))
    assert asked(done).outcome is Outcome.PASS


def test_what_stands_against_a_deletion_is_told_with_its_owner_and_what_to_do(done):
    Report.objects.update(verdict="different", different=1)
    a_day()
    assert StagedMover.rows == 90
    found = asked(done)
    assert (found.outcome, found.facts) == (Outcome.BLOCK, {"overdue": ["stage", "findings"]})
    assert found.summary == (
        "Data staged for the move, and 1 more: kept past the end."
        " No comparison shows both platforms equal, and nobody signed or excepted what differs."
    )
    assert found.fix.startswith("Our data lead requests an exception from “Both platforms hold the same records”")
    assert [one["owner"] for one in found.evidence["kept"]] == ["data", "data"]
    readiness.evaluate(tenant_id=done.pk, by=make.SYSTEM, at=now(), checks=["compliance.copies_gone"])
    told = {row.dataset: row.why for row in kept.kept(tenant_id=done.pk, at=now())}
    assert told[Dataset.STAGE].endswith("and somebody else approves it.")
    assert told[Dataset.FINDINGS].endswith("Delete the stage data first.")
    assert told[Dataset.PEOPLE] == ""
    client = Client()
    client.force_login(make.member(done, "auditor").user)
    page = client.get(f"/t/{done.slug}/promises/").text
    assert page.count("Its deletion, due since") == 2
    assert told[Dataset.STAGE] in page
    assert page.count(f"{Cutover.objects.get().phase_since + KEPT:%-d %B %Y}") == len(Dataset)


def test_what_a_legal_hold_keeps_is_told_and_blocks_nothing(done):
    holding.place(done.pk)
    a_day()
    assert StagedMover.rows == 90
    found = asked(done)
    assert (found.outcome, found.facts["overdue"]) == (Outcome.WARN, ["stage", "findings"])
    assert "A legal hold stands" in found.summary


def test_an_order_that_nobody_carries_out_is_told_and_what_came_since_is_not(done):
    deletions.order(tenant_id=done.pk, by=make.SYSTEM, at=now())
    assert asked(done).facts["overdue"] == ["findings"], "it was ordered just now"
    found = copies_gone(tenant_id=done.pk, at=now() + GRACE)
    assert "Its deletion is ordered, and is not done days later." in found.summary


def test_what_went_and_was_never_attested_is_told_and_taken_up_again(done):
    order = deletions.order(tenant_id=done.pk, by=make.SYSTEM, at=now() - GRACE)
    StagedMover.rows = 0  # deleted, and killed before it was written down
    for job in queue.jobs(done.pk, task=deletions.CARRY_OUT, key=str(order.pk), limit=1):
        with tenancy.empty_scope(), make.arranging():
            queue.cancel(job.id, by=make.SYSTEM)
    assert "stage" in asked(done).facts["overdue"]
    a_day()
    assert Attestation.objects.filter(deletion=order).exists()


def test_a_platform_that_is_away_keeps_nothing_else_from_going(done):
    holding.release(holding.place(done.pk))
    StagedMover.away = True
    with pytest.raises(Unavailable):
        asked(done)
    with tenancy.empty_scope(), make.arranging(), pytest.raises(Unavailable):
        tasks.find_due_erasures(at=now())
    assert queue.jobs(done.pk, task="compliance.tasks.erase", limit=9)
