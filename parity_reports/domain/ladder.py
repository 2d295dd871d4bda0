"""The engine ladder: in which way an entity is compared, and why, in one sentence for the customer.

Only the row by row comparison is evidence for a go/no-go. Checksums and samples say less, cost less, and say so.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial

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
    CLUSTER = "cluster"

    @property
    def reads_everything(self) -> bool:
        """Whether every record is compared value by value."""
        return self in (Engine.TYPED, Engine.CLUSTER)


@dataclass(frozen=True, slots=True)
class Last:
    """The entity in the last full comparison: the share that differed, and records a second that one machine read."""

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
"""What a comparison may take on one machine; beyond it, it is a cluster's, or that is advised."""

SLOW, LONG = SPEED / 10, timedelta(minutes=10)
"""Where so few records a second came and reading all takes so long, checksums are advised between full comparisons."""

TOO_MANY = Decimal("0.0067")
"""The share of differing records from which a third of the checksums differs, so that they save nothing."""


def choose(
    *, method: Method, survey: Survey, last: Last | None, window: timedelta = WINDOW, has_cluster: bool = False
) -> Choice:
    """Choose the way to compare an entity, from what was asked for, what is known of it and what there is to do it."""
    records = max(survey.legacy_rows, survey.new_rows)
    full = partial(_full, records=records, last=last, window=window, has_cluster=has_cluster, obstacle=survey.obstacle)
    if method is Method.FULL:
        return full("only that is evidence for your go/no-go")
    if records <= SMALL:
        return full("there are so few that reading them all costs as little")
    if method is Method.SAMPLE:
        share = sampling.one_in(records)
        if share == 1:
            return full("a sample that says enough would hold most of them")
        because = "you asked for a quick look; it is no evidence for your go/no-go"
        return Choice(Engine.SAMPLED, f"Compared for 1 in {share:,} records because {because}.", share)
    if last is None:
        return full("there is no full comparison yet that could be checked again")
    if survey.obstacle:
        return full(survey.obstacle)
    if last.error_rate > TOO_MANY:
        return full("too many records differed last time for checksums to save anything")
    return Choice(
        Engine.PUSHDOWN,
        "Compared by checksums that both databases compute, and row by row where these differ, because a full "
        "comparison went before.",
    )


def read_in_full(reason: str) -> str:
    """Say why an entity that was to be compared by checksums was compared row by row after all."""
    return f"Compared row by row in full because {reason}."


GAVE_UP = "its checksums could not be had, or too many of them differed"
NO_CLUSTER = "the cluster that was to compare it is no longer there"


def _full(
    reason: str, *, records: int, last: Last | None, window: timedelta, has_cluster: bool, obstacle: str
) -> Choice:
    speed = last.speed if last and last.speed else SPEED
    projected = timedelta(seconds=records / speed)
    because = read_in_full(reason)
    if projected > window and has_cluster:
        why = f"one machine would take about {_hours(projected)}"
        return Choice(Engine.CLUSTER, f"{because[:-1]}, and on a cluster because {why}.")
    if projected > window:
        because = (
            f"{because[:-1]}; that takes about {_hours(projected)}, so a comparison where the data are (Spark or a "
            "warehouse) is advised."
        )
    elif speed < SLOW and projected > LONG and not obstacle:
        because = (
            f"{because[:-1]}; records come slowly ({speed:,.0f} a second), so checksums are advised between full "
            "comparisons."
        )
    return Choice(Engine.TYPED, because)


def _hours(projected: timedelta) -> str:
    hours = round(projected.total_seconds() / 3600)
    return f"{hours:,} hours" if hours != 1 else "an hour"
