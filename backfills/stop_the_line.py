"""When moving data stops the line: legacy is ahead and nothing catches up, or too many rows were rejected."""

from datetime import datetime
from uuid import UUID

from backfills.domain import lag
from backfills.domain.runs import are_too_many, too_many_words
from backfills.queries import lag as lags
from backfills.queries import runs, standing, waivers
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


@signal("backfills.rejected")
def rejected_too_many(*, tenant_id: UUID, at: datetime) -> Alarm | None:
    """The charter's first trigger, of rows: a run ended with more of them rejected than the mapping allows.

    Rows that a waiver lets stay behind do not count, nor does one more than it names: what no waiver names must be more
    than the mapping allows by itself. While another run is under way nobody knows yet, and nothing is said.
    """
    over = [row for row in runs.moves(tenant_id=tenant_id).rows if row.is_stopped]
    waived = waivers.count_waived(tenant_id=tenant_id, at=at) if over else {}
    told, since = [], []
    for row in over:
        rejected, limit = row.rejected - waived.get(row.spec.entity, 0), row.spec.stop_above_percent
        if are_too_many(rejected, rows=row.total, stop_above_percent=limit):
            told.append(f"{row.spec.title}: {too_many_words(rejected, rows=row.total, stop_above_percent=limit)}")
            since.append((row.stands and row.stands.finished_at) or at)
    return Alarm(" ".join(told), min(since)) if told else None
