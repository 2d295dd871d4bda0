"""Charts: pure functions from numbers to SVG, the same for page, admin and PDF.

Colours stand as attributes (WeasyPrint ignores a page's CSS on inline SVG); on a page the classes override them,
in light and dark. Every chart names itself (`<title>`) and says what it shows (`<desc>`). Any input draws something
valid: numbers that are not finite count as missing, text is escaped, an empty series says that there is nothing yet.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape as _xml

ACCENT, MUTED, GRID, BAD, TRACK, PAPER = "#4f3fd0", "#5b6070", "#e3e5ea", "#c8322b", "#e3e5ea", "#ffffff"
SERIES = (ACCENT, "#0f8a8a", "#b7791f", "#b83280", "#6b7280", BAD)
"""Colours of categories; class `c0`…`c5` on a page."""

_LABEL_WIDTH = 117
"""Room that a label below an axis is given: a day and a time of day."""

FONT = 'font-family="Inter, InterPDF, sans-serif" font-size="11"'


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series; None where there was no measurement. A `flow` draws in red what `is_bad`."""

    label: str
    value: float | None
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A target line, with its words."""

    value: float
    label: str


def line(
    points: Sequence[Point],
    *,
    title: str,
    description: str = "",
    goal: Goal | None = None,
    unit: str = "",
    width: int = 820,
    height: int = 232,
    counts: bool = False,
    css: str = "plot",
) -> str:
    """Draw values over time with a goal; gaps stay gaps. The axis of `counts` begins at 0 and has whole steps."""
    values = [value for point in points if (value := _finite(point.value)) is not None]
    if not values:
        return _nothing(title, width, height)
    goals = [goal.value] if goal and _finite(goal.value) is not None else []
    scale = _Scale.around([*values, *goals], counts=counts)
    # Room for the widest number before the axis; a figure of this font is hardly wider than 0.62 of its height.
    widest = max(len(scale.label(tick) + unit) for tick in scale.ticks)
    box = _Box(left=min(width / 3, 14 + 7 * widest), right=width - 14, top=14, bottom=height - 26)
    parts = []
    for tick in scale.ticks:
        y = box.y(scale.part(tick))
        parts.append(
            f'<line class="grid" x1="{_n(box.left)}" x2="{_n(box.right)}" y1="{_n(y)}" y2="{_n(y)}" stroke="{GRID}"/>'
        )
        parts.append(_text(box.left - 6, y + 4, scale.label(tick) + unit, anchor="end"))
    runs = _runs([None if (v := _finite(p.value)) is None else scale.part(v) for p in points])
    for run in runs:
        spots = [(box.x(_share(i, len(points))), box.y(part)) for i, part in run]
        path = "L".join(f"{_n(x)} {_n(y)}" for x, y in spots)
        parts.append(
            f'<path class="area" d="M{_n(spots[0][0])} {box.bottom}L{path}L{_n(spots[-1][0])} {box.bottom}Z" '
            f'fill="{ACCENT}" fill-opacity=".12"/>'
            f'<path class="line" d="M{path}" fill="none" stroke="{ACCENT}" stroke-width="2" stroke-linejoin="round"/>'
        )
        if len(points) <= 60:
            parts += [
                f'<circle class="pt" cx="{_n(x)}" cy="{_n(y)}" r="2.5" fill="{PAPER}" stroke="{ACCENT}" '
                'stroke-width="2"/>'
                for x, y in spots
            ]
    if goal is not None and _finite(goal.value) is not None:
        y = box.y(scale.part(goal.value))
        parts.append(_across("goal", box, y, f'stroke="{BAD}" stroke-dasharray="4 4"'))
        # Above the line where there is room, and at the end from which the curve keeps away: it would cross the label.
        away = [abs(box.y(scale.part(end)) - y) for end in (values[0], values[-1])]
        x, anchor = (box.left + 4, "start") if away[0] >= away[1] else (box.right - 4, "end")
        parts.append(_text(x, y - 5 if y - 16 > box.top else y + 14, goal.label, anchor=anchor))
    every = max(1, math.ceil(len(points) / max(2, width // _LABEL_WIDTH)))
    for index, point in enumerate(points):
        if index % every == 0:
            share = _share(index, len(points))
            anchor = "start" if share == 0 else "end" if share == 1 else "middle"
            parts.append(_text(box.x(share), height - 8, point.label[:16], anchor=anchor))
    return _svg(title, description or _spoken(points, unit), width, height, parts, css=css)


def sparkline(values: Sequence[float | None], *, title: str, width: int = 240, height: int = 44) -> str:
    """Draw the trend of a figure, without axes; the figure itself stands beside it."""
    finite = [_finite(value) for value in values]
    known = [value for value in finite if value is not None]
    if len(known) < 2:
        return ""
    scale = _Scale(min(known), max(known), ())
    box = _Box(left=1, right=width - 1, top=4, bottom=height - 4)
    parts = []
    for run in _runs([None if value is None else scale.part(value) for value in finite]):
        path = "L".join(f"{_n(box.x(_share(i, len(finite))))} {_n(box.y(part))}" for i, part in run)
        first, last = box.x(_share(run[0][0], len(finite))), box.x(_share(run[-1][0], len(finite)))
        parts.append(
            f'<path class="area" d="M{_n(first)} {height}L{path}L{_n(last)} {height}Z" fill="{ACCENT}" '
            f'fill-opacity=".12"/><path class="line" d="M{path}" fill="none" stroke="{ACCENT}" stroke-width="2" '
            'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
        )
    ends, extremes = (known[0], known[-1]), (min(known), max(known))
    said = "From {} to {}, lowest {}, highest {}.".format(*map(_figure, (*ends, *extremes)))
    return _svg(title, said, width, height, parts, stretch=True)


def bars(rows: Sequence[Point], *, title: str, description: str = "", unit: str = "", width: int = 500) -> str:
    """Draw one horizontal bar per row, its label before and its figure behind it."""
    if not rows:
        return _nothing(title, width, 96)
    step, label_width, figure_width = 30, 130, 80
    top = max([abs(value) for row in rows if (value := _finite(row.value)) is not None], default=0.0) or 1.0
    space = width - label_width - figure_width
    parts = []
    for index, row in enumerate(rows):
        y = index * step + 6
        value = _finite(row.value)
        length = 0.0 if value is None else _part(abs(value), top) * space
        parts.append(_text(label_width - 10, y + 13, _cut(row.label, 20), anchor="end"))
        parts.append(
            f'<rect class="track" x="{label_width}" y="{y}" width="{space}" height="18" rx="4" fill="{TRACK}"/>'
        )
        if length:
            parts.append(
                f'<rect class="c0" x="{label_width}" y="{y}" width="{_n(max(length, 2))}" height="18" rx="4" '
                f'fill="{ACCENT}"/>'
            )
        words = "no data" if value is None else _figure(value) + unit
        parts.append(_text(label_width + space + 8, y + 13, words, strong=True))
    return _svg(title, description or _spoken(rows, unit), width, len(rows) * step + 6, parts, css="plot natural")


def flow(
    source: str, outcomes: Sequence[Point], *, title: str, description: str = "", width: int = 500, height: int = 0
) -> str:
    """Draw where everything from one source ended: one ribbon per outcome, as thick as its share.

    An outcome of nothing keeps its label and a hairline, so that "0 quarantined" is said rather than left out. The red
    is for what is bad alone.
    """
    if not outcomes:
        return _nothing(title, width, 96)
    counts = [max(0.0, _finite(outcome.value) or 0.0) for outcome in outcomes]
    total = math.fsum(_part(count, max([*counts, 1.0])) for count in counts)
    height = height or max(120, 44 * len(outcomes))
    gap, left, right = 10.0, 22.0, width - 200.0
    room = max(20.0, height - gap * (len(outcomes) + 1))
    largest = max([*counts, 1.0])
    parts, y_left, y_right = [], (height - room) / 2, gap
    parts.append(f'<rect class="c0" x="8" y="{_n(y_left)}" width="10" height="{_n(room)}" rx="3" fill="{ACCENT}"/>')
    for index, (outcome, count) in enumerate(zip(outcomes, counts, strict=True)):
        share = _part(count, largest) / total if total else 0.0
        thick = share * room
        kind = len(SERIES) - 1 if outcome.is_bad else index % (len(SERIES) - 1)
        colour, css = SERIES[kind], f"c{kind}"
        middle = (left + right) / 2
        if thick:
            parts.append(
                f'<path class="{css}" d="M{_n(left)} {_n(y_left)}C{_n(middle)} {_n(y_left)} {_n(middle)} {_n(y_right)} '
                f"{_n(right)} {_n(y_right)}V{_n(y_right + thick)}C{_n(middle)} {_n(y_right + thick)} {_n(middle)} "
                f'{_n(y_left + thick)} {_n(left)} {_n(y_left + thick)}Z" fill="{colour}" fill-opacity=".28"/>'
            )
        parts.append(
            f'<rect class="{css}" x="{_n(right)}" y="{_n(y_right)}" width="8" height="{_n(max(thick, 1.5))}" rx="3" '
            f'fill="{colour}"/>'
        )
        label_y = y_right + max(thick, 8) / 2 + 4
        parts.append(_text(right + 16, label_y, f"{_cut(outcome.label, 24)}", strong=True))
        parts.append(_text(width - 4, label_y, _figure(count), anchor="end"))
        y_left += thick
        y_right += max(thick, 8.0) + gap
    said = description or f"{source}: " + "; ".join(
        f"{_figure(count)} {outcome.label}" for outcome, count in zip(outcomes, counts, strict=True)
    )
    return _svg(title, said, width, max(height, math.ceil(y_right)), parts, css="plot natural")


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    right: float
    top: float
    bottom: float

    def x(self, share: float) -> float:
        return self.left + share * (self.right - self.left)

    def y(self, part: float) -> float:
        return self.bottom - part * (self.bottom - self.top)


@dataclass(frozen=True, slots=True)
class _Scale:
    """A value axis: its ends, and where its lines stand."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def around(cls, values: Sequence[float], *, counts: bool = False) -> "_Scale":
        """Return a scale with about four round steps that holds every value; of counts from 0 in whole steps."""
        low, high = min(values), max(values)
        if counts:
            low, high = min(low, 0.0), max(high, 4.0)
        elif high - low <= max(abs(low), abs(high)) * 1e-9:
            pad = abs(high) * 0.05 or 1.0
            low, high = low - pad, high + pad
        # Halves first: the distance of two huge numbers of opposite sign is no float any more.
        raw = (high / 4 - low / 4) or 1.0
        size = max(10.0 ** math.floor(math.log10(raw)), 1e-300)
        sizes = (1, 2, 5, 10) if counts else (1, 2, 2.5, 5, 10)
        step = next((size * m for m in sizes if size * m >= raw * 0.999), size * 10)
        first, last = math.floor(low / step), math.ceil(high / step)
        ticks = tuple(tick for n in range(int(first), int(last) + 1) if math.isfinite(tick := n * step))
        if len(ticks) < 2 or len(ticks) > 12:
            return cls(low, high, (low, high))
        return cls(min(ticks[0], low), max(ticks[-1], high), ticks)

    def part(self, value: float) -> float:
        """Return where a value stands between the ends, 0 to 1."""
        span = self.high / 2 - self.low / 2
        if not span:
            return 0.5
        return min(1.0, max(0.0, (value / 2 - self.low / 2) / span))

    def label(self, tick: float) -> str:
        step = self.ticks[1] / 2 - self.ticks[0] / 2
        decimals = 0 if step <= 0 else min(6, max(0, -math.floor(math.log10(step * 2) + 1e-9)))
        if step and round(step * 2, decimals) != step * 2:
            decimals = min(6, decimals + 1)
        return _figure(tick) if abs(tick) >= 1e6 else f"{tick:,.{decimals}f}"


