"""`manage.py spec`: every problem of a folder by file and line, one row explained, SQL that reads the same anywhere."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from jsonschema import Draft202012Validator

from tests.domain.test_mapping_spec import FOLDER, GOOD

SCHEMA = Path(__file__).parents[2] / "docs" / "mapping.schema.json"


def spec(*words: str) -> str:
    said = io.StringIO()
    call_command("spec", *words, stdout=said)
    return said.getvalue()


def failing(*words: str) -> tuple[str, str]:
    said = io.StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("spec", *words, stdout=said)
    return said.getvalue(), str(raised.value)


def folder(tmp_path: Path, **files: str) -> str:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return f"--folder={tmp_path}"


def test_the_demos_mapping_has_no_problem_and_no_warning() -> None:
    assert spec("check", "--strict", f"--folder={FOLDER}") == "4 files are a mapping; 0 warnings.\n"


def test_every_problem_is_named_with_its_line(tmp_path: Path) -> None:
    wrong = GOOD.replace("version: 1", "version: one").replace("title: Things", "titel: Things")
    said, error = failing("check", folder(tmp_path, a=wrong, b=GOOD.replace("trim(colour)", "trim(color)")))
    lines = said.splitlines()
    assert lines[0].startswith("a.yaml:3: version: 'one' is not of type 'integer'")
    assert lines[1].startswith("a.yaml:4: titel:")
    assert "b.yaml:17: let.plain: unknown name 'color'" in lines
    assert error.endswith("problems, 0 warnings.")


def test_what_is_not_answered_is_a_warning(tmp_path: Path) -> None:
    where = folder(tmp_path, things=GOOD.replace("  columns:\n", "  columns:\n    size: {class: public}\n", 1))
    assert "warning: things: nothing reads 'size'" in spec("check", where)
    assert failing("check", "--strict", where)[1] == "0 problems, 2 warnings."


def test_files_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    said, _ = failing("check", folder(tmp_path, a=GOOD.replace("title: Things", "title: Things\nafter: [others]")))
    assert "things comes after 'others', which no spec declares" in said


def test_one_row_is_explained_with_all_its_faults(tmp_path: Path) -> None:
    where = folder(tmp_path, things=GOOD)
    said = spec("explain", "things", where, "--row", '{"nr": 7, "colour": "X"}')
    assert "things@1+" in said
    assert "row 7" in said
    assert "colour = nothing    [value(plain, 'colours')]" in said
    assert "Rejected: The value of “colour” cannot be read." in said
    assert "Moved as it was" in spec("explain", "things", where, "--row", '{"nr": 7, "colour": " R "}')


def test_an_entity_is_explained_in_words(tmp_path: Path) -> None:
    said = spec("explain", "things", folder(tmp_path, things=GOOD))
    assert "colour: “plain” translated by the list “colours” (may be empty)" in said
    assert "rejected: no_colour. It has no colour." in said


def test_what_tells_of_changes_is_explained(tmp_path: Path) -> None:
    clock = GOOD.replace("  columns:\n", "  changed: {column: UPD TS, type: timestamp}\n  columns:\n", 1)
    said = spec("explain", "things", folder(tmp_path, things=clock))
    assert "caught up by “UPD TS”, which tells when a row changed last, taken as UTC" in said
    wrong = clock.replace("type: timestamp}", "type: date}")
    said, _ = failing("check", folder(tmp_path, things=wrong))
    assert said.startswith("things.yaml:10: source.changed.type: ")
    assert "timestamptz, or timestamp, which is taken as UTC" in said


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
def test_the_sql_of_each_dialect_is_shown(tmp_path: Path, dialect: str) -> None:
    shaped = GOOD.replace("when: is_null(colour)", "when: matches(colour, '[A-Z]+')")
    said = spec("compile", "things", f"--dialect={dialect}", folder(tmp_path, things=shaped))
    assert "-- things@1+" in said
    assert ("regexp_full_match" in said) is (dialect == "duckdb")
    assert "quarantined no_colour" in said


def test_what_changed_between_two_files_or_folders_is_told(tmp_path: Path) -> None:
    for name, text in (("old", GOOD), ("new", GOOD.replace("version: 1", "version: 2").replace("R: red", "R: rose"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "things.yaml").write_text(text)
    (tmp_path / "new" / "more.yaml").write_text(GOOD.replace("entity: things", "entity: more"))
    said = spec("diff", str(tmp_path / "old"), str(tmp_path / "new"))
    assert "more: added" in said
    assert ": 1 change\n  changed (lists) colours: R: becomes “red” → becomes “rose”" in said
    old = str(tmp_path / "old" / "things.yaml")
    assert ": 0 changes" in spec("diff", old, old)
    assert "No such file" in failing("diff", old, str(tmp_path / "gone.yaml"))[1]


def test_an_unknown_entity_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    assert "holds no .yaml file" in failing("check", f"--folder={tmp_path}")[1]
    assert "it knows things" in failing("explain", "stars", folder(tmp_path, things=GOOD))[1]


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert published == json.loads(spec("schema")), "docs/mapping.schema.json: `manage.py spec schema` writes it anew"
    Draft202012Validator.check_schema(published)


def test_a_limit_above_the_charters_is_a_warning(tmp_path: Path) -> None:
    where = folder(tmp_path, things=GOOD.replace("title: Things", "title: Things\nstop_above_percent: 0.2"))
    said = spec("check", where)
    assert "warning: things: stop_above_percent is 0.2, but the line stops above 0.1 % rejected rows; lower it" in said
    assert "stop_above_percent" not in spec(
        "check", folder(tmp_path, things=GOOD.replace("title: Things", "title: Things\nstop_above_percent: 0.1"))
    )
