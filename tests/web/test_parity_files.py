"""A report as files: PDF, XLSX and CSV say what the sealed JSON says, name its run and digest, and hold no formula."""

import csv
import io
import json
import re

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from core import pdf
from parity_reports.models import EntityResult
from tests import make
from tests.parity import arrange, person

pytestmark = pytest.mark.django_db
FORMULA = "=HYPERLINK(1)"
needs_pango = pytest.mark.skipif(not pdf.is_possible(), reason="PDFs need Pango: apt-get install libpangoft2-1.0-0")


@pytest.fixture
def crossing(settings, tmp_path):
    return arrange(settings, tmp_path, make.tenant("Zebra Air", slug="zebra"))


@pytest.fixture
def owner(crossing, client):
    client.force_login(person(crossing))
    return client


@pytest.fixture
def report(crossing):
    """Records that are equal, different in a public and in an internal column, missing, left behind, held, extra."""
    crossing.put(1)
    crossing.put(2, fee=None, name="ann")
    crossing.put(3, zone=FORMULA)
    crossing.put(4, moved=False)
    crossing.put(5, moved=False, legacy={"state": "A"})
    crossing.put(6, moved=False, legacy={"state": "Q"})
    crossing.new.append(crossing.moved(7))
    return crossing.compare()


def take(client, report, ending):
    answer = client.get(f"/t/zebra/parity/{report.pk}/report.{ending}")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="parity-zebra-{report.run}.{ending}"'
    return answer.getvalue()


def sheets(body):
    return {sheet.title: [list(row) for row in sheet.iter_rows()] for sheet in load_workbook(io.BytesIO(body))}


def leaves(node, *, keyed=False):
    """Every value of a JSON document that a reader cares for, as text; checksums are for machines alone."""
    if isinstance(node, dict):
        for key, inner in node.items():
            if key in ("checksums", "format", "made_up"):
                continue
            if keyed:
                yield key
            yield from leaves(inner, keyed=keyed or key in ("differences", "left_behind", "in_quarantine"))
    elif isinstance(node, list):
        for inner in node:
            yield from leaves(inner)
    else:
        yield str(node)


def squeezed(text):
    return re.sub(r"\s+", "", text)


def test_a_workbook_of_equal_platforms_says_so_where_it_would_be_empty(crossing, owner):
    crossing.put(1)
    found = sheets(take(owner, crossing.compare(), "xlsx"))
    for title in ("Differences", "Examples", "Samples"):
        assert [cell.value for cell in found[title][1]][:1] == ["No difference was found in what was compared."]
    assert all(len(rows) > 1 for rows in found.values())


def test_the_workbook_says_all_that_the_sealed_json_says_and_no_cell_is_a_formula(owner, report):
    document, found = json.loads(take(owner, report, "json")), sheets(take(owner, report, "xlsx"))
    facts = {row[0].value: row[1].value for row in found["Report"][1:]}
    assert facts["run"] == str(report.pk)
    assert facts["SHA-256 of the report (its JSON file, byte for byte)"] == report.sha256
    assert facts["finished"] == document["finished_at"]
    assert facts["mapping of people"].startswith("people@1+")
    cells = [cell for rows in found.values() for row in rows for cell in row]
    said = {"" if cell.value is None else str(cell.value) for cell in cells}
    assert set(leaves(document)) - said == set()
    assert any(FORMULA in text for text in said)
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}


def test_the_flat_table_says_the_same_with_formulas_defused(owner, report):
    document = json.loads(take(owner, report, "json"))
    lines = list(csv.DictReader(io.StringIO(take(owner, report, "csv").decode().removeprefix("\ufeff"))))
    assert {(line["run"], line["sha256"]) for line in lines} == {(str(report.pk), report.sha256)}
    told = {(line["section"], line["entity"]) for line in lines}
    assert told >= {(section, "people") for section in ("entity", "rule", "column", "invariant", "sample")}
    assert len([line for line in lines if line["section"] == "sample"]) == len(document["samples"])
    assert len([line for line in lines if line["section"] == "invariant"]) == document["invariants"]["total"]
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line.values())


@pytest.mark.slow
@needs_pango
def test_the_pdf_says_the_verdict_first_and_every_line_of_the_report(owner, report):
    document = json.loads(take(owner, report, "json"))
    text = squeezed("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(take(owner, report, "pdf"))).pages))
    verdict = "Bothplatformsdiffer:5of7recordsdonotagree."
    assert text.index("ZebraAir:parityreport") < text.index(verdict) < text.index("Whathappensnext")
    wanted = [document["run"], report.sha256, document["mapping_sha256"], "Settleit."]
    wanted += [entity["spec"] for entity in document["entities"]]
    wanted += [row["title"] for row in document["invariants"]["results"]]
    wanted += [sample[name] for sample in document["samples"] for name in ("record", "expected", "actual")]
    assert [one for one in wanted if squeezed(one) not in text] == []


ENDINGS = ("pdf", "xlsx", "csv", "json")


def test_no_file_is_made_of_a_report_that_was_changed_after_its_sealing(owner, report):
    with make.arranging():
        EntityResult.objects.filter(report=report).update(held={"other": 1})
    for ending in ENDINGS:
        refused = owner.get(f"/t/zebra/parity/{report.pk}/report.{ending}")
        assert refused.status_code == 422, ending
        assert "no longer matches its digest" in refused.content.decode()


def test_files_of_a_running_report_do_not_exist_yet(owner, crossing):
    crossing.put(1)
    own = f"/t/zebra/parity/{crossing.request().pk}/report"
    assert {owner.get(f"{own}.{ending}").status_code for ending in ENDINGS} == {404}


def test_a_server_without_the_libraries_says_what_to_do_instead_of_a_pdf(owner, report, monkeypatch):
    monkeypatch.setattr(pdf, "_library", lambda: None)
    answer = owner.get(f"/t/zebra/parity/{report.pk}/report.pdf")
    assert answer.status_code == 503
    assert "Print the page from your browser instead" in answer.text
