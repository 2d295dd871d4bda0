"""The engine ladder: in which way an entity is compared, and why, in one sentence for the customer.

Only the row by row comparison is evidence for a go/no-go. Checksums and samples say less, cost less, and say so.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from core.comparison import Survey
from parity_reports.domain import sampling


class Method(StrEnum):
    """What was asked for."""

    FULL = "full"
    CHECKSUMS = "checksums"
    SAMPLE = "sample"

    @property
    def words(self) -> str:
        """Return the name as the customer reads it."""
        return _TITLES[self]


_TITLES = {Method.FULL: "Full comparison", Method.CHECKSUMS: "By checksums", Method.SAMPLE: "Sample"}


class Engine(StrEnum):
    """The way in which an entity is compared."""

    TYPED = "typed"
    PUSHDOWN = "pushdown"
    SAMPLED = "sampled"


@dataclass(frozen=True, slots=True)
class Last:
    """The entity in the last full comparison: the share that differed and the speed, in records a second."""

    error_rate: Decimal
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """How to compare; `because` is one sentence, `one_in` the sample's share."""

    engine: Engine
    because: str
    one_in: int = 1


SMALL = 10_000
"""Up to so many records, reading all of them costs as little as anything else."""

SPEED = 350_000.0
"""Records a second that the row by row comparison reads where nothing was measured yet."""

WINDOW = timedelta(hours=4)
"""What a comparison may take; beyond it another place for it is advised."""

TOO_MANY = Decimal("0.0067")
"""The share of differing records from which a third of the checksums differs, so that they save nothing."""


def choose(*, method: Method, survey: Survey, last: Last | None, window: timedelta = WINDOW) -> Choice:
    """Choose the way to compare an entity, from what was asked for and what is known of it."""
    records = max(survey.legacy_rows, survey.new_rows)
    if method is Method.FULL:
        return _full("only that is evidence for your go/no-go", records, last, window)
    if records <= SMALL:
        return _full("there are so few that reading them all costs as little", records, last, window)
    if method is Method.SAMPLE:
        share = sampling.one_in(records)
        if share == 1:
            return _full("a sample that says enough would hold most of them", records, last, window)
        because = "you asked for a quick look; it is no evidence for your go/no-go"
        return Choice(Engine.SAMPLED, f"Compared for 1 in {share:,} records because {because}.", share)
    if last is None:
        return _full("there is no full comparison yet that could be checked again", records, last, window)
    if survey.obstacle:
        return _full(survey.obstacle, records, last, window)
    if last.error_rate > TOO_MANY:
        return _full("too many records differed last time for checksums to save anything", records, last, window)
    return Choice(
        Engine.PUSHDOWN,
        "Compared by checksums that both databases compute, and row by row where these differ, because a full "
        "comparison went before.",
    )


def read_in_full(reason: str) -> str:
    """Say why an entity that was to be compared by checksums was compared row by row after all."""
    return f"Compared row by row in full because {reason}."


GAVE_UP = "its checksums could not be had, or too many of them differed"


def _full(reason: str, records: int, last: Last | None, window: timedelta) -> Choice:
    speed = last.speed if last and last.speed else SPEED
    projected = timedelta(seconds=records / speed)
    because = read_in_full(reason)
    if projected > window:
        because = (
            f"{because[:-1]}; that takes about {_hours(projected)}, so a comparison where the data are (Spark or a "
            "warehouse) is advised."
        )
    return Choice(Engine.TYPED, because)


def _hours(projected: timedelta) -> str:
    hours = round(projected.total_seconds() / 3600)
    return f"{hours:,} hours" if hours != 1 else "an hour"