def _across(css: str, box: _Box, y: float, paint: str) -> str:
    return f'<line class="{css}" x1="{_n(box.left)}" x2="{_n(box.right)}" y1="{_n(y)}" y2="{_n(y)}" {paint}/>'


def _runs(parts: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Split a series at its gaps."""
    runs: list[list[tuple[int, float]]] = [[]]
    for index, part in enumerate(parts):
        if part is None:
            runs.append([])
        else:
            runs[-1].append((index, part))
    return [run for run in runs if run]


def _share(index: int, count: int) -> float:
    return 0.5 if count < 2 else index / (count - 1)


def _part(value: float, whole: float) -> float:
    return min(1.0, value / whole) if whole else 0.0


def _finite(value: float | None) -> float | None:
    """Return a number that can be computed with; what is beyond any axis stands at its end."""
    if value is None or math.isnan(value) or math.isinf(value):
        return None
    return min(1e300, max(-1e300, float(value)))


def _n(number: float) -> str:
    """Write a coordinate shortly."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _figure(value: float) -> str:
    """Write a figure for reading: 1,204 · 4.82 M · 99.97."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:,.2f} {letter}" if abs(value) < 1e15 else f"{value:.3g}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _clean(text: str) -> str:
    """Escape text, and drop what no XML document may hold."""
    legal = "".join(character for character in text if _is_legal(ord(character)))
    return _xml(legal, {'"': "&quot;"})


def _is_legal(code: int) -> bool:
    return code in (9, 10) or (code >= 32 and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF))


def _text(x: float, y: float, text: str, *, anchor: str = "start", strong: bool = False) -> str:
    emphasis = ' class="strong" font-weight="600"' if strong else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" fill="{MUTED}" {FONT}{emphasis}>{_clean(text)}</text>'


def _spoken(points: Sequence[Point], unit: str) -> str:
    known = [(point.label, value) for point in points if (value := _finite(point.value)) is not None]
    if not known:
        return "No data yet."
    (first, start), (last, end) = known[0], known[-1]
    return f"{len(known)} values, from {_figure(start)}{unit} ({first}) to {_figure(end)}{unit} ({last})."


def _nothing(title: str, width: int, height: int) -> str:
    return _svg(title, "No data yet.", width, height, [_text(width / 2, height / 2, "No data yet", anchor="middle")])


def _svg(
    title: str,
    description: str,
    width: int,
    height: int,
    parts: Iterable[str],
    *,
    stretch: bool = False,
    css: str = "plot",
) -> str:
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg class="{css}" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}"{ratio}>'
        f"<title>{_clean(title)}</title><desc>{_clean(description)}</desc>{''.join(parts)}</svg>"
    )
