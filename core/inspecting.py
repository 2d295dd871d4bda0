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
class Inspected:
    """An entity, wholly judged. `totals` counts rows per (fate, rule), as a run would; a row has one or more faults."""

    totals: Mapping[tuple[str, str], int] = field(default_factory=dict)
    faults: tuple[Found, ...] = ()
