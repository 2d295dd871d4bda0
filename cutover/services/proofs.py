"""What is to be shown once more before a move: domains that were proven long ago."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.services import domains
from core.actor import Actor
from cutover.queries import cutovers

FRESH_FROM = timedelta(days=3)
"""The charter's T-3, until which domains are verified."""


def ask_afresh(*, tenant_id: UUID, by: Actor, at: datetime) -> int:
    """Ask for a fresh proof of each domain that was proven before T-3, from then on; return of how many.

    Safe to repeat: of each window it is asked once.
    """
    cutover = cutovers.find(tenant_id=tenant_id)
    starts_at = cutover.window_starts_at if cutover is not None else None
    if starts_at is None or not starts_at - FRESH_FROM <= at < starts_at:
        return 0
    return domains.ask_afresh(tenant_id=tenant_id, since=starts_at - FRESH_FROM, by=by, at=at)
