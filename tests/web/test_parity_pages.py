"""The parity pages: verdict first, live while running, redacted everywhere, cheap for a thousand rows."""

import hashlib
import html
import json
import re
import subprocess
import sys

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import ports, tenancy
from core.permissions import STAFF_ROLE_GRANTS, Permission, TenantRole
from parity_reports.domain import ladder, sampling
from parity_reports.models import EntityResult
from parity_reports.queries import reports, verification
from tests import make
from tests.parity import arrange, person
from tests.people import INVARIANTS, PEOPLE
from tests.queueing import LATER

pytestmark = pytest.mark.django_db
CANARY = "canary-2d7c"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def crossing(settings, tmp_path):
    return arrange(settings, tmp_path, make.tenant("Zebra Air", slug="zebra"))


@pytest.fixture
def owner(crossing, client):
    client.force_login(person(crossing))
    return client


def page(client, report=None, **options):
    path = f"/t/zebra/parity/{report.pk}/" if report else "/t/zebra/parity/"
    return client.get(path, **options)


def text(response):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_before_the_first_comparison_the_page_says_what_will_appear_and_offers_it(owner):
    shown = page(owner)
    assert shown.status_code == 200
    assert "Nothing was compared yet" in text(shown)
    assert "Run a new comparison" in text(shown)


def test_the_button_asks_for_a_comparison_and_leads_to_it_live(owner, crossing):
    crossing.put(1)
    asked = owner.post("/t/zebra/parity/new/")
    assert asked.status_code == 302
    running = owner.get(asked.url)
    assert "The comparison is running." in text(running)
    assert 'hx-trigger="every 2s"' in running.content.decode()
    assert '<noscript><meta http-equiv="refresh"' in running.content.decode()
    fragment = owner.get(asked.url, headers=HTMX)
    assert "<html" not in fragment.content.decode()
    crossing.work()
    finished = owner.get(asked.url)
    assert "Both platforms are equal: all 2 records agree in every column." in text(finished)
    assert "every 2s" not in finished.content.decode()


def test_checksums_and_a_sample_are_offered_once_there_is_a_comparison_and_say_what_they_are(
    owner, crossing, monkeypatch
):
    assert "Compare by checksums" not in text(page(owner))
    monkeypatch.setattr(ladder, "SMALL", 0)
    monkeypatch.setattr(sampling, "WANTED", 2)
    for number in range(1, 9):
        crossing.put(number)
    crossing.compare()
    assert "Compare by checksums" in text(page(owner))
    for method, said in (("checksums", "Nothing differs: both platforms have the same"), ("sample", "A sample agrees")):
        asked = owner.post("/t/zebra/parity/new/", {"method": method})
        assert "only a full comparison counts" in text(owner.get(asked.url))
        crossing.work()
        shown = text(owner.get(asked.url))
        assert said in shown
        assert "only a full comparison counts" in shown
    assert "Compared for 1 in 4 records because you asked for a quick look" in shown
    assert "Sampled" in text(page(owner))
    refused = owner.post("/t/zebra/parity/new/", {"method": "glance"}, follow=True)
    assert "There is no such comparison." in text(refused)


def test_the_verdict_stands_before_every_figure_and_names_tenant_and_run(owner, crossing):
    crossing.put(1, fee=None)
    report = crossing.compare()
    body = page(owner, report).content.decode()
    assert body.count("<h1") == 1
    assert re.search(rf"<title>\s*Parity report {report.run} · Zebra Air", body)
    assert body.index("Both platforms differ: 1 of 2 records do not agree.") < body.index("kpi")
    assert "target ≤ 0.1 %" in body
    assert "target ≥ 99.9 %" in body


def test_differences_are_explained_with_both_values_of_public_columns(owner, crossing):
    crossing.put(1, fee=None)
    shown = text(page(owner, crossing.compare()))
    assert "One platform has a value, the other has none." in shown
    assert "“150” ∅" in shown


