"""Parity reports on a real database: verdicts, checkpoints, redaction, evidence, and what a failing platform does."""

import hashlib
import json

import pytest
from django.db import IntegrityError, transaction

from core import queue, tenancy
from core.errors import PermissionRefused
from core.models import Event
from core.models.ledger import LedgerEntry
from core.permissions import TenantRole
from parity_reports.domain.ladder import Method
from parity_reports.models import EntityResult, InvariantResult, Report, Sample
from parity_reports.queries import reports as queries
from parity_reports.services import reports, segments
from tests import make
from tests.parity import arrange
from tests.people import INVARIANTS, PEOPLE
from tests.queueing import LATER

pytestmark = pytest.mark.django_db
CANARY = "canary-7f3a"


@pytest.fixture
def crossing(settings, tmp_path):
    return arrange(settings, tmp_path)


def rows(model, **wanted):
    with make.arranging():
        return list(model.objects.filter(**wanted))


def test_everything_moved_as_promised_is_equal_and_every_invariant_holds(crossing):
    for number in range(1, 8):
        crossing.put(number, name="Ann")
    report = crossing.compare()
    assert (report.verdict, report.problem) == ("equal", "")
    assert (report.expected, report.actual, report.compared, report.tally.errors) == (8, 8, 8, 0)
    assert report.invariants_passed == report.invariants_total > 5
    assert {row.verdict for row in rows(EntityResult, report=report)} == {"equal"}


def test_one_wrong_value_makes_it_different(crossing):
    crossing.put(1)
    crossing.put(2, fee=None)
    report = crossing.compare()
    assert (report.verdict, report.different, report.tally.errors) == ("different", 1, 1)
    (sample,) = rows(Sample, entity__report=report)
    assert (sample.column, sample.kind, sample.expected, sample.actual) == ("fee", "null", "“150”", "∅")
    broken = {row.code for row in rows(InvariantResult, report=report, outcome="fail")}
    assert broken == {"sum:fee"}


def test_a_quarantined_row_counts_as_missing_and_a_dropped_one_is_accounted(crossing):
    crossing.put(1)
    crossing.put(2, moved=False, legacy={"state": "Q"})
    crossing.put(3, moved=False, legacy={"state": "A"})
    report = crossing.compare()
    assert (report.verdict, report.missing, report.dropped) == ("different", 1, 1)
    people = next(row for row in rows(EntityResult, report=report) if row.entity == "people")
    assert (people.rules, people.held) == ({"archived": 1}, {"contested": 1})


