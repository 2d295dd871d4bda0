"""Replacing a signing secret: for an overlap the old one signs beside the new one, so that no message is missed."""

from datetime import datetime, timedelta

OVERLAP = timedelta(hours=24)
"""For how long the old secret signs on where nobody says otherwise."""
LONGEST_OVERLAP = timedelta(days=7)


def signs(old_ends_at: datetime | None, *, at: datetime) -> bool:
    """Tell whether an old secret signs still; its end needs nobody who carries it out."""
    return old_ends_at is not None and at < old_ends_at


def counts(*, asked_at: datetime, changed_at: datetime | None, old_ends_at: datetime | None, at: datetime) -> bool:
    """Tell whether what a receiver answered to a harness run says how it takes what is signed now.

    `asked_at` is when the run was asked for, `changed_at` when the present secret became that. An earlier run knew
    another secret: it counts for as long as that one signs.
    """
    return changed_at is None or asked_at >= changed_at or signs(old_ends_at, at=at)
