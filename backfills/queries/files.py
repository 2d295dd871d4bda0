"""The rejected rows as a file."""

import io
from collections.abc import Iterable, Iterator
from itertools import batched

from defusedcsv import csv

from backfills.domain import wording
from backfills.domain.judgement import Fate
from backfills.models import DeadLetter
from backfills.queries.runs import EntityRow, letters

BLOCK = 500
"""Rows to a block of the answer: each block opens the tenant's scope once."""
_BOM = "\ufeff"
"""So that spreadsheets read UTF-8."""


def rejected(row: EntityRow) -> Iterator[str]:
    """Yield an entity's rejected rows as CSV (formulas defused), in blocks: a million take no more memory than a few.

    Which row, which column, why and what to do; no other value of a row, and its key only where that is public.
    """
    key = row.spec.key_column if row.has_public_key else "row"
    yield _BOM + _lines([(key, "column", "rule", "why", "what to do", "attempts")])
    for block in batched(letters(row).iterator(chunk_size=BLOCK), BLOCK):
        yield _lines(_told(row, letter) for letter in block)


def _told(row: EntityRow, letter: DeadLetter) -> tuple[object, ...]:
    why = wording.of(row.spec, fate=Fate.QUARANTINED, rule=letter.rule, column=letter.column)
    key = letter.source_key if row.has_public_key else str(letter.pk)
    return key, letter.column, letter.rule, why.because, why.fix, letter.attempts


def _lines(rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