def test_a_quarantine_says_which_rule_holds_the_rows_and_what_to_do(owner, crossing):
    crossing.put(1)
    crossing.put(2, moved=False, legacy={"state": "Q"})
    crossing.put(3, moved=False, legacy={"state": "A"})
    shown = text(page(owner, crossing.compare()))
    assert "1 of people: contested. Two say otherwise. What to do: Settle it." in shown
    assert "1 of people: archived. Archived rows stay behind." in shown


def test_an_incomplete_comparison_says_why_and_is_never_shown_as_equal(owner, crossing):
    crossing.put(1)
    report = crossing.request()
    crossing.engine.failing.add("new")
    for attempt in range(12):
        crossing.work(later=attempt * LATER)
    shown = text(page(owner, crossing.reread(report)))
    assert "The comparison is incomplete. What was not read is not called equal." in shown
    assert "People: The new platform's database does not answer." in shown
    assert "are equal" not in shown


def test_asking_while_nothing_is_mapped_is_refused_with_the_reason(owner, crossing, settings, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    settings.MAPPING_FOLDER = str(empty)
    asked = owner.post("/t/zebra/parity/new/", follow=True)
    assert "Nothing of your account is mapped yet." in text(asked)
    part = owner.post("/t/zebra/parity/new/", headers=HTMX)
    assert part.status_code == 422
    assert "Nothing of your account is mapped yet." in text(part)


def test_values_of_internal_columns_appear_in_no_page_and_no_file(owner, crossing):
    """Names are internal in the mapping; the canary stands in every name, and in the record's own key nowhere."""
    for number in range(4242, 4249):
        crossing.put(number, legacy={"nm": f"{CANARY} {number}"}, name=f"{CANARY} {number} ")
    crossing.put(5000, legacy={"nm": f"{CANARY} long name"}, name=CANARY)
    report = crossing.compare()
    bodies = [
        page(owner, report),
        page(owner),
        *(owner.get(f"/t/zebra/parity/{report.pk}/report.{end}") for end in ("csv", "json")),
    ]
    for body in bodies:
        assert body.status_code == 200
        assert CANARY not in body.getvalue().decode()
        assert "4242" not in body.getvalue().decode().replace(str(report.pk), "").replace(report.sha256, "")
    assert "Values of this column are not shown." in text(bodies[0])
    assert "whitespace" in text(bodies[0])


def test_json_is_what_the_digest_is_taken_of(owner, crossing):
    crossing.put(1, fee=None)
    report = crossing.compare()
    sent = owner.get(f"/t/zebra/parity/{report.pk}/report.json")
    assert hashlib.sha256(sent.content).hexdigest() == report.sha256
    assert json.loads(sent.content)["verdict"] == "different"
    assert report.sha256 in page(owner, report).content.decode()


def test_values_are_escaped(owner, crossing):
    crossing.put(1, zone="<script>alert(1)</script>")
    body = page(owner, crossing.compare()).content.decode()
    assert "<script>alert(1)" not in body
    assert "&lt;script&gt;alert(1)" in body


def test_an_auditor_reads_but_has_no_button_and_may_not_ask(crossing, client):
    crossing.put(1)
    report = crossing.compare()
    client.force_login(person(crossing, TenantRole.AUDITOR))
    for shown in (page(client), page(client, report)):
        assert shown.status_code == 200
        assert "Run a new comparison" not in text(shown).replace("run a new comparison", "")
    assert client.post("/t/zebra/parity/new/").status_code == 403


def test_a_member_without_the_permission_and_a_stranger_see_nothing(crossing, client):
    crossing.put(1)
    report = crossing.compare()
    client.force_login(person(crossing, TenantRole.MEMBER))
    assert page(client, report).status_code == 403
    other = make.member(make.tenant(), TenantRole.OWNER)
    client.force_login(other.user)
    assert page(client, report).status_code == 404


def test_another_tenants_report_id_is_not_found_under_ones_own_address(crossing, client):
    crossing.put(1)
    report = crossing.compare()
    other = make.member(make.tenant(slug="other"), TenantRole.OWNER)
    client.force_login(other.user)
    for ending in ("", "report.csv", "report.json", "report.pdf", "report.xlsx"):
        assert client.get(f"/t/other/parity/{report.pk}/{ending}").status_code == 404


def test_no_id_stands_twice_or_takes_the_live_regions_place(owner, crossing):
    crossing.put(1, fee=None)
    report = crossing.request()
    running = page(owner, report)
    crossing.work()
    for shown in (running, page(owner, report), page(owner)):
        ids = re.findall(r'\sid="([^"]+)"', shown.content.decode())
        assert len(ids) == len(set(ids))


def queries(client, path):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_pages_cost_the_same_for_ten_differences_and_a_thousand(owner, crossing):
    for number in range(1, 11):
        crossing.put(number, fee=None, name=f"x{number}", zone=f"Z{number}")
    few = crossing.compare()
    for number in range(11, 1011):
        crossing.put(number, fee=None, name="Z", active=False, zone=f"Z{number}")
    many = crossing.compare()
    assert many.different > 900
    for ending in ("", "report.csv", "report.json", "report.xlsx"):
        cost = [queries(owner, f"/t/zebra/parity/{report.pk}/{ending}") for report in (few, many)]
        assert cost[1] <= cost[0]


@pytest.mark.slow
def test_the_history_costs_the_same_for_one_report_and_thirty(owner, crossing):
    crossing.put(1)
    crossing.compare()
    one = queries(owner, "/t/zebra/parity/")
    for _ in range(29):
        crossing.compare()
    assert queries(owner, "/t/zebra/parity/") <= one + 1  # the pager's count
    assert "Share of equal records" in text(page(owner))


def test_an_owner_gets_the_files_and_the_whole_command_to_check_the_report_alone(owner, crossing, tmp_path):
    crossing.put(1)
    crossing.put(2, name=None, fee=None)
    report = crossing.compare()
    shown = page(owner, report)
    whole = r"python3 crossing_verify_parity\.py \S+ \S+ --code [0-9a-f]{32}(?=</code>)"
    (command,) = re.findall(whole, shown.content.decode())
    _, script, document, _, _, code = command.split()
    sealed = owner.get(f"/t/zebra/parity/{report.pk}/report.json").content
    assert code.encode() not in sealed
    (tmp_path / document).write_bytes(sealed)
    (tmp_path / script).write_bytes(owner.get("/t/zebra/parity/crossing_verify_parity.py").content)
    moved = [{name: value for name, value in row.items() if name != "owner"} for row in crossing.new]
    (tmp_path / "people.json").write_text(json.dumps(moved, default=str))
    command = [sys.executable, "-I", "-S", script, document, "people=people.json", "--code", code]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert "people: EQUAL. All 2 records of people.json are those of the report." in ran.stdout
    assert report.sha256 in ran.stdout
    moved[0]["name"] = "ann"
    (tmp_path / "people.json").write_text(json.dumps(moved, default=str))
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, "changed: 1 (record 1)" in ran.stdout) == (1, True)


