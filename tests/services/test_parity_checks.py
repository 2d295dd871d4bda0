"""What the go/no-go hears from parity: only a whole, fresh comparison of what stands still counts."""

from datetime import timedelta

import pytest

from backfills.domain.runs import RunState
from backfills.models import Run
from core import readiness as core_readiness
from core import tenancy
from core.findings import Outcome
from parity_reports import readiness
from tests import make
from tests.parity import arrange
from tests.queueing import LATER, now

pytestmark = pytest.mark.django_db
A_RUN = {
    "entity": "people",
    "state": RunState.SUCCEEDED,
    "spec": "people@1",
    "source_total": 1,
    "requested_at": now(),
    "finished_at": now(),
}


@pytest.fixture
def crossing(settings, tmp_path):
    return arrange(settings, tmp_path)


def ask(crossing, check=readiness.parity, *, later=timedelta(0)):
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        return check(tenant_id=crossing.tenant.pk, at=now() + later)


def both(crossing, **options):
    return [ask(crossing, check, **options).outcome for check in (readiness.parity, readiness.invariants)]


def test_never_compared_is_unknown_and_says_what_to_do(crossing):
    finding = ask(crossing)
    assert (finding.outcome, finding.summary) == (Outcome.UNKNOWN, "The platforms were not compared yet")
    assert "Run a new comparison" in finding.fix


def test_equal_platforms_pass(crossing):
    crossing.put(1)
    crossing.compare()
    assert both(crossing) == [Outcome.PASS, Outcome.PASS]
    assert ask(crossing).summary == "All 2 records are equal"


def test_differences_above_the_target_block_with_figures_and_a_fix(crossing):
    crossing.put(1)
    crossing.put(2, fee=None)
    crossing.compare()
    finding = ask(crossing)
    assert finding.outcome is Outcome.BLOCK
    assert finding.summary == "1 of 3 records differ (33.33 %, target 0.1 %)"
    assert finding.fix
    assert both(crossing) == [Outcome.BLOCK, Outcome.BLOCK]
    assert ask(crossing, readiness.invariants).facts["broken"] == ["people: sum:fee"]


def test_differences_within_the_target_warn(crossing):
    for number in range(1, 1000):
        crossing.put(number)
    crossing.put(1000, name="other")
    crossing.compare()
    finding = ask(crossing)
    assert (finding.outcome, finding.summary) == (
        Outcome.WARN,
        "1 of 1,001 records differ (0.10 %, target 0.1 %)",
    )


def test_an_incomplete_comparison_is_unknown_with_its_reason(crossing):
    crossing.put(1)
    crossing.engine.failing.add("new")
    crossing.request()
    for attempt in range(12):
        crossing.work(later=attempt * LATER)
    assert both(crossing) == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert "The new platform's database does not answer." in ask(crossing).fix


def test_an_incomplete_comparison_overrides_an_older_equal_one(crossing):
    crossing.put(1)
    crossing.compare()
    crossing.engine.failing.add("legacy")
    crossing.request()
    for attempt in range(12):
        crossing.work(later=attempt * LATER)
    assert both(crossing) == [Outcome.UNKNOWN, Outcome.UNKNOWN]


def test_data_that_moved_afterwards_make_it_unknown(crossing):
    crossing.put(1)
    report = crossing.compare()
    with make.arranging():
        Run.objects.create(
            **A_RUN, tenant=crossing.tenant, changed=1, moved_at=report.requested_at + timedelta(seconds=1)
        )
    finding = ask(crossing)
    assert (finding.outcome, finding.summary) == (Outcome.UNKNOWN, "Data moved after the last comparison")


def test_a_run_that_changed_nothing_leaves_it_valid(crossing):
    crossing.put(1)
    report = crossing.compare()
    with make.arranging():
        Run.objects.create(
            **A_RUN, tenant=crossing.tenant, changed=0, moved_at=report.requested_at + timedelta(seconds=1)
        )
    assert both(crossing) == [Outcome.PASS, Outcome.PASS]


def test_after_a_day_it_is_unknown(crossing):
    crossing.put(1)
    crossing.compare()
    assert both(crossing, later=timedelta(hours=25)) == [Outcome.UNKNOWN, Outcome.UNKNOWN]


def test_the_material_facts_stay_the_same_when_compared_again(crossing):
    crossing.put(1)
    crossing.compare()
    before = ask(crossing).facts
    crossing.put(2)
    crossing.compare()
    assert ask(crossing).facts == before


def test_the_material_facts_move_with_the_verdict(crossing):
    crossing.put(1)
    crossing.compare()
    before = ask(crossing).facts
    crossing.put(2, name="other")
    crossing.compare()
    assert ask(crossing).facts != before


def test_a_finished_comparison_has_the_checks_answer_anew(crossing):
    crossing.put(1)
    crossing.compare()
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        answered = core_readiness.latest(tenant_id=crossing.tenant.pk)
    assert answered["parity_reports.parity"].finding.outcome is Outcome.PASS
