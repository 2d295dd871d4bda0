"""When which message is due: the announcement of a window, the reminders before it, and the day after."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from comms.domain.ladder import TEMPLATES, Template

MORNING = time(9)
"""In the tenant's own zone: nobody is reminded at night."""

BEFORE = frozenset({"discover", "prepare", "preflight", "rolled_back"})
"""Phases in which the move is still ahead."""
MOVED = frozenset({"ramp", "full", "stabilise", "decommission", "done"})
"""Phases in which people work on the new platform."""

LATE = timedelta(days=14)
"""From here on a check that blocks is late (the charter's T-14)."""

_REMINDERS = (
    (-30, ("reminder.admins",)),
    (-14, ("reminder.sponsors", "reminder.admins")),
    (-7, ("reminder.admins", "reminder.users")),
    (-2, ("reminder.admins", "reminder.users")),
    (1, ("after.sponsors", "after.admins", "after.users")),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One message to be, on its occasion."""

    template: Template
    occasion: str
    due_at: datetime


def about(starts_at: datetime, ends_at: datetime) -> str:
    """Return how the occasions of a window begin, so that those of another window can be told apart."""
    first, last = (moment.astimezone(UTC).strftime("%Y%m%dT%H%M") for moment in (starts_at, ends_at))
    return f"window:{first}/{last}|"


def occasion_of(*, starts_at: datetime, ends_at: datetime, last: str, at: datetime) -> str:
    """Return the occasion on which a window is announced; `last` is the newest announcement's.

    The same window is one occasion however often it is heard of, and a new one when people were told another since.
    """
    prefix = about(starts_at, ends_at)
    return last if last.startswith(prefix) else f"{prefix}{at.astimezone(UTC):%Y%m%dT%H%M%S.%f}"


def plan(*, occasion: str, starts_at: datetime, zone: str, at: datetime) -> list[Slot]:
    """Return what is to be said about a window from now on: announced to the ladder in order, then the reminders.

    Sponsors and admins hear at once, end users the next morning, but always before the window begins. A day of the
    timeline that has passed is left out.
    """
    local = ZoneInfo(zone)
    slots = [Slot(TEMPLATES[key], occasion, at) for key in ("announce.sponsors", "announce.admins")]
    if starts_at > at:
        tomorrow = _morning(at, 1, local)
        slots.append(Slot(TEMPLATES["announce.users"], occasion, min(tomorrow, at + (starts_at - at) / 2)))
    for days, keys in _REMINDERS:
        due = _morning(starts_at, days, local)
        if due > at and (days > 0 or due < starts_at):
            slots += [Slot(TEMPLATES[key], f"{occasion}:T{days:+d}", due) for key in keys]
    return slots


def still_true(template: Template, *, phase: str) -> bool:
    """Say whether a planned message still fits the tenant's phase; reminders end with the move, thanks begin there."""
    if template.kind in ("announce", "reminder"):
        return phase in BEFORE
    if template.kind == "after":
        return phase in MOVED
    return True


def _morning(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    day = moment.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, MORNING, tzinfo=zone)


def in_words(starts_at: datetime, ends_at: datetime, *, zone: str) -> str:
    """Write a window in the tenant's zone, which it names: `Saturday 5 December 2026, 22:00 to 23:30 EST`."""
    first, last = starts_at.astimezone(ZoneInfo(zone)), ends_at.astimezone(ZoneInfo(zone))
    ends = f"{last:%H:%M}" if first.date() == last.date() else _in_full(last)
    return f"{_in_full(first)} to {ends} {last:%Z}"


def moment_in_words(at: datetime, *, zone: str) -> str:
    """Write a moment in the tenant's zone, which it names: `Saturday 5 December 2026, 22:00 EST`."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{_in_full(local)} {local:%Z}"


def _in_full(local: datetime) -> str:
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M}"


def reschedule_refusal(*, due_at: datetime, at: datetime, starts_at: datetime | None) -> str | None:
    """Say why a planned message cannot leave at that time, in words fit for the customer; None when it can."""
    if due_at < at:
        return "Choose a time that is still to come."
    if starts_at is not None and due_at >= starts_at:
        return "Choose a time before the window begins: people must know before they notice."
    return None