def test_the_code_is_shown_to_owners_and_administrators_alone(client, crossing):
    crossing.put(1)
    report = crossing.compare()
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        code = verification.new_code(report.pk)
    client.force_login(person(crossing, TenantRole.AUDITOR))
    shown = page(client, report)
    assert "Check it yourself" in text(shown)
    assert "which this page shows to your owners and administrators" in text(shown)
    assert code not in shown.content.decode()
    assert not any(Permission.VERIFY_PARITY in grants for grants in STAFF_ROLE_GRANTS.values())


def test_a_code_whose_secret_was_rotated_stays_while_the_secret_is_a_fallback(owner, crossing, settings):
    crossing.put(1)
    report = crossing.compare()
    with tenancy.scope(tenant_id=crossing.tenant.pk):
        before, old = verification.of(report, slug="zebra", with_code=True), settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 9, [old]
        assert verification.of(report, slug="zebra", with_code=True) == before
        settings.SECRET_KEY_FALLBACKS = []
        lost = verification.of(report, slug="zebra", with_code=True)
    assert (lost.is_lost, lost.has_code, lost.command.endswith("--code CODE")) == (True, False, True)


def test_a_report_from_before_there_were_checksums_stays_sealed_and_offers_no_check(owner, crossing):
    crossing.put(1)
    report = crossing.compare()
    with make.arranging():
        EntityResult.objects.filter(report=report).update(checksums=None)
        assert b"checksums" not in reports.evidence(report)
    assert "Check it yourself" not in text(page(owner, report))


