"""A mapping that is wrong is refused before anything moves, and the refusal names the line."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from backfills.domain import evaluation
from backfills.domain.language import LENIENT, Type, parse
from backfills.domain.spec import Changed, Exported, Frozen, Spec, load, load_set
from core.domain.declared import SpecError

FOLDER = Path(__file__).parents[2] / "portal" / "demo" / "mapping"
GOOD = """\
format: crossing-mapping/1
entity: things
version: 1
title: Things
source:
  system: legacy
  table: old.thing
  tenant: owner
  key: {column: nr, type: bigint}
  columns:
    nr: {class: public}
    colour: {class: internal}
target: {table: new.thing, tenant: account, key: code}
tables:
  colours: {R: red, G: green}
let:
  plain: trim(colour)
columns:
  code: {is: nr, type: text, required: true, class: public}
  colour: {is: "value(plain, 'colours')", type: text, class: internal}
rules:
  - name: no_colour
    when: is_null(colour)
    then: quarantine
    because: It has no colour.
    fix: Give it one.
"""


def refusal(change: str, into: str) -> str:
    assert change in GOOD
    with pytest.raises(SpecError) as raised:
        load(GOOD.replace(change, into), file="things.yaml")
    return str(raised.value)


def test_the_good_one_is_read() -> None:
    spec = load(GOOD)
    assert (spec.entity, spec.key_type, [column.name for column in spec.columns]) == (
        "things",
        "bigint",
        ["code", "colour"],
    )
    assert spec.label.startswith("things@1+")
    assert spec.source_columns == {"nr": True, "colour": False}


@pytest.mark.parametrize(
    ("change", "into", "words"),
    [
        ("version: 1", "version: one", "things.yaml:3: version: 'one' is not of type 'integer'"),
        (
            "title: Things",
            "titel: Things",
            "things.yaml:4: titel: Additional properties are not allowed ('titel' was unexpected)",
        ),
        ("  colours: {R: red, G: green}", "  colours: {R: red, R: rot}", "things.yaml:15: 'R' stands twice"),
        ("trim(colour)", "trim(color)", "things.yaml:17: let.plain: unknown name 'color'"),
        ("trim(colour)", "eval(colour)", "things.yaml:17: let.plain: unknown function 'eval'"),
        ("trim(colour)", "colour.strip()", "things.yaml:17: let.plain: 'colour.strip()' is not part of the language"),
        ("trim(colour)", "trim(", "things.yaml:17: let.plain: 'trim(' is not an expression"),
        ("'colours')", "'shades')", "things.yaml:20: columns.colour.is: value: the spec declares no table 'shades'"),
        (
            "is: nr, type: text",
            "is: nr, type: integer",
            "things.yaml:19: columns.code: the expression is text, the column integer",
        ),
        ("key: code}", "key: colour}", "things.yaml:13: the target key must be a required column"),
        ("when: is_null(colour)", "when: colour", "things.yaml:23: rule no_colour: `when` is not a condition"),
        ("    fix: Give it one.\n", "", "things.yaml:22: rule no_colour: a quarantine says how to fix it"),
        ("  plain: trim", "  colour: trim", "things.yaml:17: let.colour: the name is taken"),
        ("  key: {column: nr,", "  key: {column: number,", "things.yaml:9: the key is not among the source columns"),
        (
            "    nr: {class",
            "    Nr: {class",
            "things.yaml:10: source.columns: 'Nr' is not a name of small letters, digits and single _",
        ),
        (
            "table: new.thing",
            "table: New.thing",
            "things.yaml:13: target.table: 'New.thing' is not a table's",
        ),
        (
            "type: text, class: internal",
            "type: uuid, class: internal",
            "things.yaml:20: columns.colour.type: 'uuid' is not one of smallint, integer, bigint, numeric(",
        ),
        ("  table: old.thing\n", "", "things.yaml:5: the source is a `table` (or view), or a `file`: one of them"),
        (
            "  table: old.thing\n",
            "  table: old.thing\n  file: a.csv\n",
            "things.yaml:8: the source is a `table` (or view), or",
        ),
        (
            "  table: old.thing\n",
            "  file: ../a.csv\n",
            "things.yaml:7: source.file: '../a.csv' is not the name of a .csv or",
        ),
        ("then: quarantine", "then: forget", "things.yaml:24: rules.0.then: 'forget' is not one of"),
        ("trim(colour)", f"{'trim(' * 150}colour{')' * 150}", "things.yaml:17: let.plain: an expression goes at most"),
        ("trim(colour)", "not " * 50_000 + "colour", "things.yaml:17: let.plain: 'not not "),
        ("trim(colour)", '"trim(\\0colour)"', "things.yaml:17: let.plain: 'trim("),
    ],
)
def test_a_wrong_one_names_its_line(change: str, into: str, words: str) -> None:
    assert refusal(change, into).startswith(words)


def test_what_is_not_yaml_names_its_line() -> None:
    with pytest.raises(SpecError, match=r"things.yaml:2: not YAML"):
        load("entity: things\n\tversion: 1\n", file="things.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [x]\nb: [*a, *a]\n", "things.yaml:2: not YAML: an alias (*) is not taken"),
        ("a: &a\n  b: *a\n", "things.yaml:2: not YAML: an alias (*) is not taken"),
        (f"a:\n  {'[' * 5_000}", "things.yaml:2: not YAML: more than 40 levels"),
        ("a: 1\nb: \x00\n", "things.yaml:2: not YAML: a character that no text holds"),
        (f"version: {'9' * 5_000}", "things.yaml: not YAML: a value that is none of its kind"),
        ("NO: x\n", "things.yaml:1: a name must be text: write it in quotes"),
        ("1: x\n", "things.yaml:1: a name must be text: write it in quotes"),
        ("? [a]\n: x\n", "things.yaml:1: a name must be text: write it in quotes"),
        (f"entity: [{'x' * 5_000}]", "things.yaml:1: entity: ['xxx"),
        ("", "things.yaml:1: None is not"),
    ],
    ids=["alias", "loop", "depth", "zero byte", "number", "Norway", "number as name", "list as name", "long", "empty"],
)
def test_what_was_made_to_break_the_reader_names_its_line(text: str, words: str) -> None:
    with pytest.raises(SpecError) as refused:
        load(text, file="things.yaml")
    assert str(refused.value).startswith(words)
    assert len(str(refused.value)) < 1_200


def test_specs_stand_in_an_order_in_which_each_finds_what_it_needs() -> None:
    files = {path.name: path.read_text() for path in FOLDER.glob("*.yaml")}
    order = list(load_set(files))
    assert order.index("aircraft_types") < order.index("aircraft") < order.index("flights")
    assert order.index("airports") < order.index("flights")


def test_the_example_of_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "integrating.md").read_text()
    spec = load(page.split("```yaml\n")[1].split("```")[0], file="docs/integrating.md")
    assert (spec.entity, spec.target_key) == ("invoices", "number")


def test_specs_that_wait_for_each_other_are_refused() -> None:
    first = GOOD.replace("title: Things", "title: Things\nafter: [others]")
    second = first.replace("entity: things", "entity: others").replace("[others]", "[things]")
    with pytest.raises(SpecError, match="each waits for the other"):
        load_set({"a.yaml": first, "b.yaml": second})


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os')",
        "(lambda: 1)()",
        "[a for a in a]",
        "a if a else a",
        "a[0]",
        "f'{a}'",
        "a.b",
        "concat(*a)",
        "trim(text=a)",
        "1 == 'a'",
        "not a",
        "a + 1",
        "matches(a, '.+')",
        "matches(a, '(?i)a')",
        "matches(a, '[')",
        "matches(a, a)",
        "round(1.5, a)",
        "12345678901",
        "when(a, 1, 2)",
        "1 < 2 < 3",
    ],
)
def test_nothing_outside_the_language_is_parsed(expression: str) -> None:
    with pytest.raises(SpecError):
        parse(expression, names={"a": Type.TEXT}, literals={})


def test_python_lets_the_same_functions_see_null_as_the_language_says() -> None:
    """Which functions pass an unreadable part on is decided from the language's list, in SQL too."""
    assert {*evaluation._LENIENT, "when"} == LENIENT


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("exported: {at: 2026-10-01}", "no moment with its offset"),
        ("exported: {at: '2026-10-01T06:00:00'}", "no moment with its offset"),
        ("exported: {column: upd, within_minutes: 5}", "says one of"),
        ("exported: {within_minutes: 0}", "within_minutes"),
        ("frozen: {since: '2026-02-30', because: It is.}", "no day 2026-02-30"),
        ("frozen: {since: '2026-02-28'}", "because"),
    ],
)
def test_an_age_that_a_source_cannot_have_names_its_line(declared: str, words: str) -> None:
    line = GOOD.splitlines().index("source:") + 2
    with pytest.raises(SpecError, match=words) as raised:
        load(GOOD.replace("source:\n", f"source:\n  {declared}\n"))
    assert raised.value.line == line


def test_a_source_says_as_of_when_it_is() -> None:
    def told(declared: str) -> Spec:
        return load(GOOD.replace("source:\n", f"source:\n  {declared}\n"))

    at = told("exported: {at: '2026-10-01T06:00:00+02:00'}").exported
    assert at == Exported(at=datetime(2026, 10, 1, 4, tzinfo=UTC))
    assert told("exported: {column: exp_ts, type: timestamp}").exported == Exported(
        column=Changed("exp_ts", "timestamp")
    )
    assert told("exported: {within_minutes: 5}").exported == Exported(within_minutes=5)
    frozen = told("frozen: {since: '2026-10-01', because: It is closed.}").frozen
    assert frozen == Frozen(date(2026, 10, 1), "It is closed.")
