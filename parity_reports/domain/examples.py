"""The smallest case of each kind of difference: a pair of values shrunk until nothing more can go.

Only public values are shrunk. For every other column the pair is the same made-up one whatever the values are, so that
an example of a restricted column says its kind and nothing else: a mask of the values would still tell their shape.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.comparison import UNREADABLE
from parity_reports.domain import redaction
from parity_reports.domain.differences import ROW_KINDS, Kind, classify
from parity_reports.domain.redaction import LONGEST_SHOWN, Exposure, Shown

type Pair = tuple[str | None, str | None]

MADE_UP: Mapping[Kind, Pair] = {
    Kind.NULL: ("a", None),
    Kind.CASE: ("A", "a"),
    Kind.WHITESPACE: ("a ", "a"),
    Kind.PRECISION: ("9.99", "9.9"),
    Kind.TRUNCATED: ("aaa", "aa"),
    Kind.VALUE: ("a", "b"),
}
"""What stands for a difference whose values may not be shown."""


@dataclass(frozen=True, slots=True)
class Example:
    """One difference as the customer may see it; a whole record has no values. `made_up` ones are nobody's values."""

    record: str
    column: str
    made_up: bool
    expected: str
    actual: str

    @property
    def rank(self) -> tuple[object, ...]:
        """Order examples of one kind: real ones first, then the smallest; the same whatever order they come in."""
        return self.made_up, len(self.expected) + len(self.actual), self.expected, self.actual, self.column, self.record


@dataclass(frozen=True, slots=True)
class Candidate:
    """A difference that may become its kind's example: raw values, which go no further than `Candidate.example`."""

    record: str
    column: str
    is_public: bool
    expected: str | None
    actual: str | None

    @classmethod
    def of(
        cls, *, record: str, column: str, exposure: Exposure, expected: str | None, actual: str | None
    ) -> "Candidate":
        """Take a difference; the values of a restricted column, and those too long to show, are forgotten at once."""
        length = max(len(expected or ""), len(actual or ""))
        if not column or exposure is not Exposure.PUBLIC or length > LONGEST_SHOWN:
            return cls(record, column, is_public=False, expected=None, actual=None)
        return cls(record, column, is_public=True, expected=expected, actual=actual)

    @property
    def rank(self) -> tuple[object, ...]:
        """Order candidates before they are shrunk. Restricted values have no part in it: also the choice would tell."""
        length = len(self.expected or "") + len(self.actual or "")
        return not self.is_public, length, self.expected or "", self.actual or "", self.column, self.record

    def beats(self, *, column: str, exposure: Exposure, expected: str | None, actual: str | None) -> bool:
        """Say whether this one surely stays the example; False where it takes a closer look."""
        if exposure is not Exposure.PUBLIC or not self.is_public:
            return exposure is not Exposure.PUBLIC and (self.is_public or column > self.column)
        one, two = (self.expected or "", self.actual or ""), (expected or "", actual or "")
        return (sum(map(len, two)), *two) > (sum(map(len, one)), *one)

    def example(self, kind: Kind) -> Example:
        """Return the smallest case of the difference."""
        if kind in ROW_KINDS:
            return Example(self.record, "", made_up=False, expected="", actual="")
        pair = shrink(kind, self.expected, self.actual) if self.is_public else MADE_UP[kind]
        shown: Shown = redaction.values(Exposure.PUBLIC, expected=pair[0], actual=pair[1])
        return Example(self.record, self.column, not self.is_public, shown.expected, shown.actual)


def merged(before: Mapping[str, Mapping[str, object]], more: Mapping[Kind, Candidate]) -> dict[str, dict[str, object]]:
    """Return the smallest example of each kind, as JSON values, of those that are kept and of new candidates."""
    kept = {kind: read(example) for kind, example in before.items()}
    for kind, candidate in more.items():
        found = candidate.example(kind)
        kept[kind.value] = min(kept.get(kind.value, found), found, key=lambda example: example.rank)
    return {kind: {name: getattr(example, name) for name in Example.__slots__} for kind, example in kept.items()}


def read(stored: Mapping[str, object]) -> Example:
    """Return an example that was kept as JSON values."""
    record, column, expected, actual = (str(stored[name]) for name in ("record", "column", "expected", "actual"))
    return Example(record, column, bool(stored["made_up"]), expected, actual)


def shrink(kind: Kind, expected: str | None, actual: str | None) -> Pair:
    """Return the two values with characters taken away until taking any one more would change the kind.

    What both have in common goes first. A value keeps a character unless spaces are what differs, for the empty text is
    another matter; what the mapping could not read stays as it is called.
    """
    pair: Pair = (expected, actual)
    if UNREADABLE in pair:
        return pair
    while True:
        smaller = next((one for one in _smaller(*pair) if _shows(kind, *one) and _keeps(kind, pair, one)), None)
        if smaller is None:
            return pair
        pair = smaller


def _shows(kind: Kind, expected: str | None, actual: str | None) -> bool:
    return expected != actual and classify(expected, actual) is kind


def _keeps(kind: Kind, before: Pair, after: Pair) -> bool:
    return kind is Kind.WHITESPACE or all(new != "" or old == "" for old, new in zip(before, after, strict=True))


def _smaller(expected: str | None, actual: str | None) -> Iterator[Pair]:
    """Yield pairs with something taken away, the largest pieces first."""
    if expected is None or actual is None:
        value = expected if actual is None else actual
        for shorter in (value[: len(value) // 2], value[:-1]) if value else ():
            yield (shorter, None) if actual is None else (None, shorter)
        return
    for size in _sizes(_common(expected, actual)):
        yield expected[size:], actual[size:]
    for size in _sizes(_common(expected[::-1], actual[::-1])):
        yield expected[: len(expected) - size], actual[: len(actual) - size]
    for at in range(min(len(expected), len(actual))):
        yield _without(expected, at), _without(actual, at)
    for at in range(len(expected)):
        yield _without(expected, at), actual
    for at in range(len(actual)):
        yield expected, _without(actual, at)


def _common(one: str, two: str) -> int:
    return next(
        (at for at, (left, right) in enumerate(zip(one, two, strict=False)) if left != right), min(len(one), len(two))
    )


def _sizes(most: int) -> Iterator[int]:
    while most:
        yield most
        most //= 2


def _without(value: str, at: int) -> str:
    return value[:at] + value[at + 1 :]
