"""Canaries in every restricted column, every kind of difference, every output: none of them gets out.

The same data under public classes do show, or this test would be blind.
"""

import io
import json
import logging
import re
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core import mail
from openpyxl import load_workbook
from pypdf import PdfReader

from core import pdf
from core.permissions import TenantRole
from parity_reports.models import EntityResult
from portal.logs import Lines
from tests import api, make
from tests.parity import arrange
from tests.people import INVARIANTS, PEOPLE
from tests.queueing import LATER

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CLOSED = PEOPLE.replace("class: public", "class: internal")
WORD = "Kanarie"
CANARIES = (WORD, WORD.lower(), "31337", "3133777", "8675309", "1977-05-25", "ZONEKANARIE", "424242")
"""A word, magnitudes before and after the mapping, a date, a reference, and the beginning of every key."""


@pytest.fixture
def written():
    """Everything that is logged meanwhile, as the log writes it."""
    text, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(text)
    handler.setFormatter(Lines("%(message)s"))
    root.addHandler(handler)
    yield text
    root.removeHandler(handler)


def plant(crossing):
    """Records that differ in every way there is; all that they hold is a canary."""
    number = iter(range(42424200, 42424299))
    born = {"day": "19770525", "clock": "0930", "zone": "ZONEKANARIE"}

    def put(**changed):
        legacy = {"nm": f"{WORD} Jansen", "fee": "31337.77", **born, **changed.pop("legacy", {})}
        values = {"name": f"{WORD} Jansen", "fee": Decimal("3133777.00"), "zone": "ZONEKANARIE"}
        moved = changed.pop("moved", True)
        crossing.put(next(number), moved=moved, legacy=legacy, **{**values, "begins_at": AT, **changed})

    for _ in range(3):
        put()
    put(name=f"{WORD} Jansen ")
    put(name=f"{WORD} jansen")
    put(name=WORD)
    put(name=None)
    put(fee=Decimal("3133777.004"))
    for _ in range(6):
        put(fee=Decimal(8675309))
    put(legacy={"fee": "kanarie"})
    put(begins_at=datetime(1977, 5, 25, 13, 31, tzinfo=UTC))
    put(legacy={"nm": ""}, name="")
    put(zone="OTHERKANARIE")
    put(moved=False)
    put(moved=False, legacy={"state": "Q"})
    put(moved=False, legacy={"state": "A"})
    crossing.new.append(crossing.moved(next(number), name=f"{WORD} Extra"))
    crossing.new.append(dict(crossing.new[0]))


AT = datetime(1977, 5, 25, 13, 30, tzinfo=UTC)


def arranged(settings, tmp_path, people):
    crossing = arrange(settings, tmp_path, make.tenant("Zebra Air", slug="zebra"), people=people + INVARIANTS)
    crossing.engine.legacy["zone_mast"].append(
        {"own_cd": crossing.tenant.legacy_ref, "zone_cd": "ZONEKANARIE", "tz_nm": "America/New_York"}
    )
    crossing.engine.new["clean.zone"].append(
        {"owner": str(crossing.tenant.pk), "code": "ZONEKANARIE", "time_zone": "America/New_York"}
    )
    plant(crossing)
    return crossing


def read(answer):
    """An answer as people and programs read it: text, a PDF's text, a workbook's cells and parts, a ZIP's files."""
    assert answer.status_code == 200, answer.status_code
    body = answer.getvalue()
    if body.startswith(b"%PDF-"):
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    return body.decode()


def outputs(client, member, report):
    """Everything that an administrator of the customer can fetch that tells of the comparison."""
    own = f"/t/zebra/parity/{report.pk}/"
    told = {path: read(client.get(path)) for path in [own, "/t/zebra/parity/", "/t/zebra/"]}
    told["part"] = read(client.get(own, headers={"HX-Request": "true"}))
    endings = ["json", "csv", "xlsx", *(["pdf"] if pdf.is_possible() else [])]
    told |= {ending: read(client.get(f"{own}report.{ending}")) for ending in endings}
    for path in (
        "parity/drift/",
        "preflight/",
        "jobs/",
        "activity/",
        "snapshot.csv",
        "runs/entities/people/mapping/",
    ):
        told[path] = read(client.get(f"/t/zebra/{path}"))
    told["ledger"] = read(client.post("/t/zebra/activity/export/"))
    told["evidence"] = read(client.post("/t/zebra/promises/evidence/"))
    secret, there = api.token(member), f"/api/v1/parity/reports/{report.pk}"
    for path in (
        "/api/v1/parity/reports",
        there,
        f"{there}/document",
        f"{there}/document.csv",
        f"{there}/document.xlsx",
        "/api/v1/jobs",
        "/api/v1/runs",
        "/api/v1/inspections",
        "/api/v1/rejected-rows",
    ):
        told[path] = read(api.call("GET", path, secret=secret))
    told["/api/v1/readiness"] = read(api.call("GET", "/api/v1/readiness/checks", secret=secret))
    told["mails"] = "\n".join(f"{one.subject}\n{one.body}" for one in mail.outbox)
    return told


