"""Whether an entity can be caught up, and from which moment on: decided from what its runs tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backfills.domain import naming
from backfills.domain.naming import Named
from backfills.domain.spec import Spec

MARGIN = timedelta(minutes=5)
"""How long a transaction of legacy may take: what it wrote carries its beginning, and is seen after its end."""


@dataclass(frozen=True, slots=True)
class Past:
    """A run that has begun: by which spec, whether every row is accounted for, and legacy's clock at its beginning."""

    label: str
    is_accounted: bool
    watermark: datetime | None
    judged_by: frozenset[str] = frozenset()
    """The specs by which its rejected rows were judged again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """From when on legacy is read; or why it must be read in full, in words fit for the customer."""

    since: datetime | None = None
    reason: str = ""


def overlapped(watermark: datetime) -> datetime:
    """Return the moment from which on the catch-up after a watermark reads."""
    return watermark - MARGIN


def since(spec: Spec, past: Iterable[Past], *, rejected: int) -> Answer:
    """Decide from an entity's runs, newest first, and how many of its rows are rejected."""
    if spec.changed is None:
        return Answer(reason="The mapping does not name the column of legacy that tells when a row changed.")
    if rejected > spec.batch:
        return Answer(reason=f"{rejected:,} rows are rejected, more than a catch-up judges again.")
    for run in past:
        if run.label != spec.label or run.judged_by - {spec.label}:
            return Answer(reason="Rows were moved by another version of the mapping.")
        if run.is_accounted:
            if run.watermark is None:
                return Answer(
                    reason="Nothing tells from when on: rows were put right since, no row said when it changed, or the"
                    " last run is too old."
                )
            return Answer(since=overlapped(run.watermark))
    return Answer(reason="They have not been moved to the end yet.")


def why_whole(spec: Spec, touched: Named) -> str:
    """Return why every row must be read where these keys of what it looks up have changed, or nothing.

    Else the rows that name one of them are read again, and no other.
    """
    for lookup, keys in touched.items():
        title = spec.lookups[lookup].entity.replace("_", " ").capitalize()
        if keys and not naming.is_told(spec, lookup):
            return f"{title} changed, which they look up by what only the new platform can work out."
        if len(keys) > spec.batch:
            return f"More than {spec.batch:,} of {title.lower()} changed, which they look up."
    return ""
