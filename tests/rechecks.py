"""A re-check held against the full comparison of the same records."""

import dataclasses
from decimal import Decimal

from core.comparison import Segment
from tests.people import fill
from tests.things import plan


def told(findings, found):
    """Everything a report is made of; sums are numbers, however they are written."""
    sums = {column: tuple(map(Decimal, both)) for column, both in findings.sums.items()}
    return dataclasses.replace(findings, sums=sums, exact=True), sorted(found, key=lambda one: (one.key, one.kind))


def recheck(comparison, asked=None):
    found = []
    return comparison.recheck(asked or plan(), report=found.append), found


def agreed(comparison, pair, legacy, new, asked=None):
    """Let both compare; return what they agree on, and whether the re-check read everything."""
    asked = asked or plan()
    fill(pair.legacy_owner, {asked.spec.source_table: legacy})
    fill(pair.new_owner, {asked.spec.target_table: new})
    found = []
    full = told(comparison.compare(asked, segment=Segment(), report=found.append), found)
    findings, found = recheck(comparison, asked)
    assert told(findings, found) == full
    return full[1], findings.exact


def kinds(found):
    return [(one.key, one.kind) for one in found]
