"""The smallest example of a kind: of that kind, not to be shrunk further, and blind to restricted values."""

from hypothesis import assume, given
from hypothesis import strategies as st

from core.comparison import UNREADABLE, ColumnDifference, Difference
from parity_reports.domain import examples
from parity_reports.domain.collecting import Collector
from parity_reports.domain.differences import ROW_KINDS, Kind, classify
from parity_reports.domain.examples import MADE_UP, Candidate, shrink
from parity_reports.domain.redaction import Exposure

TEXT = st.text(alphabet="aAbBéÉß 0123456789.:-Z\t", max_size=14)


@st.composite
def pairs(draw):
    """Two values that differ, often only a little: in case, spaces, digits, length."""
    value = draw(TEXT)
    at = draw(st.integers(0, len(value)))
    other = draw(
        st.sampled_from([value.swapcase(), value[:at] + " " + value[at:], value[:at], value + "0", value + ".4"])
        | TEXT
        | st.none()
    )
    assume(value != other)
    return (value, other) if draw(st.booleans()) else (other, value)


NUMBERS = st.decimals(-1000, 1000, places=3).map(str)
DIFFERING = pairs() | st.tuples(NUMBERS, NUMBERS).filter(lambda pair: pair[0] != pair[1])


def one_less(value):
    return [value[:at] + value[at + 1 :] for at in range(len(value or ""))]


@given(DIFFERING)
def test_what_is_shrunk_is_of_the_same_kind_a_part_of_the_values_and_cannot_be_shrunk_further(pair):
    kind = classify(*pair)
    small = shrink(kind, *pair)
    assert classify(*small) is kind
    assert small[0] != small[1]
    for before, after in zip(pair, small, strict=True):
        assert (before is None) == (after is None)
        letters = iter(before or "")
        assert all(letter in letters for letter in after or ""), "a subsequence"
    less = [(one, small[1]) for one in one_less(small[0])] + [(small[0], one) for one in one_less(small[1])]
    still = [one for one in less if one[0] != one[1] and classify(*one) is kind]
    emptied = [one for one in still if any(new == "" != old for old, new in zip(small, one, strict=True))]
    assert still == ([] if kind is Kind.WHITESPACE else emptied)
    if kind is not Kind.WHITESPACE:
        assert [new == "" for new in small] == [old == "" for old in pair], "no text becomes the empty one"


def test_the_essence_of_a_difference_is_what_stays():
    assert shrink(Kind.CASE, "John Smith", "john Smith") == ("J", "j")
    assert shrink(Kind.WHITESPACE, "New  York", "New York") == (" ", "")
    assert shrink(Kind.TRUNCATED, "Long name", "Long") == ("ge", "g")
    assert shrink(Kind.PRECISION, "12.345", "12.35") == ("2.34", "2.3")
    assert shrink(Kind.NULL, "Newark", None) == ("N", None)
    assert shrink(Kind.NULL, None, "") == (None, "")
    assert shrink(Kind.VALUE, "XX", "YY") == ("X", "Y")
    assert shrink(Kind.VALUE, "", "Newark") == ("", "k")
    assert shrink(Kind.VALUE, UNREADABLE, "1") == (UNREADABLE, "1")


@given(DIFFERING, DIFFERING, st.sampled_from(sorted(MADE_UP)))
def test_of_a_restricted_column_nothing_but_the_kind_has_a_part_in_the_example(one, two, kind):
    """Whatever the values: the same candidate, so the same choice and the same example."""
    closed = [
        Candidate.of(record="r", column="c", exposure=Exposure.INTERNAL, expected=pair[0], actual=pair[1])
        for pair in (one, two)
    ]
    assert closed[0] == closed[1]
    assert closed[0].example(kind) == closed[1].example(kind)
    assert closed[0].example(kind).made_up


def test_made_up_values_show_their_kind_and_there_are_some_for_every_kind_of_value():
    assert {kind: classify(*pair) for kind, pair in MADE_UP.items()} == {
        kind: kind for kind in Kind if kind not in ROW_KINDS
    }


def collected(differences):
    collector = Collector("people", {"open": Exposure.PUBLIC}, b"secret")
    for difference in differences:
        collector.add(difference)
    return examples.merged({}, collector.smallest)


ROWS = st.lists(
    st.builds(
        lambda number, column, pair: Difference(str(number), "different", (ColumnDifference(column, *pair),)),
        st.integers(0, 50),
        st.sampled_from(["open", "closed"]),
        DIFFERING,
    ),
    max_size=8,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_example_is_the_same_in_whatever_order_differences_come(rows, chance):
    whole = collected(rows)
    shuffled = chance.sample(rows, len(rows))
    assert collected(shuffled) == whole
    assert all(not whole[kind]["made_up"] for kind in whole if any(_is(row, kind, "open") for row in rows))


def _is(row, kind, column):
    (found,) = row.columns
    return found.column == column and classify(found.expected, found.actual).value == kind


def test_values_too_long_to_show_are_not_shrunk():
    long = Candidate.of(record="r", column="c", exposure=Exposure.PUBLIC, expected="x" * 5000, actual="x" * 4999)
    assert long.example(Kind.TRUNCATED).made_up


def test_a_record_as_a_whole_has_no_values():
    whole = Candidate.of(record="r", column="", exposure=Exposure.INTERNAL, expected=None, actual=None)
    assert whole.example(Kind.MISSING) == examples.Example("r", "", made_up=False, expected="", actual="")
