"""What a comparison engine is asked and what it answers: plain values, shared by the port and its callers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

EXACT_DIGITS = 100
"""Digits that sums are exact to; decimal's own default would round at 28."""

UNREADABLE = "(unreadable)"
"""Stands for a value that the mapping cannot read: equal to nothing the new platform could hold."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One entity of one tenant, to be compared as its mapping promises.

    `spec` is the entity's declared mapping and `others` those it looks things up in, by entity; the engine reads
    them itself, from the legacy platform's raw rows, and trusts nothing the backfill wrote. The tenant's rows are
    those whose tenant column holds `legacy_tenant` and `new_tenant`. Objects of the new platform with the keys
    `on_hold` stay there although legacy asks for them no more: where nothing is promised of one, it is counted apart.
    """

    entity: str
    spec: Any  # a backfills.domain Spec: the floor must not know the apps above it
    others: Mapping[str, Any]
    legacy_tenant: str
    new_tenant: str
    on_hold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """How much of an entity there is to compare, as the servers' planners expect; and what a re-check could not do.

    `obstacle` says why both databases cannot digest the records themselves, to follow “because”; '' if they can.
    """

    legacy_rows: int
    legacy_bytes: int
    new_rows: int
    new_bytes: int
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an entity: a range of keys, or the records whose key falls into one of `of` buckets.

    A range is after one key (exclusive) up to another (inclusive); None is open. With a `seed` the buckets are samples:
    one is as good as another, they are the same on both platforms, and the same seed gives the same ones again.
    """

    after: str | None = None
    upto: str | None = None
    bucket: int = 0
    of: int = 1
    seed: str = ""


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """Two values of one column that are not equal, in text form."""

    column: str
    expected: str | None
    actual: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that does not agree.

    `kind` is `missing`, `extra` or `duplicate` for a record as a whole, `different` for one with differing `columns`.
    `because` names the rule of the mapping that keeps a missing record from moving, if one does.
    """

    key: str
    kind: str
    columns: tuple[ColumnDifference, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What one platform's records say to a declared invariant.

    `rows` were asked; `failed` break it, or hold a value of which it cannot be told. `figure` is the exact count or sum
    that it compares, as text; '0' for a condition on each record.
    """

    rows: int
    failed: int
    figure: str = "0"

    def __add__(self, other: "Reckoned") -> "Reckoned":
        """Return what two parts of the records say together, exactly."""
        with localcontext(prec=EXACT_DIGITS):
            figure = str(Decimal(self.figure) + Decimal(other.figure))
        return Reckoned(self.rows + other.rows, self.failed + other.failed, figure)


@dataclass(frozen=True, slots=True)
class Findings:
    """What comparing one segment found, besides the differences that went to the caller one by one.

    `expected` are the records that must be on the new platform, `actual` those that are, `compared` the distinct
    keys of both. `dropped` counts, per named rule, what the mapping leaves behind. `sums` holds per number column
    the exact sums (expected, actual) as text, `reckoned` per declared invariant what the promised and the new records
    say to it. `exact` is false where records whose digests are equal were not compared value by value; then nothing is
    reckoned. `on_hold` are the records that were set aside (`Plan.on_hold`); no other figure tells of them.
    """

    expected: int
    actual: int
    compared: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    sums: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    reckoned: Mapping[str, tuple[Reckoned, Reckoned]] = field(default_factory=dict)
    exact: bool = True
    on_hold: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at an entity leaves behind.

    `mark` is what the next look may go on from, '' where nothing can be; it holds keys, so keep it encrypted. `whole`
    says whether everything was compared, and not only what was written since the mark that was given.
    """

    mark: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """What the platforms' own servers count of a whole entity, apart from the comparison.

    `orphans` counts per referring column the records whose reference points nowhere; `repeated` the keys that
    stand more than once on the new platform.
    """

    legacy_rows: int
    new_rows: int
    repeated: int
    orphans: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checksums:
    """The bucket checksums of an entity as the new platform holds it, by docs/parity-encoding.md.

    `columns` are (name, kind) in the encoded order; each bucket is (records, digests, names, products).
    """

    key: str
    columns: tuple[tuple[str, str], ...]
    buckets: tuple[tuple[int, int, int, int], ...]
