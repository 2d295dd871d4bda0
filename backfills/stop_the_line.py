"""When moving data stops the line: while traffic moves, legacy is ahead and nothing catches up with it."""

from datetime import datetime
from uuid import UUID

from backfills.domain import lag
from backfills.queries import lag as lags
from backfills.queries import standing
from core.stop_the_line import Alarm, signal


@signal("backfills.caught_up")
def fell_behind(*, tenant_id: UUID, at: datetime) -> Alarm | None:
    """Say so once a standing catch-up could not do for 30 minutes what it is there for.

    Not while none is switched on: then nobody was promised that it is quick. Nor right after an outage of ours. Nor for
    a file that tells of nothing late, as long as it is read: whether legacy is ahead of it, nobody knows.
    """
    gave_up_at = standing.of_tenant(tenant_id=tenant_id, at=at).gave_up_at(at=at)
    if gave_up_at is None:
        return None
    unread = lags.behind(tenant_id=tenant_id, at=at).unread
    if unread is None or unread.read_at is None or at - unread.read_at <= lag.LIMIT:
        return None
    length = lag.words(at - unread.read_at)
    reason = f"{unread.title} are {length} behind legacy, and nothing brings over what changed there."
    return Alarm(reason, max(gave_up_at, unread.read_at + lag.LIMIT))
