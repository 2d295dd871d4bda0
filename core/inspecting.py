"""What an inspection of legacy finds before anything moves, as facts: shared by port, adapters and use case."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Example:
    """A row at fault. Empty where its key, or None where the value, is not public."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows with one fault: the rule, the source column to correct, how many, and the first of them by key."""

    rule: str
    column: str
    count: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Writes:
    """What a run would do to the account's objects: make, change, leave as they are, remove."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Inspected:
    """An entity, wholly judged. `totals` counts rows per (fate, rule), as a run would; a row has one or more faults.

    `writes` is None where the new platform's table cannot be laid beside the rows, not made yet for instance.
    """

    totals: Mapping[tuple[str, str], int] = field(default_factory=dict)
    faults: tuple[Found, ...] = ()
    writes: Writes | None = None
