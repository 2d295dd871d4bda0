"""Bucket checksums of records: what they are, and what two of them that differ tell of the record behind it.

A bucket sums, exactly, four numbers of its records. Sums know no order and no cancelling: a record that stands twice
counts twice. One record that is missing, added or changed in a bucket can be solved for from the four differences.
This file needs the standard library alone: it is a part of the verifier that customers run.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from parity_reports.domain.encoding import VERSION, digest_of

PER_BUCKET = 64
MOST_BUCKETS = 1024
_NAME_SHIFT = 28


@dataclass
class Bucket:
    """The exact sums over a bucket's records: how many, their digests, their names, and digest times name."""

    count: int = 0
    digests: int = 0
    names: int = 0
    products: int = 0

    @property
    def sums(self) -> tuple[int, int, int, int]:
        """The four numbers in their published order."""
        return self.count, self.digests, self.names, self.products

    def add(self, *, digest: int, name: int) -> None:
        """Take one record."""
        self.count += 1
        self.digests += digest
        self.names += name
        self.products += digest * name


@dataclass(frozen=True)
class Clue:
    """What a differing bucket tells: the one record of this name is missing, extra or changed, or several differ."""

    bucket: int
    kind: str
    name: int = -1


def buckets_for(count: int) -> int:
    """Return into how many buckets so many records are divided: about 64 to one, at most 1024 buckets."""
    return max(1, min(MOST_BUCKETS, count // PER_BUCKET))


def place(key: bytes, buckets: int) -> tuple[int, int]:
    """Return the bucket and the name (32 bits) of a record by its encoded key."""
    digest = digest_of(key)
    return digest % buckets, digest >> _NAME_SHIFT


def told(buckets: Iterable[tuple[int, int, int, int]]) -> list[list[int | str]]:
    """Return buckets as JSON may hold them: sums pass what its numbers are exact to, so they are text."""
    return [[count, *map(str, sums)] for count, *sums in buckets]


def stored(
    *, code: str, key: str, columns: Iterable[tuple[str, str]], buckets: Iterable[tuple[int, int, int, int]]
) -> dict[str, Any]:
    """Return an entity's checksums as a report holds them: all but the code."""
    return {
        "encoding": VERSION,
        "code_sha256": hashlib.sha256(code.encode()).hexdigest(),
        "key": key,
        "columns": [{"name": name, "kind": kind} for name, kind in columns],
        "buckets": told(buckets),
    }


def read(stored: Any) -> list[Bucket]:
    """Read buckets back. Raises ValueError or TypeError for what never was any."""
    return [Bucket(*(int(number) for number in numbers)) for numbers in stored]


def clues(promised: list[Bucket], found: list[Bucket]) -> list[Clue]:
    """Return a clue for every bucket in which the found records are not the promised ones."""
    return [
        _clue(number, one, two)
        for number, (one, two) in enumerate(zip(promised, found, strict=True))
        if one != two
    ]  # fmt: skip


def _clue(number: int, promised: Bucket, found: Bucket) -> Clue:
    count, names = found.count - promised.count, found.names - promised.names
    digests, products = found.digests - promised.digests, found.products - promised.products
    if count == 0 and names == 0 and digests and products % digests == 0:
        return Clue(number, "changed", products // digests)
    if abs(count) == 1 and products * count == names * digests:
        return Clue(number, "extra" if count > 0 else "missing", names * count)
    return Clue(number, "several")
