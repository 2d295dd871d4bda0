"""The verifier that customers download: one file, a bare Python, an export; it says equal or names the records."""

import ast
import csv
import json
import random
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity_reports import verifier
from parity_reports.domain import checksums, encoding
from parity_reports.domain.checksums import Bucket
from parity_reports.queries import verification

CODE = "6fb3a1c95d0e4b2a8c7d9e0f1a2b3c4d"
COLUMNS = {
    "reference": "text", "distance_km": "decimal(1)", "departed_at": "timestamp", "note": "text", "late": "boolean",
}  # fmt: skip
ROWS = [
    {
        "reference": f"B6-{number:04d}",
        "distance_km": f"{number * 7 % 4000}.5",
        "departed_at": None if number % 9 == 0 else f"2013-01-{1 + number % 28:02d} 05:{number % 60:02d}:00+00",
        "note": [None, "", "NULL", 'a "quoted", note', "über\nzwei Zeilen", " x "][number % 6],
        "late": ["t", "f", None][number % 3],
    }
    for number in range(600)
]


def report(rows=ROWS, **changed):
    kinds, of, key = list(COLUMNS.values()), checksums.buckets_for(len(rows)), "reference"
    buckets = [Bucket() for _ in range(of)]
    for row in rows:
        number, name = checksums.place(encoding.record([COLUMNS[key]], [row[key]], code=CODE), of)
        digest = encoding.digest_of(encoding.record(kinds, [row[column] for column in COLUMNS], code=CODE))
        buckets[number].add(digest=digest, name=name)
    sums = [bucket.sums for bucket in buckets]
    stored = checksums.stored(code=CODE, key=key, columns=COLUMNS.items(), buckets=sums) | changed
    entities = [{"entity": "flights", "checksums": stored}, {"entity": "crews"}]
    return {"format": "crossing-parity/1", "run": "0a1b", "finished_at": "2026-11-26T09:00:00Z", "entities": entities}