def test_a_platform_that_stops_half_way_is_incomplete_never_equal(crossing, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SIZE", 2)
    for number in range(1, 7):
        crossing.put(number)
    crossing.engine.fail_at = 2
    report = crossing.request()
    for attempt in range(6):
        crossing.work(later=attempt * LATER)
    report = crossing.reread(report)
    assert report.verdict == "incomplete"
    assert report.problem == "People: A platform stopped answering before everything was read."
    assert report.invariants_unknown == 1
    people = next(row for row in rows(EntityResult, report=report) if row.entity == "people")
    assert (people.segments_done, people.segments_total) == (1, 3)


def test_a_platform_that_comes_back_is_compared_from_the_checkpoint(crossing, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SIZE", 2)
    for number in range(1, 7):
        crossing.put(number)
    crossing.engine.fail_at = 2
    report = crossing.request()
    crossing.work()
    assert crossing.reread(report).state == "running"
    crossing.engine.fail_at = None
    crossing.work(later=LATER)
    assert crossing.reread(report).verdict == "equal"
    assert crossing.engine.compared == 4, "each segment was compared once"


def test_no_platform_at_all_is_incomplete_and_says_which(crossing):
    crossing.engine.failing.add("legacy")
    report = crossing.request()
    for attempt in range(12):
        crossing.work(later=attempt * LATER)
    report = crossing.reread(report)
    assert report.verdict == "incomplete"
    assert "The legacy platform's database does not answer." in report.problem


def test_nothing_to_compare_is_no_success(crossing):
    for table in crossing.engine.new.values():
        table.clear()
    for spec_rows in crossing.engine.legacy.values():
        spec_rows.clear()
    crossing.engine.failing.clear()
    report = crossing.request()
    with make.arranging():
        EntityResult.objects.filter(report=report, entity="zones").update(verdict="equal")
    crossing.work()
    report = crossing.reread(report)
    assert (report.verdict, report.problem) == ("incomplete", reports.NOTHING)


def test_a_segment_done_twice_counts_once(crossing):
    crossing.put(1)
    crossing.put(2, moved=False)
    report = crossing.request()
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        stale = report.entities.get(entity="people")
        plan = next(plan for plan in reports.promises.plans(tenant_id=crossing.tenant.pk) if plan.entity == "people")
        segments.advance(report.entities.get(entity="people"), plan, method=Method.FULL, size=10, job_id=None)
        segments.advance(stale, plan, method=Method.FULL, size=10, job_id=None)
        people = report.entities.get(entity="people")
    assert (people.compared, people.missing, people.segments_done) == (2, 1, 1)
    assert len(rows(Sample, entity__report=report)) == 1


def test_asking_twice_joins_the_running_comparison(crossing):
    crossing.put(1)
    assert crossing.request().pk == crossing.request().pk
    assert len(rows(Report)) == 1


def test_an_interrupted_comparison_is_closed_as_incomplete_before_another_begins(crossing):
    crossing.put(1)
    first = crossing.request()
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        for job in queue.jobs(crossing.tenant.pk, unfinished=True):
            queue.cancel(job.id, by=make.SYSTEM)
    second = crossing.compare()
    first = crossing.reread(first)
    assert (first.verdict, second.verdict) == ("incomplete", "equal")
    assert reports.INTERRUPTED in first.problem


def test_a_mapping_that_changes_meanwhile_makes_it_incomplete(crossing, settings, tmp_path):
    crossing.put(1)
    report = crossing.request()
    other = tmp_path / "other"
    other.mkdir()
    for name in ("people", "zones"):
        text = (tmp_path / f"{name}.yaml").read_text()
        (other / f"{name}.yaml").write_text(text.replace("version: 1", "version: 2"))
    settings.MAPPING_FOLDER = str(other)
    crossing.work()
    report = crossing.reread(report)
    assert report.verdict == "incomplete"
    assert "The mapping was changed while the comparison ran; compare again." in report.problem


def test_only_those_who_may_can_ask_for_one(crossing):
    auditor = make.actor(make.member(crossing.tenant, TenantRole.AUDITOR))
    with pytest.raises(PermissionRefused):
        crossing.request(by=auditor)
    stranger = make.actor(make.member(make.tenant(), TenantRole.OWNER))
    with pytest.raises(PermissionRefused):
        crossing.request(by=stranger)


def test_the_ledger_tells_who_asked_and_what_came_out(crossing):
    crossing.put(1)
    report = crossing.compare()
    entries = [
        row for row in sorted(rows(LedgerEntry), key=lambda row: row.seq) if row.event.startswith("parity_reports.")
    ]
    assert [entry.event for entry in entries] == ["parity_reports.report.requested", "parity_reports.report.finished"]
    assert entries[1].data == {"method": "full", "verdict": "equal", "errors": 0, "sha256": report.sha256}
    assert "parity_reports.report.finished" in [row.name for row in rows(Event)]


def test_the_digest_is_that_of_the_canonical_report_and_any_change_shows(crossing):
    crossing.put(1)
    crossing.put(2, fee=None)
    report = crossing.compare()
    with make.arranging():
        evidence = queries.evidence(report)
        assert hashlib.sha256(evidence).hexdigest() == report.sha256
        report.different = 0
        assert hashlib.sha256(queries.evidence(report)).hexdigest() != report.sha256
    said = json.loads(evidence)
    assert (said["verdict"], said["run"], said["counts"]["different"]) == ("different", str(report.pk), 1)


def test_samples_and_invariants_cannot_be_changed_afterwards(crossing):
    crossing.put(1, fee=None)
    crossing.compare()
    for model, change in ((Sample, {"kind": "case"}), (InvariantResult, {"outcome": "pass"})):
        with make.arranging(), pytest.raises(Exception, match="permission denied"), transaction.atomic():
            model.objects.update(**change)


def test_internal_columns_leave_nothing_but_the_kind_behind(crossing):
    for number in range(1, 4):
        crossing.put(number, legacy={"nm": f"{CANARY}-old-{number}"}, name=f"{CANARY.upper()}-OLD-{number}")
    report = crossing.compare()
    found = rows(Sample, entity__report=report)
    assert {(row.column, row.kind, row.expected, row.actual) for row in found} == {("name", "case", "", "")}
    people = next(row for row in rows(EntityResult, report=report) if row.entity == "people")
    assert people.kinds == {"name": {"case": "<5"}}
    with make.arranging():
        assert CANARY.encode() not in queries.evidence(report).lower()
    assert all(
        CANARY not in str(vars(row)).lower() for model in (EntityResult, Sample, InvariantResult) for row in rows(model)
    )


def test_the_database_itself_refuses_a_value_of_an_internal_column(crossing):
    crossing.put(1, fee=None)
    crossing.compare()
    (sample,) = rows(Sample)
    with make.arranging(), pytest.raises(IntegrityError, match="parity_reports_sample_redacted"), transaction.atomic():
        Sample.objects.create(
            tenant=crossing.tenant, entity=sample.entity, record="x", kind="case", column="name", exposure="internal",
            expected="raw",
        )  # fmt: skip


def test_the_database_itself_refuses_an_equal_report_with_differences(crossing):
    crossing.put(1, fee=None)
    report = crossing.compare()
    with make.arranging(), pytest.raises(IntegrityError, match="parity_reports_report_equal"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(verdict="equal")


def test_records_keep_their_name_within_a_tenant_and_never_show_their_key(crossing, settings, tmp_path):
    crossing.put(4711, fee=None)
    first, second = crossing.compare(), crossing.compare()
    names = {row.record for report in (first, second) for row in rows(Sample, entity__report=report)}
    assert len(names) == 1
    assert "4711" not in names.pop()
    folder = tmp_path / "other"
    folder.mkdir()
    other = arrange(settings, folder)
    other.put(4711, fee=None)
    elsewhere = {row.record for row in rows(Sample, entity__report=other.compare())}
    assert elsewhere.isdisjoint({row.record for row in rows(Sample, entity__report=first)})


def test_samples_are_few_however_many_records_differ(crossing):
    for number in range(1, 1001):
        crossing.put(number, fee=None)
    report = crossing.compare()
    assert report.different == 1000
    assert len(rows(Sample, entity__report=report)) == 5


def test_another_tenant_sees_none_of_it(crossing):
    crossing.put(1, fee=None)
    report = crossing.compare()
    other = make.tenant()
    with tenancy.scope(tenant_id=other.pk):
        counts = [model.objects.count() for model in (Report, EntityResult, Sample, InvariantResult)]
        assert queries.find(tenant_id=crossing.tenant.pk, report_id=report.pk) is None
    assert counts == [0, 0, 0, 0]


def test_declared_invariants_are_judged_sealed_and_told_with_their_pass_rate(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SIZE", 2)
    crossing = arrange(settings, tmp_path, people=PEOPLE + INVARIANTS)
    for number in range(1, 7):
        crossing.put(number)
    crossing.put(7, legacy={"nm": ""}, name="")
    crossing.put(8, fee=None)
    report = crossing.compare()
    found = {row.code: row for row in rows(InvariantResult, report=report, code__startswith="declared:")}
    assert {code.partition(":")[2]: row.outcome for code, row in found.items()} == {
        "paying": "fail", "fees": "fail", "named": "fail", "zone_known": "pass", "zone_used": "pass",
    }  # fmt: skip
    named = found["declared:named"]
    assert (named.title, named.family, named.checked) == ("Everybody has a name", "rule", 8)
    assert (named.expected, named.actual, named.rate) == ("<5", "<5", "≥ 50.000 %"), "names are internal"
    assert (found["declared:paying"].expected, found["declared:paying"].actual) == ("8", "7")
    with make.arranging():
        document = json.loads(queries.evidence(report))
    told = {row["code"]: row for row in document["invariants"]["results"]}
    assert (told["declared:named"]["rate"], told["declared:named"]["checked"]) == ("≥ 50.000 %", 8)
    assert "rate" not in told["declared:fees"]
    assert [row.reckoned for row in rows(EntityResult, report=report)] == [{}, {}], "kept for no longer than it takes"


def test_the_smallest_example_of_each_kind_is_sealed_with_the_report(crossing, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SIZE", 2)
    for number in range(1, 5):
        crossing.put(number, legacy={"zone": "NewYork"}, zone="newyork" if number == 3 else "Newyork")
    crossing.put(6, legacy={"nm": f"{CANARY} x"}, name=CANARY)
    crossing.put(5, moved=False)
    report = crossing.compare()
    with make.arranging():
        entities = json.loads(queries.evidence(report))["entities"]
    (people,) = [entity for entity in entities if entity["entity"] == "people"]
    assert set(people["examples"]) == {"case", "missing", "truncated"}
    case = people["examples"]["case"]
    assert (case["column"], case["expected"], case["actual"], case["made_up"]) == ("zone", "“Y”", "“y”", False)
    truncated = people["examples"]["truncated"]
    assert (truncated["column"], truncated["expected"], truncated["made_up"]) == ("name", "“aaa”", True)
    assert (people["examples"]["missing"]["column"], people["examples"]["missing"]["expected"]) == ("", "")
