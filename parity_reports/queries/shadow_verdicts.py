"""What shadow reads say in all, told alike to the page and to the check."""

from dataclasses import dataclass
from datetime import datetime

from core.stages import Stage, Traffic
from parity_reports.domain import drift, shadow
from parity_reports.queries.shadow import Standing


@dataclass(frozen=True, slots=True)
class Told:
    """A state, a headline, and what happens next."""

    state: str
    headline: str
    text: str


def tell(now: Standing, *, at: datetime) -> Told:
    """Sum up: what is not known is never told as good."""
    match now.stage.traffic:
        case Traffic.BEFORE:
            return _before(now)
        case Traffic.AFTER:
            return _after(now)
    if now.unexplained:
        return _unexplained(now, at=at)
    if now.on_until is None:
        return Told("unknown", "Shadow reads are off", "Your traffic moves, and nobody tries reads on both platforms.")
    if not now.latest:
        return Told("unknown", "No read was made yet", "The first ones are made within a few minutes.")
    if not now.is_known(at=at):
        why = now.failing[0].problem if now.failing else "Reads rest while data are moved."
        return Told("unknown", "No read could be made for an hour", f"{why} We go on by ourselves.")
    if now.failing:
        titles = ", ".join(row.title for row in now.failing[:3])
        return Told("unknown", f"{_reads(len(now.failing), 'kind of read')} could not be made: {titles}",
                    now.failing[0].problem)  # fmt: skip
    return _compared(now)


def _before(now: Standing) -> Told:
    if now.stage is Stage.HALTED:
        what = "They go on once your cutover does." if now.on_until else "They can be switched on meanwhile."
        return Told("none", "Your cutover is halted: no reads are shadowed meanwhile", what)
    if now.stage is Stage.ROLLED_BACK:
        what = "They go on with the next canary." if now.on_until else "They can be switched on before the next canary."
        return Told("none", "You are back on the legacy platform: no reads are shadowed", what)
    if now.on_until:
        return Told("none", "Shadow reads begin with the canary", "They are on, and wait for your traffic to move.")
    return Told("none", "Shadow reads begin with the canary", "They can be switched on before, and wait until then.")


def _after(now: Standing) -> Told:
    if not now.tally.compared:
        return Told("none", "No reads were shadowed during your move", "Everybody reads from the new platform now.")
    headline = f"Your move is over: {_agreed(now)} on its last day"
    return Told("info", headline, now.tally.statement)


def _unexplained(now: Standing, *, at: datetime) -> Told:
    text = "Our data lead finds out why; nothing of it is yours to do."
    overdue = drift.is_overdue(now.unexplained_since, at=at)
    if overdue:
        text += " Until that is settled your cutover does not go on."
    what = "is answered differently" if now.unexplained == 1 else "are answered differently"
    return Told("block" if overdue else "warn", f"{_reads(now.unexplained)} {what}, and we do not know why yet", text)


def _compared(now: Standing) -> Told:
    tally = now.tally
    if not tally.says_enough:
        return Told("unknown", f"{_reads(tally.compared)} of the {shadow.ENOUGH} needed were made in the last day",
                    "More are made every minute.")  # fmt: skip
    if not tally.within_target:
        text = f"More than one in a thousand. {tally.statement} Each reason below says what happens next."
        return Told("block", f"{_reads(tally.mismatched)} of {tally.compared:,} were answered differently", text)
    return Told("pass", f"{_agreed(now)} in the last day", tally.statement)


def _agreed(now: Standing) -> str:
    """Say how many reads agreed, with those that are expected not to."""
    tally = now.tally
    if not tally.mismatched:
        return f"all {tally.compared:,} reads were answered alike" if now.stage.traffic is Traffic.AFTER else (
            f"All {tally.compared:,} reads were answered alike"
        )  # fmt: skip
    return f"{tally.compared - tally.mismatched:,} of {tally.compared:,} reads were answered alike"


def _reads(number: int, what: str = "read") -> str:
    head, _, tail = what.partition(" ")
    plural = f"{head}s{' ' + tail if tail else ''}" if number != 1 else what
    return f"{number:,} {plural}"
