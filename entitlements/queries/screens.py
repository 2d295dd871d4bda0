"""The preview as people read it: the verdict in one sentence, then what it rests on."""

from dataclasses import dataclass
from datetime import datetime

from entitlements.domain.money import Money
from entitlements.domain.preview import Change, Choice, Line, Option, Usage
from entitlements.models import Mismatch
from entitlements.queries.previews import State

CHANGES = {
    Change.UNMAPPED: ("block", "No place yet"),
    Change.OPEN: ("block", "Yours to choose"),
    Change.CHANGED: ("info", "Changes"),
    Change.ENDED: ("none", "Given up"),
    Change.SAME: ("pass", "Stays"),
}
USAGE = {"pass": "Fits", "warn": "Over the limit", "block": "Over the limit", "unknown": "Not counted"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison with how its state looks."""

    line: Line
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit with how much of it is used."""

    usage: Usage
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A choice with the words on its buttons."""

    option: Option
    buttons: tuple[tuple[str, str, bool], ...]
    """Value, words, and whether it is the answer that stands."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page."""

    state: State
    is_stale: bool
    verdict: str
    verdict_state: str
    detail: str
    changed: tuple[Row, ...]
    same: tuple[Row, ...]
    meters: tuple[Meter, ...]
    asks: tuple[Ask, ...]
    mismatches: tuple[Mismatch, ...]
    old_total: Money | None
    new_total: Money | None


def page(state: State, *, at: datetime) -> Page:
    """Return the page of a state."""
    laid = state.preview
    verdict_state, verdict, detail = _verdict(state)
    return Page(
        state=state,
        is_stale=state.is_stale(at),
        verdict=verdict,
        verdict_state=verdict_state,
        detail=detail,
        changed=tuple(Row(line, *CHANGES[line.change]) for line in laid.changed),
        same=tuple(Row(line, *CHANGES[line.change]) for line in laid.same),
        meters=tuple(_meter(one) for one in laid.usage),
        asks=tuple(_ask(option) for option in laid.options),
        mismatches=state.mismatches,
        old_total=laid.old_total,
        new_total=laid.new_total,
    )


def _meter(usage: Usage) -> Meter:
    if not usage.over and usage.most is not None:
        return Meter(usage, "none", "Nothing to compare")
    return Meter(usage, usage.state, USAGE[usage.state])


def _verdict(state: State) -> tuple[str, str, str]:
    """Return how it looks, what comes out, and the money behind it."""
    laid, difference = state.preview, state.preview.difference
    if difference is None:
        waiting = len(laid.unmapped) + len(laid.open_options)
        words = "One thing is" if waiting == 1 else f"{waiting} things are"
        return "block", "The new price cannot be said yet", f"{words} still to be settled; see below."
    each = f"{laid.new_total} a month, {laid.new_total.a_year if laid.new_total else ''} a year"
    if state.mismatches:
        return "block", "The new platform is not set up as promised", f"Promised: {each}."
    if not difference.minor:
        return "pass", "No price change", f"{each}, before and after."
    words = f"{difference.signed} a month, {difference.a_year.signed} a year"
    return "warn" if difference.minor > 0 else "pass", f"The price changes: {words}", f"From then on {each}."


def _ask(option: Option) -> Ask:
    words = {Choice.ACCEPT: "Accept", Choice.GIVE_UP: "Give it up"}
    return Ask(option, tuple((choice.value, words[choice], choice is option.made) for choice in option.choices))
