"""Charts draw valid SVG for any numbers and any words."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import charts
from core.charts import Goal, Point

NUMBERS = st.none() | st.floats() | st.integers(-(10**18), 10**18).map(float)
POINTS = st.lists(st.builds(Point, st.text(max_size=30), NUMBERS), max_size=80)
SVG = "{http://www.w3.org/2000/svg}"


def parse(svg: str) -> ElementTree.Element:
    """Read a chart as a browser would, with every coordinate a finite number."""
    root = ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    for node in root.iter():
        for name, value in node.attrib.items():
            if name in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"}:
                assert math.isfinite(float(value)), (name, value)
            if name == "d":
                numbers = value.translate(str.maketrans("MLCVZ", "     ")).split()
                assert all(math.isfinite(float(number)) for number in numbers), value
            if name in {"width", "height"}:
                assert float(value) >= 0
    return root


@given(POINTS, st.none() | st.builds(Goal, st.floats(), st.text(max_size=30)), st.text(max_size=60))
def test_a_line_is_drawn_for_any_series(points: list[Point], goal: Goal | None, title: str) -> None:
    root = parse(charts.line(points, title=title, goal=goal, unit="%"))
    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}desc") is not None


@given(st.lists(st.none() | st.integers(0, 10**14), min_size=1, max_size=40))
@example([10])  # a quarter of it is no whole number
def test_counts_stand_on_an_axis_that_begins_at_zero_and_has_whole_steps(numbers: list[int | None]) -> None:
    points = [Point("a", number) for number in numbers]
    root = parse(charts.line(points, title="Counts", counts=True, width=420))
    ticks = [node.text or "" for node in root.findall(f"{SVG}text[@text-anchor='end']")]
    if any(number is not None for number in numbers):
        assert ticks[0] == "0"
        assert not any("." in tick and tick[-1].isdigit() for tick in ticks)


@given(st.lists(NUMBERS, max_size=80))
def test_a_sparkline_is_drawn_for_any_series(values: list[float | None]) -> None:
    svg = charts.sparkline(values, title="Trend")
    if svg:
        parse(svg)
    else:
        assert sum(value is not None and math.isfinite(value) for value in values) < 2


@given(POINTS)
def test_bars_and_flow_are_drawn_for_any_rows(points: list[Point]) -> None:
    parse(charts.bars(points, title="Bars"))
    parse(charts.flow("Source", points, title="Flow"))


def test_a_gap_stays_a_gap() -> None:
    points = [Point("a", 1.0), Point("b", 2.0), Point("c", None), Point("d", 3.0), Point("e", 4.0)]
    root = parse(charts.line(points, title="With a gap"))
    assert len(root.findall(f"{SVG}path[@class='line']")) == 2


def test_words_are_escaped() -> None:
    svg = charts.bars([Point("</svg><script>alert(1)</script>", 3)], title='"><script>')
    assert "<script" not in svg
    parse(svg)


def test_the_goal_is_drawn_where_its_value_stands() -> None:
    root = parse(charts.line([Point("a", 0.0), Point("b", 100.0)], title="T", goal=Goal(50, "target 50")))
    goal = root.find(f"{SVG}line[@class='goal']")
    assert goal is not None
    lines = [float(line.attrib["y1"]) for line in root.findall(f"{SVG}line[@class='grid']")]
    assert float(goal.attrib["y1"]) == pytest.approx((min(lines) + max(lines)) / 2, abs=0.1)


def test_nothing_to_draw_is_said() -> None:
    assert "No data yet" in charts.line([Point("a", math.nan)], title="Empty")


def test_ribbons_of_a_flow_are_as_thick_as_their_share() -> None:
    root = parse(charts.flow("All", [Point("kept", 75), Point("dropped", 25)], title="Flow"))
    kept, dropped = (float(rect.attrib["height"]) for rect in root.findall(f"{SVG}rect")[1:])
    assert kept / dropped == pytest.approx(3, rel=0.01)


def test_the_red_of_a_flow_is_for_what_is_bad() -> None:
    points = [Point(f"kept {n}", 1) for n in range(6)] + [Point("rejected", 1, is_bad=True)]
    drawn = [rect.attrib["fill"] for rect in parse(charts.flow("All", points, title="Flow")).findall(f"{SVG}rect")[1:]]
    assert [colour == charts.BAD for colour in drawn] == [False] * 6 + [True]


@pytest.mark.parametrize(
    ("value", "words"), [(1204, "1,204"), (4_820_000, "4.82 M"), (99.97, "99.97"), (0, "0"), (2.5e9, "2.50 G")]
)
def test_figures_are_written_for_reading(value: float, words: str) -> None:
    assert words in charts.bars([Point("x", value)], title="Figures")
