"""A key of several columns is one text: no two keys have the same, and each is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfills.domain import keys, source, spec
from core.domain.declared import SpecError

SOURCE = """\
format: crossing-mapping/1
entity: lines
version: 1
title: Lines
source:
  system: legacy
  table: moving.Old Lines
  tenant: Owner's "Id"
  key: {column: line, of: {player: text, year: bigint}}
  columns:
    player: {named: playerID, class: public}
    year: {class: public}
    doubles: {named: 2B, class: internal}
target: {table: new.line, tenant: account, key: code}
columns:
  code: {is: line, type: text, required: true, class: public}
  doubles: {is: int(doubles), type: integer, class: internal}
"""
LINES = spec.load(SOURCE)
MADE = "{column: line, of: {player: text, year: bigint}}"


def one(kind: str) -> spec.Spec:
    return spec.load(SOURCE.replace(MADE, f"{{column: year, type: {kind}}}").replace("is: line", "is: year"))


@given(st.text(), st.integers(-(2**62), 2**62), st.text(), st.integers(-9, 9))
def test_every_key_is_read_back_and_no_two_are_written_alike(player, year, other, another):
    key = keys.written(LINES, {"player": player, "year": str(year)})
    assert keys.parts(LINES, key) == (player, str(year))
    if (other, another) != (player, year):
        assert keys.written(LINES, {"player": other, "year": str(another)}) != key


def test_people_can_read_and_type_one():
    assert keys.written(LINES, {"player": "ruthba01", "year": "1920"}) == "ruthba01/1920"
    assert keys.written(LINES, {"player": "50%/50", "year": "1"}) == "50%25%2F50/1"
    assert keys.written(LINES, {"player": "ruthba01", "year": None}) is None
    assert keys.written(one("bigint"), {"year": "7"}) == "7"


@pytest.mark.parametrize("text", ["", "a", "a/", "a/x", "a/1/2", "a/99999999999999999999", "a/1 OR TRUE", "a/０"])
def test_what_cannot_be_a_key_is_none_and_finds_nothing(text):
    assert keys.parts(LINES, text) is None
    assert source.among(LINES, [text]) == "FALSE"
    assert source.bounded(LINES, ">", text) == "FALSE"


@pytest.mark.parametrize(
    ("kind", "key", "rejected"),
    [
        ("uuid", "2f1e0c5e-0000-4000-8000-00000000000a", "2f1e0c5e"),
        ("date", "2024-02-29", "2024-02-30"),
        ("bigint", "-9223372036854775807", "9223372036854775808"),
    ],
)
def test_a_key_is_of_its_type(kind, key, rejected):
    assert keys.parts(one(kind), key) == (key,)
    assert keys.parts(one(kind), rejected) is None


def test_rows_are_read_in_the_order_of_the_columns_and_not_of_the_text():
    assert sorted(["a/10", "b/1", "a/2", "B/3"], key=lambda key: keys.rank(LINES, key)) == ["B/3", "a/2", "a/10", "b/1"]


def test_legacys_own_names_are_asked_for_quoted_and_by_its_own_columns():
    assert source.of_tenant(LINES, "O'Neil") == (
        """FROM "moving"."Old Lines" AS s WHERE s."Owner's ""Id\"\"" = 'O''Neil'"""
    )
    assert source.order(LINES) == 's."playerID" COLLATE "C", s."year"'
    assert 's."2B"::text AS "doubles"' in source.selected(LINES)
    assert source.bounded(LINES, ">", "O'N/7") == """(s."playerID" COLLATE "C", s."year") > ('O''N', 7)"""
    assert source.among(LINES, ["a/1", "b/2"]) == """(s."playerID", s."year") IN (VALUES ('a', 1), ('b', 2))"""


def test_a_made_key_may_be_shown_only_where_all_of_it_may():
    assert LINES.source_columns["line"] is True
    hidden = spec.load(SOURCE.replace("year: {class: public}", "year: {class: internal}"))
    assert hidden.source_columns["line"] is False


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("{column: line}", "spec:9: the key has a `type`, or is made `of` several columns with one each"),
        ("{column: line, type: text, of: {player: text, year: bigint}}", "spec:9: the key has a `type`, or is made"),
        ("{column: line, of: {player: text, month: bigint}}", "spec:9: the key is not among the source columns: 'mon"),
        ("{column: year, of: {player: text, year: bigint}}", "spec:9: the key is made of several columns: 'year'"),
        ("{column: line, of: {player: text}}", "spec:9: source.key.of: "),
        ("{column: line, of: {player: text, year: float}}", "spec:9: source.key.of.year: 'float' is not one of"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_refused_with_its_line(key, words):
    with pytest.raises(SpecError) as raised:
        spec.load(SOURCE.replace(MADE, key))
    assert str(raised.value).startswith(words)
