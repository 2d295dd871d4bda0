"""The verdict: equal, different or incomplete, and whether the charter's targets are met."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

PARITY_ERROR_TARGET = Decimal("0.001")
"""At most 0.1 % of the compared records may differ (charter: dual-run parity error rate)."""

INVARIANT_TARGET = Decimal("0.999")
"""At least 99.9 % of the invariants must hold (charter: invariant pass rate)."""


class Verdict(StrEnum):
    """What a comparison ended with. Nothing that was not wholly compared is ever called equal.

    `SAMPLED`: a sample was compared, and none of it differs.
    """

    EQUAL = "equal"
    DIFFERENT = "different"
    INCOMPLETE = "incomplete"
    SAMPLED = "sampled"


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one entity, or of several together.

    `expected` are the legacy records that must arrive (those dropped by a named rule are in `dropped` and not
    here; rejected and quarantined ones are here and so count as missing). `compared` are the distinct keys of
    either platform. A record counts once among the errors, however many of its columns differ. `on_hold` is counted
    nowhere else: what stays on the new platform under a legal hold although legacy asks for it no more.
    """

    expected: int = 0
    actual: int = 0
    compared: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    duplicate: int = 0
    dropped: int = 0
    on_hold: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def errors(self) -> int:
        """Records that do not agree."""
        return self.missing + self.extra + self.different + self.duplicate

    @property
    def equal(self) -> int:
        """Records that agree in every column."""
        return self.compared - self.errors

    @property
    def error_rate(self) -> Decimal:
        """Errors per compared record, between 0 and 1; 0 when nothing was compared."""
        return Decimal(self.errors) / self.compared if self.compared else Decimal(0)


def of_entity(
    tally: Tally, *, segments_done: int, segments_total: int | None, failed: bool, sampled: bool = False
) -> Verdict:
    """Judge one entity; a segment not compared makes it incomplete whatever the others say."""
    if failed or segments_total is None or segments_done != segments_total:
        return Verdict.INCOMPLETE
    if tally.errors:
        return Verdict.DIFFERENT
    return Verdict.SAMPLED if sampled else Verdict.EQUAL


def of_report(
    entities: Sequence[Verdict], *, compared: int, unknown_invariants: int, broken_invariants: int
) -> Verdict:
    """Judge a report: incomplete if anything is, or if there was nothing to compare; else different if anything is.

    It is equal only if every entity was wholly compared.
    """
    if not entities or not compared or unknown_invariants or Verdict.INCOMPLETE in entities:
        return Verdict.INCOMPLETE
    if Verdict.DIFFERENT in entities or broken_invariants:
        return Verdict.DIFFERENT
    return Verdict.SAMPLED if Verdict.SAMPLED in entities else Verdict.EQUAL


def pass_rate(*, passed: int, total: int) -> Decimal:
    """Return the share of invariants that hold; 0 when none was evaluated (nothing proves nothing)."""
    return Decimal(passed) / total if total else Decimal(0)


def share(number: Decimal, *, digits: int = 2) -> str:
    """Say a share in percent, never rounded up to a full 100 nor down to a clean 0."""
    percent = 100 * number
    step = Decimal(1).scaleb(-digits)
    shown = percent.quantize(step)
    if shown == 100 and percent < 100:
        shown = 100 - step
    if shown == 0 and percent > 0:
        return f"<{step} %"
    return f"{shown:f} %"


def breaches(tally: Tally, *, passed: int, total: int) -> dict[str, str]:
    """Say in which of the charter's two targets whole results fail, and how: by “parity” and “invariants”."""
    told = {}
    if tally.error_rate > PARITY_ERROR_TARGET:
        told["parity"] = (
            f"{tally.errors:,} of {tally.compared:,} records differ ({share(tally.error_rate)}, target 0.1 %)"
        )
    if total and (rate := pass_rate(passed=passed, total=total)) < INVARIANT_TARGET:
        broken = total - passed
        told["invariants"] = (
            f"{broken:,} of {total:,} invariants {'does' if broken == 1 else 'do'} not hold"
            f" ({share(rate, digits=1)} pass, target 99.9 %)"
        )
    return told


def within_targets(tally: Tally, *, passed: int, total: int) -> bool:
    """Say whether both charter targets are met."""
    return tally.error_rate <= PARITY_ERROR_TARGET and pass_rate(passed=passed, total=total) >= INVARIANT_TARGET