def leaks(told):
    """Return which canaries stand where; digests, ids and record names are hexadecimal and no values."""
    found = {}
    for where, text in told.items():
        plain = re.sub(r"\b[0-9a-f]{8,}\b", "", text)
        if seen := [canary for canary in CANARIES if canary in plain]:
            found[where] = seen
    return found


@pytest.fixture
def admin(client):
    def signed_in(crossing):
        member = make.member(crossing.tenant, TenantRole.ADMIN)
        client.force_login(member.user)
        return member

    return signed_in


def test_nothing_of_a_restricted_column_is_in_any_output(settings, tmp_path, client, admin, written):
    crossing = arranged(settings, tmp_path, CLOSED)
    member = admin(crossing)
    report = crossing.compare()
    assert report.verdict == "different"
    told = {**outputs(client, member, report), "log": written.getvalue()}
    assert leaks(told) == {}
    document = json.loads(told["json"])
    people = next(entity for entity in document["entities"] if entity["entity"] == "people")
    kinds = {kind for counted in people["differences"].values() for kind in counted}
    assert kinds == {"whitespace", "case", "truncated", "null", "precision", "value"}
    assert {"missing", "extra", "duplicate"} <= set(people["examples"])
    counts = {
        (column, kind): number for column, kinds in people["differences"].items() for kind, number in kinds.items()
    }
    assert counts.pop(("fee", "value")) == 7, "not small"
    assert set(counts.values()) == {"<5"}
    assert all(sample["expected"] == sample["actual"] == "" for sample in document["samples"])
    results = {row["code"]: row for row in document["invariants"]["results"] if row["entity"] == "people"}
    assert (results["sum:fee"]["expected"], results["sum:fee"]["actual"]) == ("", "")
    assert (results["declared:fees"]["expected"], results["declared:fees"]["actual"]) == ("", "")
    assert (results["declared:named"]["expected"], results["declared:named"]["rate"][:2]) == ("<5", "≥ ")
    assert results["reference:zone"]["actual"] == "<5"
    shown = load_workbook(io.BytesIO(client.get(f"/t/zebra/parity/{report.pk}/report.xlsx").getvalue()))["Differences"]
    assert {str(row[3]) for row in shown.iter_rows(min_row=2, values_only=True)} == {"<5", "7"}


def test_the_same_data_do_show_under_public_classes(settings, tmp_path, client, admin):
    crossing = arranged(settings, tmp_path, PEOPLE.replace("class: internal", "class: public"))
    member = admin(crossing)
    found = leaks(outputs(client, member, crossing.compare()))
    expected = {"json", "csv", "xlsx", "part", *(["pdf"] if pdf.is_possible() else [])}
    assert expected <= set(found)
    for where in expected:
        assert {WORD, "8675309", "3133777"} <= set(found[where]), where


def test_what_a_failing_engine_says_gets_nowhere(settings, tmp_path, client, admin, written, monkeypatch):
    crossing = arranged(settings, tmp_path, CLOSED)
    member = admin(crossing)

    def failing(plan, **parts):
        raise ValueError(f"could not convert {' '.join(CANARIES)}")

    monkeypatch.setattr(crossing.engine, "compare", failing)
    report = crossing.request()
    for attempt in range(12):
        crossing.work(later=attempt * LATER)
    report = crossing.reread(report)
    assert report.verdict == "incomplete"
    log = written.getvalue()
    assert "comparison_failed" in log
    assert "ValueError" in log
    assert leaks({**outputs(client, member, report), "log": log}) == {}


def test_half_a_comparison_keeps_its_sums_from_every_output(settings, tmp_path, client, admin, monkeypatch):
    """While it runs, sums and counts stand unredacted in the database; nothing shows them, and the end removes them."""
    monkeypatch.setattr("parity_reports.services.segments.SEGMENT_SIZE", 5)
    crossing = arranged(settings, tmp_path, CLOSED)
    admin(crossing)
    crossing.engine.fail_at = 3
    report = crossing.request()
    crossing.work()
    with make.arranging():
        half = EntityResult.objects.get(report=report, entity="people")
        assert "3133777" in json.dumps([half.sums, half.reckoned]) or half.sums
    own = f"/t/zebra/parity/{report.pk}/"
    assert leaks({own: read(client.get(own)), "history": read(client.get("/t/zebra/parity/"))}) == {}
    for attempt in range(12):
        crossing.work(later=attempt * LATER)
    with make.arranging():
        done = EntityResult.objects.get(report=report, entity="people")
    assert (done.verdict, done.sums, done.reckoned) == ("incomplete", {}, {})
