"""Invariants: what must hold between the platforms, counted apart from the comparison of records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from core.comparison import EXACT_DIGITS, Measures
from parity_reports.domain import redaction
from parity_reports.domain.redaction import Exposure
from parity_reports.domain.verdict import Tally


class Family(StrEnum):
    """What an invariant is about."""

    COUNT = "count"
    SUM = "sum"
    UNIQUE = "unique"
    REFERENCE = "reference"
    RULE = "rule"


class Outcome(StrEnum):
    """Whether it holds."""

    HOLDS = "pass"
    BROKEN = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Invariant:
    """One invariant of an entity with its answer; the figures are empty where they may not be shown.

    What is asked of each record also says of how many (`checked`) and which share passes (`rate`); its figures count
    the records that break it, promised and new.
    """

    code: str
    title: str
    family: Family
    outcome: Outcome
    expected: str = ""
    actual: str = ""
    checked: int | None = None
    rate: str = ""


def evaluate(
    *,
    title: str,
    tally: Tally,
    measures: Measures,
    supplied: int,
    sums: Mapping[str, tuple[str, str]],
    exposures: Mapping[str, Exposure],
    sampled: bool = False,
) -> Iterator[Invariant]:
    """Yield every invariant of an entity: `title` is its plural, `supplied` what the mapping adds itself.

    Of one that was `sampled`, only those that the new platform's server answers alone: a sample has no counts and sums.
    """
    what = title[:1].lower() + title[1:]
    if not sampled:
        yield _equal(
            "source",
            f"Every legacy record of {what} is promised, merged or left behind by a named rule",
            Family.COUNT,
            measures.legacy_rows + supplied,
            tally.expected + tally.dropped,
        )
        kept = f", beside {tally.on_hold:,} kept under a hold" if tally.on_hold else ""
        yield _equal(
            "records",
            f"The new platform holds as many {what} as were promised{kept}",
            Family.COUNT,
            tally.expected + tally.on_hold,
            measures.new_rows,
        )
    yield _equal("unique", f"No key of {what} stands twice on the new platform", Family.UNIQUE, 0, measures.repeated)
    for column, count in measures.orphans.items():
        yield Invariant(
            code=f"reference:{column}",
            title=f"Every {_words(column)} of {what} refers to something that exists",
            family=Family.REFERENCE,
            outcome=Outcome.BROKEN if count else Outcome.HOLDS,
            expected="0",
            actual=str(redaction.count(exposures.get(column, Exposure.INTERNAL), count)),
        )
    for column, (expected, actual) in () if sampled else sums.items():
        shown = exposures.get(column) is Exposure.PUBLIC
        holds = Decimal(expected) == Decimal(actual)
        yield Invariant(
            code=f"sum:{column}",
            title=f"The sum of “{_words(column)}” over all {what} is the same",
            family=Family.SUM,
            outcome=Outcome.HOLDS if holds else Outcome.BROKEN,
            expected=figure(expected) if shown else "",
            actual=figure(actual) if shown else "",
        )


def unknown(*, title: str) -> Invariant:
    """Return the answer for an entity whose invariants could not be evaluated."""
    what = title[:1].lower() + title[1:]
    return Invariant("all", f"The invariants of {what} could not be evaluated", Family.COUNT, Outcome.UNKNOWN)


def added(one: Mapping[str, tuple[str, str]], two: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Return the exact sums of two segments together."""
    zero = ("0", "0")
    with localcontext(prec=EXACT_DIGITS):
        return {
            column: (
                str(Decimal(one.get(column, zero)[0]) + Decimal(two.get(column, zero)[0])),
                str(Decimal(one.get(column, zero)[1]) + Decimal(two.get(column, zero)[1])),
            )
            for column in {**one, **two}
        }


def _equal(code: str, title: str, family: Family, expected: int, actual: int) -> Invariant:
    outcome = Outcome.HOLDS if expected == actual else Outcome.BROKEN
    return Invariant(code, title, family, outcome, str(expected), str(actual))


def _words(column: str) -> str:
    return column.replace("_", " ")


def figure(number: str) -> str:
    """Write an exact number plainly, without zeros at its end."""
    with localcontext(prec=EXACT_DIGITS):
        exact = Decimal(number)
        return format(exact.normalize() if exact else Decimal(0), "f")
