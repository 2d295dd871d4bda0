"""Whose value a column keeps when a record is merged, and which rule fits which column."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from backfills.domain.merging import OnDrift
from backfills.domain.spec import load
from core.domain.declared import SpecError
from tests.domain.test_mapping_spec import GOOD


@pytest.mark.parametrize(
    ("rule", "legacy", "new", "keeps"),
    [
        (OnDrift.SOURCE, None, "new", False),
        (OnDrift.TARGET, "old", None, True),
        (OnDrift.GREATER, 1, 2, True),
        (OnDrift.GREATER, Decimal(2), Decimal("1.9"), False),
        (OnDrift.GREATER, date(2026, 1, 1), date(2026, 1, 2), True),
        (OnDrift.GREATER, None, 1, True),
        (OnDrift.GREATER, 1, None, False),
        (OnDrift.LESSER, 1, 2, False),
        (OnDrift.LESSER, 2, 1, True),
        (OnDrift.LESSER, None, 1, True),
        (OnDrift.LESSER, 1, None, False),
        (OnDrift.LONGER, "ab", "abc", True),
        (OnDrift.LONGER, "abc", "xyz", False),
        (OnDrift.LONGER, None, "", True),
        (OnDrift.LONGER, "", None, False),
        (OnDrift.FILLED, "old", "new", False),
        (OnDrift.FILLED, None, "new", True),
        (OnDrift.FILLED, "", "new", True),
        (OnDrift.FILLED, "", None, False),
    ],
)
def test_each_rule_says_whose_value_counts(rule: OnDrift, legacy: Any, new: Any, *, keeps: bool) -> None:
    assert rule.keeps(legacy, new) is keeps


def declared(rule: str, column: str = "colour", **more: str) -> str:
    said = {"class": "public", "on_drift": rule, **more}
    change = ", ".join(f"{key}: {value}" for key, value in said.items())
    if column == "code":
        return GOOD.replace("required: true, class: public", f"required: true, class: public, on_drift: {rule}")
    return GOOD.replace("type: text, class: internal", f"type: text, {change}")


def test_every_rule_has_its_words_and_times_their_own() -> None:
    assert all(rule.words("text") for rule in OnDrift)
    assert [OnDrift.LESSER.words(kind) for kind in ("numeric(12,2)", "date")] == [
        "the lesser value counts",
        "the earlier one counts",
    ]


@pytest.mark.parametrize("rule", ["source", "target", "longer", "filled"])
def test_a_text_has_its_rules(rule: str) -> None:
    assert load(declared(rule)).column("colour").on_drift == OnDrift(rule)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (declared("newest"), "20: columns.colour.on_drift: 'newest' is not one of ['source', 'target', 'greater'"),
        (declared("greater"), "20: columns.colour.on_drift: greater is for numbers, dates and moments, not for text"),
        (
            declared("longer", **{"class": "internal"}),
            "20: columns.colour.on_drift: longer would tell which of two values is longer, and the column is not",
        ),
        (declared("target", "code"), "19: columns.code.on_drift: the key is the same on both platforms"),
    ],
)
def test_what_does_not_fit_names_its_line(text: str, words: str) -> None:
    with pytest.raises(SpecError) as raised:
        load(text, file="things.yaml")
    assert str(raised.value).startswith(f"things.yaml:{words}")


@pytest.mark.parametrize(
    ("rule", "kind", "fits"),
    [(OnDrift.LONGER, "integer", False), (OnDrift.LESSER, "timestamptz", True), (OnDrift.FILLED, "boolean", False)],
)
def test_each_rule_fits_the_types_of_which_it_can_be_asked(rule: OnDrift, kind: str, *, fits: bool) -> None:
    assert (rule.misfit(kind, required=True, public=True) == "") is fits


def test_no_rule_that_weighs_two_values_is_for_hidden_ones() -> None:
    kinds = {OnDrift.GREATER: "date", OnDrift.LESSER: "integer"}
    refused = {rule for rule in OnDrift if rule.misfit(kinds.get(rule, "text"), required=False, public=False)}
    assert refused == {OnDrift.GREATER, OnDrift.LESSER, OnDrift.LONGER}
