"""The banners of the comms ladder: the move is near, it is under way, it is done; and news that staff has written."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from comms.domain.moments import Course, Moment, moment
from comms.queries import notices
from core.banners import Banner, banners, dismissals
from cutover.queries import cutovers

_STATES = {"incident": "fail", "resolved": "pass", "info": "info"}


@banners
def news(*, tenant_id: UUID, at: datetime) -> Iterable[Banner]:
    """Show the newest status update while it is news; an incident cannot be put away."""
    update = notices.current(tenant_id=tenant_id, at=at)
    if update is None:
        return []
    return [
        Banner(
            id=f"comms.news:{update.pk}",
            title=update.title,
            text="",
            state=_STATES[update.kind],
            link="status/",
            action="Read the news",
            dismissible=update.kind != "incident",
        )
    ]


@banners
def move(*, tenant_id: UUID, at: datetime) -> Iterable[Banner]:
    """Announce the move two weeks ahead, remind of it, say that it is under way, and that it is done."""
    cutover = cutovers.find(tenant_id=tenant_id)
    if cutover is None:
        return []
    course = Course(cutover.phase, cutover.phase_since, cutover.window_starts_at, cutover.window_ends_at)
    now = moment(course, at=at)
    return [_banner(now, cutover)] if now else []


def _banner(now: Moment, cutover: Any) -> Banner:
    window = f"{cutover.window_starts_at:%Y%m%dT%H%M}" if cutover.window_starts_at else ""
    times = {"starts_at": cutover.window_starts_at, "ends_at": cutover.window_ends_at}
    match now:
        case Moment.ANNOUNCED | Moment.NEAR:
            soon = now is Moment.NEAR
            return Banner(
                id=f"comms.{now.value}:{window}",
                title="Your move is near" if soon else "Your move is planned",
                text="Finish or save what you are working on before it begins." if soon else "",
                state="info",
                link="cutover/",
                action="See the window",
                dismissible=True,
                **times,
            )
        case Moment.MOVING:
            return Banner(
                id=f"comms.moving:{cutover.phase}",
                title="Your move is under way",
                text="You can go on working.",
                state="running",
                link="status/",
                action="Follow it",
                dismissible=True,
            )
        case Moment.MOVED:
            return Banner(
                id=f"comms.moved:{window}",
                title="You work on the new platform",
                text="Is anything not as it was?",
                state="pass",
                link="support/",
                action="Tell us",
                dismissible=True,
            )


@dismissals
def put_away(*, tenant_id: UUID, user_id: UUID, ids: Collection[str]) -> set[str]:
    """Return those banners that the person has put away."""
    return notices.dismissed(tenant_id=tenant_id, user_id=user_id, ids=ids)
