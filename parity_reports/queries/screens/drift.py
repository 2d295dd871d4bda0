"""Drift as its page shows it: whether anything came to differ, why, and what happens next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import queue
from parity_reports.domain import drift
from parity_reports.domain.differences import Kind
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import State
from parity_reports.models import Drift, Reconciliation
from parity_reports.queries import drift as queries
from parity_reports.queries import reconciliations
from parity_reports.queries.drift import Standing

_LINES, _OVER, _REPAIRS = 50, 20, 5


@dataclass(frozen=True, slots=True)
class Line:
    """One record that drifts or did."""

    name: str
    """Its key where that is public, else the code that it has in all reports."""
    is_code: bool
    entity: str
    differs: str
    cause: str
    state: str
    meaning: str
    row: Drift


@dataclass(frozen=True, slots=True)
class EntityLine:
    """One entity: when it was looked at, and how many of its records came to differ."""

    title: str
    looked_at: datetime | None
    differing: int
    unexplained: int
    problem: str


@dataclass(frozen=True, slots=True)
class CauseLine:
    """Why records came to differ, and how many did."""

    title: str
    meaning: str
    number: int
    state: str


@dataclass(frozen=True, slots=True)
class RepairLine:
    """One reconciliation: what is done about how many records, and where it stands."""

    title: str
    moved: int
    merged: int
    accepted: int
    left: int
    state: str
    words: str
    row: Reconciliation


@dataclass(frozen=True, slots=True)
class Summary:
    """How it stands, in a state, a headline and what happens next."""

    state: str
    headline: str
    text: str


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything the page shows."""

    headline: str
    state: str
    text: str
    standing: Standing
    causes: Sequence[CauseLine]
    entities: Sequence[EntityLine]
    lines: Sequence[Line]
    over: Sequence[Line]
    repairs: Sequence[RepairLine]
    is_looking: bool

    @property
    def unlisted(self) -> int:
        """How many records came to differ beyond those that are listed."""
        return max(self.standing.differing - len(self.lines), 0)


def of(*, tenant_id: UUID, at: datetime) -> Screen:
    """Return the page of a tenant; the number of queries does not grow with what differs."""
    now = queries.standing(tenant_id=tenant_id, at=at)
    state, headline, text = told(now, at=at)
    titles = {watch.entity: watch.title for watch in now.watches}
    looking = queue.jobs(tenant_id, task=queries.TASK, unfinished=True, limit=1)
    return Screen(
        headline=headline,
        state=state,
        text=text,
        standing=now,
        causes=[
            CauseLine(cause.label, cause.meaning, number, STATES[cause])
            for cause, number in sorted(now.causes.items(), key=lambda pair: -pair[1])
            if number
        ],
        entities=[
            EntityLine(
                watch.title,
                watch.looked_at,
                watch.differing,
                watch.causes.get(Cause.UNKNOWN.value, 0),
                watch.problem,
            )
            for watch in now.watches
        ],
        lines=[_line(row, titles, at=at) for row in queries.listed(tenant_id=tenant_id)[:_LINES]],
        over=[_line(row, titles, at=at) for row in queries.resolved(tenant_id=tenant_id)[:_OVER]],
        repairs=_repairs(tenant_id),
        is_looking=bool(looking),
    )


def summary(*, tenant_id: UUID, at: datetime) -> Summary | None:
    """Return how a tenant stands; None before the first comparison."""
    now = queries.standing(tenant_id=tenant_id, at=at)
    return Summary(*told(now, at=at)) if now.report else None


def told(now: Standing, *, at: datetime) -> tuple[str, str, str]:
    """Return state, headline and what happens next, in calm words."""
    if now.report is None:
        return (
            "none",
            "Nothing was compared yet",
            "Once both platforms were compared, we look for changes by ourselves.",
        )
    if now.unexplained:
        overdue = drift.is_overdue(now.unexplained_since, at=at)
        text = "Our data lead finds out why; nothing of it is yours to do."
        if overdue:
            text += " Until that is settled your cutover does not go on."
        return ("block" if overdue else "warn"), f"{_records(now.unexplained)}, and we do not know why yet", text
    if not now.is_known(at=at):
        text = now.problem or "Both platforms are read again as soon as a worker is free."
        return "unknown", "Nobody could look for an hour", text
    if now.differing:
        kinds = (
            "for one reason" if len([number for number in now.causes.values() if number]) == 1 else "for known reasons"
        )
        return (
            "info",
            f"{_records(now.differing)}, {kinds}",
            "Each reason says what happens next.",
        )
    return "pass", "Nothing came to differ since the comparison", "We go on looking every quarter of an hour."


_STANDS: Mapping[State, tuple[str, str]] = {
    State.RUNNING: ("running", "Being put right"),
    State.DONE: ("done", "Put right"),
    State.UNDOING: ("running", "Being put back"),
    State.UNDONE: ("stopped", "Put back"),
    State.FAILED: ("fail", "Not finished"),
}


def _repairs(tenant_id: UUID) -> list[RepairLine]:
    rows = reconciliations.told_of(tenant_id=tenant_id).order_by("-requested_at")[:_REPAIRS]
    return [
        RepairLine(row.title, row.moved, row.merged, row.accepted, row.left, *_STANDS[State(row.state)], row=row)
        for row in rows
    ]


def _records(number: int) -> str:
    return f"{number:,} record{'' if number == 1 else 's'} came to differ since the comparison"


STATES: Mapping[Cause, str] = {
    Cause.LATE_WRITE: "info",
    Cause.CLOCK: "warn",
    Cause.RULE: "warn",
    Cause.NEW_WRITE: "pass",
    Cause.UNKNOWN: "unknown",
}


def _line(row: Drift, titles: Mapping[str, str], *, at: datetime) -> Line:
    cause = Cause(row.cause)
    is_explained = row.explained_until is not None and row.explained_until > at
    columns = [f"{column.replace('_', ' ')} ({kind})" for column, kind in sorted(row.columns.items())]
    return Line(
        name=row.key or row.record,
        is_code=not row.key,
        entity=titles.get(row.entity, row.entity.replace("_", " ").capitalize()),
        differs=", ".join(columns) or Kind(row.kind).meaning,
        cause="Explained by us" if is_explained else cause.label,
        state="pass" if row.resolved_at else "info" if is_explained else STATES[cause],
        meaning=row.explanation if is_explained else "",
        row=row,
    )
