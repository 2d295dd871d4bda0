"""Comparisons by checksums and of samples: what they say, that they say why, and that they never open a gate."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from core import ports, queue, tenancy
from core.comparison import Segment
from core.findings import Outcome
from parity_reports import readiness
from parity_reports.domain import ladder, sampling, tables
from parity_reports.models import EntityResult, Report
from parity_reports.queries import files, reports, screens
from parity_reports.services.reports import UnableToCompare
from tests import make
from tests.parity import arrange
from tests.people import INVARIANTS, PEOPLE
from tests.queueing import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def crossing(settings, tmp_path, monkeypatch):
    """Twenty people; a handful is no longer few."""
    monkeypatch.setattr(ladder, "SMALL", 5)
    monkeypatch.setattr(sampling, "WANTED", 5)
    made = arrange(settings, tmp_path)
    for number in range(1, 21):
        made.put(number)
    return made


def entity(report, name="people"):
    with make.arranging():
        return EntityResult.objects.get(report=report, entity=name)


def gate(crossing, check=readiness.parity, later=timedelta(0)):
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        return check(tenant_id=crossing.tenant.pk, at=now() + later)


def document(report):
    with make.arranging():
        return json.loads(files.sealed(report))


def screen(report):
    with make.arranging():
        return screens.of(report)


def test_a_full_comparison_says_that_it_was_one_and_why(crossing):
    report = crossing.compare()
    found = entity(report)
    assert (report.method, found.engine, found.one_in) == ("full", "typed", 1)
    assert found.because == "Compared row by row in full because only that is evidence for your go/no-go."
    assert screen(report).entities[1].way == found.because
    assert "method" not in document(report)


@pytest.fixture
def cluster(crossing, settings):
    """A cluster beside the one machine, for which everything takes too long."""
    settings.COMPARISON_WINDOW = timedelta(0)
    settings.ADAPTERS = {**settings.ADAPTERS, "cluster": settings.ADAPTERS["comparison"]}
    return ports.cluster()


def test_what_one_machine_would_not_compare_in_time_the_cluster_does_and_that_is_evidence(crossing, cluster):
    report = crossing.compare()
    found = entity(report)
    assert (report.verdict, found.engine, cluster.compared) == ("equal", "cluster", 2)
    assert "on a cluster because one machine would take" in found.because
    assert gate(crossing).outcome is Outcome.PASS
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        assert reports.last(tenant_id=crossing.tenant.pk, entity="people").speed is None


def test_a_cluster_that_was_taken_away_meanwhile_leaves_it_to_the_one_machine_and_says_so(crossing, cluster, settings):
    report = crossing.request()
    with tenancy.scope(tenant_id=crossing.tenant.pk), make.arranging():
        queue.run_pending(limit=1)
        EntityResult.objects.filter(report=report).update(
            engine="cluster", because="as chosen", segments=[dataclasses.asdict(Segment())]
        )
    settings.ADAPTERS = {name: given for name, given in settings.ADAPTERS.items() if name != "cluster"}
    crossing.work()
    found = entity(report)
    assert (crossing.reread(report).verdict, found.engine) == ("equal", "typed")
    assert "no longer there" in found.because


def test_one_by_checksums_goes_by_checksums_and_the_gate_keeps_to_the_full_comparison(crossing):
    full = crossing.compare()
    again = crossing.compare("checksums")
    assert (again.verdict, again.method, entity(again).engine) == ("equal", "checksums", "pushdown")
    assert entity(again).checksums is None
    assert entity(again, "zones").engine == "typed"  # of which there are few
    assert screen(again).headline == "Nothing differs: both platforms have the same 21 records."
    assert "only a full comparison counts" in screen(again).method
    assert document(again)["method"] == "checksums"
    finding = gate(crossing)
    assert (finding.outcome, finding.evidence["run"]) == (Outcome.PASS, full.run)
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        assert reports.latest(tenant_id=crossing.tenant.pk) == full


def test_one_by_checksums_that_finds_more_than_the_full_comparison_shuts_the_gate(crossing):
    crossing.compare()
    crossing.new[0]["fee"] = None
    again = crossing.compare("checksums")
    assert (again.verdict, again.different) == ("different", 1)
    finding = gate(crossing)
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.summary == "A comparison by checksums found records that differ since the last full comparison (1)"
    crossing.new[0]["fee"] = 150
    crossing.compare()
    assert gate(crossing).outcome is Outcome.PASS


def test_one_by_checksums_alone_opens_nothing(crossing):
    again = crossing.compare("checksums")
    assert "no full comparison yet" in entity(again).because
    finding = gate(crossing)
    assert (finding.outcome, finding.summary) == (Outcome.UNKNOWN, "Only checksums were compared")
    assert gate(crossing, readiness.invariants).outcome is Outcome.UNKNOWN


def test_where_checksums_cannot_be_had_it_says_why_it_read_everything(crossing):
    crossing.compare()
    crossing.engine.obstacle = "its mapping is too clever"
    again = entity(crossing.compare("checksums"))
    assert (again.engine, again.because) == (
        "typed", "Compared row by row in full because its mapping is too clever.",
    )  # fmt: skip


@pytest.mark.slow
def test_where_it_had_to_read_everything_after_all_it_says_so(crossing, monkeypatch):
    crossing.compare()
    fake = type(crossing.engine)
    real = fake.recheck
    monkeypatch.setattr(
        fake, "recheck", lambda self, *args, **more: dataclasses.replace(real(self, *args, **more), exact=True)
    )
    again = entity(crossing.compare("checksums"))
    assert again.engine == "typed"
    assert "could not be had" in again.because


@pytest.mark.slow
def test_one_by_checksums_asks_nothing_of_invariants_that_need_every_record(crossing, settings):
    Path(settings.MAPPING_FOLDER, "people.yaml").write_text(PEOPLE + INVARIANTS)
    crossing.compare()
    again = crossing.compare("checksums")
    assert (again.verdict, again.invariants_unknown) == ("equal", 0)


def test_a_sample_says_how_many_may_differ_and_is_never_called_equal(crossing):
    report = crossing.compare("sample")
    found = entity(report)
    assert (report.verdict, found.verdict, found.engine, found.one_in) == ("sampled", "sampled", "sampled", 4)
    assert 0 < found.compared < 20
    assert found.fewer_than_one_in == sampling.fewer_than_one_in(errors=0, compared=found.compared)
    said = document(report)["entities"][1]["compared"]["sample"]
    assert said == {"one_in": 4, "confidence": "0.99", "fewer_than_one_in": found.fewer_than_one_in}
    assert found.checksums is None
    shown = screen(report)
    assert shown.state == "warn"
    assert shown.headline.startswith("A sample agrees: ")
    assert "99 % confident" in shown.headline or "too small" in shown.headline
    flat = [" ".join(map(str, line)) for line in tables.flat(document(report), sha256="")]
    assert any("Compared for 1 in 4 records because" in line for line in flat)


def test_a_sample_opens_no_gate_whatever_it_says(crossing):
    crossing.compare("sample")
    finding = gate(crossing)
    assert (finding.outcome, finding.summary) == (Outcome.UNKNOWN, "Only a sample was compared, and it agrees")
    assert gate(crossing, readiness.invariants).outcome is Outcome.UNKNOWN
    full = crossing.compare()
    crossing.compare("sample")
    assert gate(crossing).evidence["run"] == full.run


@pytest.mark.slow
def test_a_sample_with_a_difference_differs_and_shuts_the_gate(crossing):
    crossing.compare()
    for row in crossing.new:
        row["fee"] = None
    report = crossing.compare("sample")
    assert report.verdict == "different"
    assert "compared records do not agree" in screen(report).headline
    assert gate(crossing).outcome is Outcome.UNKNOWN


@pytest.mark.slow
def test_the_same_report_draws_the_same_sample_and_another_one_another(crossing):
    seeds = {entity(crossing.compare("sample")).segments[0]["seed"] for _ in range(2)}
    assert len(seeds) == 2


@pytest.mark.slow
@pytest.mark.parametrize("method", ["checksums", "sample"])
def test_a_platform_that_stops_half_way_leaves_it_incomplete(crossing, method):
    crossing.compare()
    crossing.engine.failing = {"legacy"}
    report = crossing.request(method=method)
    for day in range(1, 14):
        crossing.work(later=timedelta(days=day))
    report = crossing.reread(report)
    assert report.verdict == "incomplete"
    assert "does not answer" in report.problem


def test_what_is_asked_for_must_be_known(crossing):
    with pytest.raises(UnableToCompare, match="no such comparison"):
        crossing.request(method="glance")


@pytest.mark.parametrize("changed", [{"verdict": "sampled"}, {"method": "full"}])
def test_the_database_refuses_a_full_report_that_is_called_sampled(crossing, changed):
    report = crossing.compare("sample" if "method" in changed else "full")
    with pytest.raises(IntegrityError), make.arranging(), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(**changed)


def test_the_database_refuses_a_sampled_entity_that_is_called_equal(crossing):
    report = crossing.compare("sample")
    with pytest.raises(IntegrityError), make.arranging(), transaction.atomic():
        EntityResult.objects.filter(report=report, entity="people").update(verdict="equal")
