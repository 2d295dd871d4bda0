"""What a shadow reader is asked and what it answers: plain values, shared by the port and its callers."""

from dataclasses import dataclass
from enum import StrEnum

from core.comparison import Difference


@dataclass(frozen=True, slots=True)
class Read:
    """A read that people make all the time, as it is made of both platforms.

    Without `by` it fetches the sampled record by its key. With it, it lists the records that hold the same as the
    sampled one in this column of the new platform, which the mapping takes over as it is; `at_most` so many.
    """

    name: str
    title: str
    by: str = ""
    at_most: int = 1


class Unasked(StrEnum):
    """Why a sampled record led to no comparison."""

    GONE = "gone"
    """Legacy has it no longer."""
    LEFT_BEHIND = "left_behind"
    """A rule of the mapping leaves it in legacy, so that nothing is promised."""
    NO_VALUE = "no_value"
    """It holds nothing in the column by which the list is made."""
    TOO_MANY = "too_many"
    """Legacy's list is longer than `Read.at_most`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One read, made of both platforms.

    `key` is the sampled record's key in legacy. `about` is what was asked for: the record's key on the new platform,
    or the value that a list's records share. `legacy` and `new` are seconds, `records` how many legacy promises.
    `settled` says that the answers differed at first and no longer did when they were read again.
    """

    key: str
    about: str = ""
    legacy: float = 0.0
    new: float = 0.0
    records: int = 0
    differences: tuple[Difference, ...] = ()
    settled: bool = False
    unasked: Unasked | None = None