def as_csv(rows, *, null="", delimiter=",", header=None):
    """What COPY … WITH (FORMAT csv, HEADER) writes: NULL is unquoted, the empty text is quoted."""

    def told(value):
        if value is None:
            return null
        special = value in ("", null) or re.search(f'["\r\n{re.escape(delimiter)}]', value)
        return '"' + value.replace('"', '""') + '"' if special else value

    lines = [delimiter.join(header or COLUMNS), *(delimiter.join(told(row[one]) for one in COLUMNS) for row in rows)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def check(tmp_path, capsys):
    """Check an export (text or bytes) against a report; return the exit status and what was said."""

    def run(export, *options, of=None, entity="flights", code=CODE):
        (tmp_path / "report.json").write_text(json.dumps(of or report()))
        content = export if isinstance(export, bytes) else export.encode()
        (tmp_path / "export").write_bytes(content)
        arguments = [str(tmp_path / "report.json"), f"{entity}={tmp_path / 'export'}", "--code", code, *options]
        status = verifier.main(arguments)
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


def test_one_file_and_a_bare_python_confirm_the_report_and_name_what_was_planted(tmp_path):
    script = tmp_path / verification.FILE
    script.write_bytes(verification.script())
    (tmp_path / "report.json").write_text(json.dumps(report()))
    planted = [dict(row) for row in ROWS if row["reference"] != "B6-0300"]
    planted[5]["distance_km"] = "35.6"
    planted.append(dict(planted[77]))
    planted.append(planted[8] | {"reference": "B6-9999"})
    random.Random(1).shuffle(planted)
    (tmp_path / "good.csv").write_text(as_csv(ROWS))
    (tmp_path / "bad.csv").write_text(as_csv(planted))

    def run(name, *more):
        command = [sys.executable, "-I", "-S", str(script), "report.json", f"flights={name}", "--code", CODE, *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good, bad = run("good.csv"), run("bad.csv", "--earlier", "good.csv")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith("Not checked: crews.\nWhat was checked agrees with the report.\n")
    assert "flights: EQUAL. All 600 records of good.csv are those of the report." in good.stdout
    assert (bad.returncode, bad.stderr) == (1, "")
    assert "bad.csv has 601 records, the report 600; 4 of 9 buckets differ." in bad.stdout
    assert "changed: B6-0005 (line " in bad.stdout
    assert "twice: B6-0077 stands 2 times (line " in bad.stdout
    assert "only in your export: B6-9999 (line " in bad.stdout
    assert re.search(r"missing: one record .* its name is [0-9a-f]{8}\. It is B6-0300 \(line \d+ of the", bad.stdout)
    assert bad.stdout.endswith("Your data do NOT agree with the report.\n")


def test_the_file_stands_alone_and_reads_as_python_3_10():
    source = verification.script().decode()
    tree = ast.parse(source, feature_version=(3, 10))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported <= sys.stdlib_module_names
    defined = [
        target
        for node in tree.body
        for target in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else [one.id for one in node.targets if isinstance(one, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
    ]
    assert len(defined) == len(set(defined))


SHAPES = {
    "csv": as_csv(ROWS),
    "csv with a byte order mark and CRLF": "\ufeff" + re.sub(r"(?<!Zwei)\n(?!zwei)", "\r\n", as_csv(ROWS)),
    "json list": json.dumps(ROWS),
    "json lines": "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS),
    "typed json": json.dumps([
        row | {"distance_km": float(row["distance_km"]), "late": {"t": True, "f": False}.get(row["late"])}
        for row in ROWS
    ]),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_an_export_of_any_shape_in_any_order_agrees(check, shape):
    status, said = check(SHAPES[shape])
    assert status == 0, said


def test_other_headers_delimiter_and_null_are_declared(check):
    header = ["Ref", *list(COLUMNS)[1:]]
    export = as_csv(ROWS, delimiter=";", null="\\N", header=header)
    assert check(export, "--delimiter", ";", "--null", "\\N", "--header", "reference=Ref")[0] == 0


def test_columns_that_the_report_does_not_know_are_left_alone(check):
    assert check(json.dumps([{"more": {}, **row} for row in ROWS]))[0] == 0


def test_several_differences_in_one_bucket_list_what_is_in_it(check):
    few = ROWS[:50]
    status, said = check(as_csv([row | {"note": "z"} for row in few]), of=report(few))
    assert status == 1
    assert "several records differ, some of: B6-0000, B6-0001, B6-0002, B6-0003, B6-0004 and 45 more" in said


def test_wholly_other_data_are_told_briefly(check):
    rows = [{**row, "reference": f"X{number}"} for number, row in enumerate(ROWS)]
    status, said = check(as_csv(rows))
    assert status == 1
    assert len(said.splitlines()) < 30


def test_a_key_cannot_write_to_the_terminal(check):
    rows = [*ROWS, ROWS[0] | {"reference": "\x1b[2J" + "x" * 500}]
    status, said = check(as_csv(rows))
    assert status == 1
    assert "\x1b" not in said
    assert "\\x1b[2J" in said


CSV = as_csv(ROWS)
HOSTILE = {
    "nothing": ("", "is empty"),
    "blank lines": ("\n\n", "has no column “reference”"),
    "another header": ("a,b\n1,2\n", "has no column “reference” (it has a, b)"),
    "one header twice": (CSV.replace("reference,", "late,reference,", 1), "has two columns named “late”"),
    "too few fields": (CSV + "B6,1\n", "has 2 fields, the header 5"),
    "an open quotation mark": (CSV + '"B6', "a quotation mark is opened and never closed"),
    "a stray quotation mark": (CSV + 'B6"",1,,,\n', "a quotation mark stands where none may"),
    "latin-1": (CSV.encode("latin-1"), "is not UTF-8"),
    "utf-16": (CSV.encode("utf-16"), "is not UTF-8"),
    "a zero byte": (b"\0" * 100, "has no column"),
    "not a number": (CSV + "B6,much,,,\n", "the column “distance_km” is not a number"),
    "a number without end": (CSV + "B6,1e999999,,,\n", "is a number of too many digits"),
    "a date of no calendar": (CSV + "B6,1,2013-02-30 00:00:00,,\n", "a day that no calendar has"),
    "json of another kind": ("[1]", "record 1 is not a JSON object"),
    "json cut off": ('[{"reference": "a"', "is not JSON"),
    "json nested": ("[" * 100_000, "is not JSON"),
    "json lines of which one lacks a name": ('{"reference": "a"}\n', "line 1 has no “distance_km”"),
    "json with a name twice": ('{"reference": "a", "reference": "b"}', "is not JSON"),
    "no value as empty text": (json.dumps([ROWS[0] | {"distance_km": ""}]), "the column “distance_km”"),
    "a number as text": (json.dumps([ROWS[0] | {"note": 1}]), "the column “note” is not text"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_read_ends_with_one_clear_sentence(check, case):
    content, words = HOSTILE[case]
    status, said = check(content)
    assert status == 2
    assert words in said
    assert len([line for line in said.splitlines() if line.startswith("Cannot check: ")]) == 1
    assert "Traceback" not in said


def test_a_record_of_gigantic_size_is_refused(check, monkeypatch):
    monkeypatch.setattr(verifier, "LARGEST_RECORD", 1000)
    assert "longer than any record" in check(CSV + "B6," + "9" * 2000 + "\n")[1]
    assert "never closed" in check(CSV + '"' + "B6\n" * 2000)[1]


DAMAGED = {
    "another version": (report(encoding="crossing-parity/2"), "was made with crossing-parity/2"),
    "no checksums": (report(), "holds no checksums of crews"),
    "an unknown kind": (report(columns=[{"name": "reference", "kind": "money"}]), "is damaged"),
    "buckets that are none": (report(buckets=[[1, "x", "1", "1"]]), "is damaged"),
    "no buckets": (report(buckets=[]), "is damaged"),
    "a key that is no column": (report(key="id"), "is damaged"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_report_that_cannot_serve_is_told(check, case):
    of, words = DAMAGED[case]
    status, said = check(CSV, of=of, entity="crews" if case == "no checksums" else "flights")
    assert (status, words in said) == (2, True), said


def test_another_code_or_entity_is_told(check):
    assert "not the code of this report" in check(CSV, code="0" * 32)[1]
    assert "knows no “ships”; it has flights, crews" in check(CSV, entity="ships")[1]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": "x"}', "[" * 100_000, '{"format":"crossing-parity/1"}']
)
def test_another_file_than_a_report_is_told(tmp_path, capsys, content):
    (tmp_path / "r.json").write_text(content)
    assert verifier.main([str(tmp_path / "r.json"), "a=b", "--code", "c"]) == 2
    assert "is not the JSON file of a parity report" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(tmp_path, capsys):
    assert verifier.main([str(tmp_path / "r.json"), "a=b", "--code", "c"]) == 2
    assert capsys.readouterr().err.startswith("Cannot check: ")


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
def test_whatever_is_given_never_crashes(check, content):
    status, said = check(content)
    assert status == 2
    assert "Cannot check: " in said


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(CSV) - 2), st.sampled_from(["", "x", "0", '"', ",", "\n", "\ufeff"]))
def test_an_altered_export_never_agrees(check, place, instead):
    altered = CSV[:place] + instead + CSV[place + 1 :]
    status, said = check(altered)
    if altered != CSV and status == 0:  # a byte that means nothing, such as the 0 of 05.50
        assert list(verifier_rows(altered)) == list(verifier_rows(CSV)), said


def verifier_rows(text):
    """The export read by another reader, values compared as what they mean."""
    _, *lines = csv.reader(text.splitlines(keepends=True))
    for row in lines:
        yield [encoding.field(kind, value or None) for kind, value in zip(COLUMNS.values(), row, strict=True)]