def test_data_without_a_canonical_encoding_are_compared_all_the_same(owner, crossing):
    ports.checksummer().unencodable.add("clean.person")
    crossing.put(1)
    report = crossing.compare()
    assert report.verdict == "equal"
    assert "zones=zones.csv" in text(page(owner, report))


def refuse(plan, **parts):
    raise ports.Rejected("The new platform has no such table.")


def test_the_trend_tells_differing_records_and_invariants_with_a_table_and_gaps(owner, crossing, monkeypatch):
    crossing.put(1)
    first = crossing.compare()
    assert "The second comparison begins the trend" in text(page(owner))
    assert "This is the first comparison that ended" in text(page(owner, first))
    crossing.put(2, fee=None)
    second = crossing.compare()
    monkeypatch.setattr(crossing.engine, "divide", refuse)
    crossing.compare()
    shown = text(page(owner))
    assert re.search(
        r"Records that do not agree, by comparison What Value \S+ \w+ \S+ 0 \S+ \w+ \S+ 1 .* no data", shown
    )
    assert re.search(r"Invariants that hold, by comparison What Value \S+ \w+ \S+ 100.0% \S+ \w+ \S+ \d\d\.\d+%", shown)
    # A report's own trend ends with itself: what came later is not its to tell.
    assert "no data" not in text(page(owner, second))
    assert "How it went up to this comparison" in text(page(owner, second))


def test_each_kind_of_difference_has_its_smallest_example_and_what_happens_next(owner, crossing):
    crossing.put(1, legacy={"zone": "NewYork"}, zone="newyork")
    crossing.put(2, name="ann")
    crossing.put(3, moved=False)
    shown = text(page(owner, crossing.compare()))
    assert "Legacy, as mapped: “Y” · New platform: “y” People, zone, record" in shown
    assert "Shortened to what still shows it. What happens next: The mapping says whether capitals count." in shown
    assert "Legacy, as mapped: there · New platform: not there People, record" in shown
    assert "What happens next: Settle what a rule holds back" in shown


def test_declared_invariants_stand_with_their_pass_rate_and_what_happens_next(owner, settings, tmp_path, crossing):
    (tmp_path / "people.yaml").write_text(PEOPLE + INVARIANTS)
    crossing.put(1)
    crossing.put(2, name="")
    crossing.put(3, legacy={"zone": "XX"}, zone="YY")
    report = crossing.compare()
    shown = text(page(owner, report))
    assert "Everybody has a name Only the new platform breaks it" in shown
    assert "0 break it <5 break it ≥ 0.000 % Does not hold" in shown
    assert re.search(r"Every zone is known Only the new platform breaks it: [^<]* 0 break it 1 break it 0.000 %", shown)
    assert re.search(r"The fees of the active add up 450 – Holds", shown)
    mapping = text(owner.get("/t/zebra/runs/entities/people/mapping/"))
    assert "What must hold afterwards" in mapping
    assert "Every zone is known Every “zone” is one of zones" in mapping
