"""Decisions about people: what each makes of whom, what it may not do, and when a second person has to agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from accounts.domain.identity_map.outcomes import OUTCOMES, Outcome, Rule


class Kind(StrEnum):
    """What somebody says of a person of the legacy platform."""

    ACCEPT = "accept"
    MAP = "map"
    APART = "apart"
    MERGE = "merge"
    SPLIT = "split"
    DROP = "drop"
    BULK = "bulk"
    """Of many people, by a file."""
    RESTORE = "restore"
    """Of the whole map: as it was at a checkpoint."""


WORDS: dict[Kind, str] = {
    Kind.ACCEPT: "Confirm the proposal",
    Kind.MAP: "Map to somebody chosen",
    Kind.APART: "Nobody there yet",
    Kind.MERGE: "Merge with another of legacy",
    Kind.SPLIT: "Several people used it",
    Kind.DROP: "Leave behind",
    Kind.BULK: "Many people, by a file",
    Kind.RESTORE: "Restore a checkpoint",
}


ERASED = "Erased once the move was over"
"""What stands in the place of a reason whose text may name somebody."""


class Refused(Exception):
    """A decision that cannot be carried out; the message is fit for the customer."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


@dataclass(frozen=True, slots=True)
class State:
    """What the map says of one person: all that a decision changes and an undo restores."""

    outcome: str
    rule: str
    new_id: UUID | None
    person_id: UUID


@dataclass(frozen=True, slots=True)
class Legacy:
    """A person of the legacy platform as a decision meets them; `is_kept`: another one was merged into them."""

    id: UUID
    key: str
    state: State
    decision_id: UUID | None = None
    role: str = ""
    is_owner: bool = False
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class New:
    """A person of the new platform, and who of legacy holds them."""

    id: UUID
    key: str
    role: str = ""
    is_owner: bool = False
    is_there: bool = True
    holders: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing asked: about whom, what, and to whom they are mapped (`new`) or into whom merged (`into`)."""

    legacy: Legacy
    kind: Kind
    new: Sequence[New] = ()
    into: Legacy | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision makes of one person."""

    legacy: Legacy
    after: State


def changes(wish: Wish) -> Iterator[Change]:
    """Yield what a wish changes; raises Refused, saying what to do instead, for one that cannot be."""
    now = wish.legacy.state
    if now.outcome in (Outcome.MERGED, Outcome.SPLIT):
        raise Refused(
            f"This person is {now.outcome}.", f"Undo the {'merge' if now.outcome == Outcome.MERGED else 'split'} first."
        )
    if wish.legacy.is_kept and wish.kind in (Kind.MERGE, Kind.SPLIT, Kind.DROP):
        raise Refused("Another person was merged into this one.", "Undo that merge first.")
    match wish.kind:
        case Kind.ACCEPT:
            if now.outcome != Outcome.PROPOSED:
                raise Refused("There is no proposal to confirm.", "Choose the person of the new platform instead.")
            yield _mapped(wish.legacy, _free(wish, exactly=1))
        case Kind.MAP:
            yield _mapped(wish.legacy, _free(wish, exactly=1))
        case Kind.APART:
            yield _decided(wish.legacy, Outcome.PLACEHOLDER)
        case Kind.DROP:
            yield _decided(wish.legacy, Outcome.DROPPED)
        case Kind.SPLIT:
            _free(wish)
            yield _decided(wish.legacy, Outcome.SPLIT)
        case Kind.MERGE:
            yield from _merged(wish)
        case _:
            raise Refused("This is no decision about one person.")


def second_person(wishes: Sequence[Wish]) -> str:
    """Say why somebody else has to agree, in words for the page; nothing where one person may decide alone."""
    if any(touches_owner(wish) for wish in wishes):
        return "It is about an owner."
    if any(_crosses_roles(wish) for wish in wishes):
        return "The people have different roles."
    return ""


def touches_owner(wish: Wish) -> bool:
    """Tell whether an owner is among those a wish is about, on either platform."""
    into = wish.into is not None and wish.into.is_owner
    return wish.legacy.is_owner or into or any(new.is_owner for new in wish.new)


def _crosses_roles(wish: Wish) -> bool:
    others = [new.role for new in wish.new] + ([wish.into.role] if wish.into is not None else [])
    return any(role != wish.legacy.role for role in others)


def _merged(wish: Wish) -> Iterator[Change]:
    """The other one stands for both, and is whoever either of them was on the new platform."""
    legacy, into = wish.legacy, wish.into
    if into is None or into.id == legacy.id:
        raise Refused("Choose another person of legacy to merge with.")
    if into.state.outcome in (Outcome.MERGED, Outcome.SPLIT, Outcome.DROPPED):
        raise Refused(
            f"The other person is {OUTCOMES[Outcome(into.state.outcome)].one.lower()}.",
            "Choose one who is not, or undo that first.",
        )
    mine = legacy.state.new_id if legacy.state.outcome == Outcome.MAPPED else None
    theirs = into.state.new_id if into.state.outcome == Outcome.MAPPED else None
    if mine and theirs:
        raise Refused(
            "Each of the two is somebody else on the new platform.",
            "Say of one that they are nobody there, then merge.",
        )
    yield Change(legacy, State(Outcome.MERGED, Rule.DECIDED, None, into.id))
    if theirs:
        return
    if mine:
        yield _mapped(into, mine)
    elif into.state.outcome == Outcome.CONFLICT:
        wanted = [new for new in wish.new if new.is_there and new.holders <= {legacy.id, into.id}]
        yield _mapped(into, wanted[0].id) if len(wanted) == 1 else _decided(into, Outcome.PLACEHOLDER)


def _free(wish: Wish, *, exactly: int | None = None) -> UUID:
    """Return the first of those wished for, once all of them can be had."""
    count = len({new.id for new in wish.new})
    if exactly is not None and count != exactly:
        raise Refused("Choose one person of the new platform.")
    if exactly is None and count < 2:
        raise Refused("Choose at least two different people of the new platform.")
    for new in wish.new:
        if not new.is_there:
            raise Refused("That person is switched off or gone on the new platform.", "Choose another one.")
        if new.holders - {wish.legacy.id}:
            raise Refused(
                "Somebody else of legacy is mapped to that person.",
                "Merge the two, or decide about the other one first.",
            )
    return wish.new[0].id


def _mapped(legacy: Legacy, new_id: UUID) -> Change:
    return Change(legacy, State(Outcome.MAPPED, Rule.DECIDED, new_id, legacy.id))


def _decided(legacy: Legacy, outcome: Outcome) -> Change:
    return Change(legacy, replace(legacy.state, outcome=outcome, rule=Rule.DECIDED, new_id=None, person_id=legacy.id))
