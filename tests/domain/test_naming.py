"""Which rows name what another entity holds: told from a row alone, and where nothing can hang on what merely comes."""

from dataclasses import replace

from backfills.domain import catching, naming
from backfills.domain.spec import Spec, load
from backfills.domain.sql import Dialect
from tests.moving import SPECS

MAPPING = """
format: crossing-mapping/1
entity: lines
version: 1
title: Lines
after: [heads]
batch: 100
source:
  system: legacy
  table: inv_line
  tenant: cust
  key: {{column: nr, type: bigint}}
  columns: {{nr: {{class: public}}, head: {{class: public}}, kind: {{class: public}}, cust: {{class: public}}}}
target: {{table: platform.line, tenant: account_id, key: number}}
lookups: {{head: {{entity: heads, fields: [currency]}}}}
sets: {{old: [A, B]}}
let: {{name: trim(head), money: "lookup(name, 'head', 'currency')"}}
columns:
  number: {{is: bigint(nr), type: bigint, required: true, class: public}}
  head: {{is: "{head}", type: text, {guard}class: public}}
  currency: {{is: money, type: text, class: public}}
rules:
  - name: one
    when: {when}
    then: drop
    because: It stays behind.
"""


def spec(*, head: str = "name", guard: str = "references: head, ", when: str = "kind == 'X'") -> Spec:
    return replace(load(MAPPING.format(head=head, guard=guard, when=when)), batch=2)


def test_what_merely_comes_changes_nothing_where_rows_that_lack_it_are_rejected() -> None:
    assert naming.is_guarded(spec(), "head")
    assert not naming.is_guarded(spec(guard=""), "head")
    assert not naming.is_guarded(spec(head="upper(trim(head))"), "head"), "another name is guarded than is looked up"
    assert not naming.is_guarded(spec(when="money == 'EUR'"), "head"), "a row that was left behind might move"
    assert [naming.is_guarded(SPECS["flights"], one) for one in ("airport", "aircraft")] == [True, False]


def test_a_row_names_what_any_of_its_expressions_looks_up() -> None:
    row: dict[str, str | None] = {"nr": "1", "head": " H7 ", "kind": "A", "cust": "Z"}
    assert naming.names(spec(), row, {"head": ["H7", "H8"]})
    assert not naming.names(spec(), row, {"head": ["H", " H7 "]})
    assert not naming.names(spec(), {**row, "head": None}, {"head": ["H7"]})
    assert naming.names(spec(head="upper(kind)"), row, {"head": ["A"]}), "what is referred to is looked up too"
    columns = {name: f"s.{name}" for name in row}
    found = naming.condition(spec(), {"head": ["H7", "O'Hare"]}, dialect=Dialect.POSTGRES, columns=columns)
    assert found.endswith("COLLATE \"C\" IN ('H7', 'O''Hare'))")
    assert naming.condition(spec(), {"head": []}, dialect=Dialect.DUCKDB, columns=columns) == "FALSE"


def test_a_catch_up_reads_every_row_where_it_cannot_be_told_which_or_they_are_too_many() -> None:
    assert catching.why_whole(spec(), {"head": ["H7", "H8"]}) == ""
    many = catching.why_whole(spec(), {"head": ["H7", "H8", "H9"]})
    assert many == "More than 2 of heads changed, which they look up."
    nested = spec(head="lookup(name, 'head', 'currency')")
    assert not naming.is_told(nested, "head")
    assert "only the new platform can work out" in catching.why_whole(nested, {"head": ["H7"]})
    assert catching.why_whole(nested, {"head": []}) == ""
