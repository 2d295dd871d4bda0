"""A mapping told in plain words says what its expressions say, and leaves nothing out."""

from pathlib import Path

import pytest

from backfills.domain import plain
from backfills.domain.language import FUNCTIONS, OPERATORS, Type, parse
from backfills.domain.spec import load, load_set
from core.domain.declared import SpecError
from tests.domain.test_mapping_spec import FOLDER, GOOD

SPECS = load_set({path.name: path.read_text() for path in Path(FOLDER).glob("*.yaml")})


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("upper(trim(a))", "“a” without spaces around it in capital letters"),
        ("when(is_null(a), 'none', a)", "if “a” is empty: “none”; otherwise “a”"),
        ("not is_null(a)", "“a” is there"),
        ("round(decimal(a) * 1.5, 1)", "“a” as a number times 1.5, rounded to 1 place"),
        ("a != 'x' and one_of(a, 's')", "“a” is not “x” and “a” is in the list “s”"),
        ("lookup(a, 'airport', 'time_zone')", "the time zone of the airport “a”"),
        ("coalesce(a, None)", "“a” or else nothing"),
    ],
)
def test_expressions_are_said_in_words(expression: str, words: str) -> None:
    literals = {"set": frozenset("s"), "lookup": frozenset({"airport"}), "field": frozenset({"airport.time_zone"})}
    assert plain.say(parse(expression, names={"a": Type.TEXT}, literals=literals)) == words


def test_every_function_has_its_words() -> None:
    assert set(FUNCTIONS) <= set(plain._WORDS)
    assert {*plain._WORDS, *plain._SIGNS, "not"} >= OPERATORS


@pytest.mark.parametrize("entity", sorted(SPECS))
def test_the_demos_mapping_answers_for_every_column_and_every_kind_of_object(entity: str) -> None:
    told = plain.tell(SPECS[entity])
    assert plain.unread(SPECS[entity]) == ()
    assert [kind for kind, _ in told.cases] == list(plain.CASES.values())
    assert {one.name for one in told.fields} == {column.name for column in SPECS[entity].columns}


def test_what_is_dropped_says_why_and_since_when() -> None:
    told = plain.tell(SPECS["aircraft"])
    assert told.unread == (
        ("cruise_spd", "Almost no row holds a speed; the new platform has no such field.", "2026-10-01"),
    )


DROPPED = GOOD.replace("    colour: {class: internal}", "    colour: {class: internal, dropped: {because: Ugly.}}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (DROPPED, "12: colour is dropped, but 'plain' reads it"),
        (GOOD + "cases: {archived: nowhere}\n", "27: cases.archived: no rule 'nowhere'"),
        (GOOD + "cases: {lost: no_colour}\n", "27: cases.lost: Additional properties are not allowed"),
        (GOOD + "cases: {held: {none: ''}}\n", "27: cases.held:"),
        (
            GOOD.replace("public}", "public, dropped: {because: No., since: soon}}", 1),
            "11: source.columns.nr.dropped.since:",
        ),
    ],
)
def test_a_wrong_word_names_its_line(text: str, words: str) -> None:
    with pytest.raises(SpecError) as raised:
        load(text, file="things.yaml")
    assert str(raised.value).startswith(f"things.yaml:{words}")


def test_a_column_that_nothing_reads_is_noticed() -> None:
    assert plain.unread(load(GOOD.replace("  columns:\n", "  columns:\n    size: {class: public}\n", 1))) == ("size",)
