"""Invariants that a mapping declares: judged from what both platforms' records say, and told as far as they may be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext

from backfills.domain import invariants as declarations
from backfills.domain.invariants import Must
from core.comparison import EXACT_DIGITS, Reckoned
from parity_reports.domain import redaction, verdict
from parity_reports.domain.invariants import Family, Invariant, Outcome, figure
from parity_reports.domain.redaction import Exposure, K

type Kept = Sequence[Sequence[int | str]]
"""Both sides of one invariant as JSON keeps them between segments: (rows, failed, figure) each."""

_FAMILIES: Mapping[Must, Family] = {
    Must.COUNT: Family.COUNT,
    Must.SUM: Family.SUM,
    Must.EVERY: Family.REFERENCE,
    Must.HOLDS: Family.RULE,
}
_NOTHING: Kept = ((0, 0, "0"), (0, 0, "0"))
_EACH = frozenset({Must.EVERY, Must.HOLDS})
"""What is asked of each record, so that a share of them passes."""


def added(
    before: Mapping[str, Kept], more: Mapping[str, tuple[Reckoned, Reckoned]]
) -> dict[str, list[list[int | str]]]:
    """Return what two segments say together, exactly."""
    together = {
        name: [kept + side for kept, side in zip(_sides(before.get(name, _NOTHING)), sides, strict=True)]
        for name, sides in more.items()
    }
    return {name: [[one.rows, one.failed, one.figure] for one in sides] for name, sides in together.items()}


def evaluate(
    declared: Iterable[declarations.Invariant], *, reckoned: Mapping[str, Kept], exposures: Mapping[str, Exposure]
) -> Iterator[Invariant]:
    """Yield the answer to every declared invariant; one of which nothing is known is unknown.

    It holds if it does on both platforms. Of what reads a restricted column, only counts are told, small ones as "<k".
    """
    for one in declared:
        public = all(exposures.get(column) is Exposure.PUBLIC for column in one.reads)
        exposure = Exposure.PUBLIC if public else Exposure.INTERNAL
        sides = _sides(reckoned.get(one.name, ()))
        if len(sides) != 2:
            yield _answer(one, Outcome.UNKNOWN)
        elif one.must in _EACH:
            yield _of_each(one, *sides, exposure=exposure)
        else:
            yield _of_figures(one, *sides, exposure=exposure)


def _sides(kept: Kept) -> list[Reckoned]:
    return [Reckoned(int(rows), int(failed), str(figure)) for rows, failed, figure in kept]


def _of_each(one: declarations.Invariant, legacy: Reckoned, new: Reckoned, *, exposure: Exposure) -> Invariant:
    holds = not legacy.failed and not new.failed
    expected, actual = (str(redaction.count(exposure, side.failed)) for side in (legacy, new))
    rates = [_rate(side, exposure) for side in (legacy, new) if side.rows]
    shown = _percent(*min(rates)) if rates else ""
    return _answer(one, Outcome.HOLDS if holds else Outcome.BROKEN, expected, actual, new.rows, shown)


def _rate(side: Reckoned, exposure: Exposure) -> tuple[Decimal, str]:
    """Return the share of records that pass, and "≥ " where the exact one would tell a small count."""
    if exposure is Exposure.INTERNAL and 0 < side.failed < K:
        return 1 - Decimal(min(K - 1, side.rows)) / side.rows, "≥ "
    return 1 - Decimal(side.failed) / side.rows, ""


def _percent(share: Decimal, mark: str) -> str:
    """Say a share in percent, never rounded up."""
    exact = share.quantize(Decimal("0.00001"), rounding=ROUND_FLOOR)
    return "100 %" if share == 1 else f"{mark}{verdict.share(exact, digits=3)}"


def _of_figures(one: declarations.Invariant, legacy: Reckoned, new: Reckoned, *, exposure: Exposure) -> Invariant:
    with localcontext(prec=EXACT_DIGITS):
        near = abs(Decimal(legacy.figure) - Decimal(new.figure)) <= one.within
    holds = near and not legacy.failed and not new.failed
    expected, actual = (_figure(one.must, side, exposure) for side in (legacy, new))
    return _answer(one, Outcome.HOLDS if holds else Outcome.BROKEN, expected, actual)


def _figure(must: Must, side: Reckoned, exposure: Exposure) -> str:
    if must is Must.COUNT:
        return str(redaction.count(exposure, int(side.figure)))
    return figure(side.figure) if exposure is Exposure.PUBLIC else ""


def _answer(
    one: declarations.Invariant,
    outcome: Outcome,
    expected: str = "",
    actual: str = "",
    checked: int | None = None,
    rate: str = "",
) -> Invariant:
    return Invariant(
        f"declared:{one.name}", one.says, _FAMILIES[one.must], outcome, expected, actual, checked=checked, rate=rate
    )
