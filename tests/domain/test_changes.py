"""What changed between two versions of a mapping is told whole, and nothing is told that did not."""

import pytest

from backfills.domain import changes
from backfills.domain.changes import Part
from backfills.domain.spec import load
from tests.domain.test_mapping_spec import GOOD
from tests.domain.test_plain import SPECS

OLD = load(GOOD)


def told(was: str, now: str) -> list[tuple[Part, str, str, str, str]]:
    assert was in GOOD
    found = changes.between(OLD, load(GOOD.replace(was, now)))
    return [(one.part, one.kind, one.name, one.before, one.after) for one in found]


@pytest.mark.parametrize("entity", sorted(SPECS))
def test_a_version_differs_in_nothing_from_itself_or_from_its_comments(entity: str) -> None:
    spec = SPECS[entity]
    assert changes.between(spec, spec) == ()
    assert changes.between(spec, load(f"# as agreed\n{spec.source_text}")) == ()


def test_fields_are_added_removed_and_changed() -> None:
    extra = "rules:", "  size: {is: colour, type: text, max: 3, class: public}\nrules:"
    words = "“colour”; text, may be empty, at most 3 characters; values may be shown"
    assert told(*extra) == [(Part.FIELD, "added", "size", "", words)]
    back = changes.between(load(GOOD.replace(*extra)), OLD)
    assert [(one.kind, one.name, one.after) for one in back] == [("removed", "size", "")]
    ((part, kind, name, before, after),) = told("type: text, class: internal", "type: text, class: public")
    assert (part, kind, name) == (Part.FIELD, "changed", "colour")
    assert before.endswith("; only the kind of a difference is shown")
    assert after.endswith("; values may be shown")


def test_whose_value_counts_when_merged_is_told() -> None:
    ((part, kind, name, _, after),) = told("class: internal}\nrules", "class: internal, on_drift: filled}\nrules")
    assert (part, kind, name) == (Part.FIELD, "changed", "colour")
    assert after.endswith("; when merged, legacy’s value counts, unless it is empty")


def test_rules_values_lists_and_limits_are_told() -> None:
    assert told("when: is_null(colour)", "when: is_null(plain)") == [
        (
            Part.RULE,
            "changed",
            "No colour",
            "If “colour” is empty: rejected until it is put right. It has no colour. Give it one.",
            "If “plain” is empty: rejected until it is put right. It has no colour. Give it one.",
        )
    ]
    assert told("plain: trim(colour)", "plain: upper(colour)") == [
        (Part.STEP, "changed", "plain", "“colour” without spaces around it", "“colour” in capital letters")
    ]
    assert told("G: green", "G: grey, B: blue") == [
        (Part.ENTRY, "changed", "colours: G", "becomes “green”", "becomes “grey”"),
        (Part.ENTRY, "added", "colours: B", "", "becomes “blue”"),
    ]
    assert told("title: Things", "title: Things\nstop_above_percent: 2") == [
        (Part.SETTING, "changed", "Stop the move", "above 0.1 % rejected rows", "above 2 % rejected rows")
    ]
    assert told("colour: {class: internal}", "colour: {class: public}") == [
        (Part.COLUMN, "changed", "colour", "read; only the kind of a difference is shown", "read; values may be shown")
    ]


def test_what_the_same_words_say_is_told_exactly() -> None:
    """Otherwise another pattern would be no change at all."""
    shaped = load(GOOD.replace("is_null(colour)", "matches(colour, '[A-Z]')"))
    other = load(GOOD.replace("is_null(colour)", "matches(colour, '[A-Y]')"))
    (found,) = changes.between(shaped, other)
    assert ("[A-Z]" in found.before, "[A-Y]" in found.after) == (True, True)


def test_the_order_of_rules_matters() -> None:
    second = "  - {name: odd, when: is_null(nr), then: drop, because: It has no number.}\n"
    one, two = load(GOOD + second), load(GOOD.replace("rules:\n", f"rules:\n{second}"))
    (found,) = changes.between(one, two)
    assert (found.before, found.after) == ("No colour, Odd", "Odd, No colour")


@pytest.mark.parametrize(
    ("was", "now", "reason"),
    [
        ("table: old.thing", "table: old.other", "other rows of legacy are read"),
        ("type: bigint}", "type: text}", "other rows of legacy are read"),
        ("table: new.thing", "table: new.other", "another table of the new platform"),
        ("account, key: code}", "owner, key: code}", "another table of the new platform"),
        ("rules:", "duplicates: {name: same, then: merge, because: One thing.}\nrules:", "treated otherwise"),
    ],
)
def test_rows_are_not_judged_again_by_what_is_another_move(was: str, now: str, reason: str) -> None:
    assert reason in changes.why_not_retried(OLD, load(GOOD.replace(was, now)))
    assert changes.why_not_retried(OLD, load(GOOD.replace("trim(colour)", "upper(colour)"))) == ""
