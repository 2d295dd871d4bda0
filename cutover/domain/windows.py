"""When a tenant may move: what a cutover window must be like."""

from datetime import datetime, timedelta

from cutover.domain.phases import Phase

NOTICE = timedelta(hours=24)
"""The least time between setting a window and its start: people must be told."""

SHORTEST, LONGEST = timedelta(hours=1), timedelta(hours=72)

FARTHEST = timedelta(days=365)

SETTABLE = frozenset({Phase.DISCOVER, Phase.PREPARE, Phase.PREFLIGHT, Phase.ROLLED_BACK})
"""Phases in which the window may still change."""


def refusal(*, starts_at: datetime, ends_at: datetime, at: datetime) -> str | None:
    """Say why a window cannot be, in words fit for the person who asked; None when it can."""
    if ends_at <= starts_at:
        return "The window must end after it starts."
    if starts_at < at + NOTICE:
        return "The window must start at least 24 hours from now, so that your people can be told."
    if starts_at > at + FARTHEST:
        return "The window must start within a year."
    if ends_at - starts_at < SHORTEST:
        return "The window must be at least one hour long."
    if ends_at - starts_at > LONGEST:
        return "The window must be at most 72 hours long."
    return None
