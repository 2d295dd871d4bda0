"""What becomes of each person of the legacy platform, by which rule, and the smallest thing that mends it."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Where a person of the legacy platform ends: exactly one of these."""

    MAPPED = "mapped"
    """They are this one person of the new platform."""
    MERGED = "merged"
    """They are the same person as another one of legacy, who is mapped for both."""
    SPLIT = "split"
    """Several people used the one account; each is somebody on the new platform."""
    PROPOSED = "proposed"
    """They seem to be this person: somebody of the tenant says whether they are."""
    PLACEHOLDER = "placeholder"
    """Nobody of the new platform yet: they are set up anew, or reassigned later."""
    CONFLICT = "conflict"
    """What is known contradicts itself."""
    DROPPED = "dropped"
    """Left behind by a named rule, or by a decision."""


class Rule(StrEnum):
    """Why."""

    EXTERNAL_ID = "external_id"
    USER_NAME = "user_name"
    ADDRESS = "address"
    NOBODY = "nobody"
    DOMAIN_NOT_PROVEN = "domain_not_proven"
    EXTERNAL_ID_TWICE = "external_id_twice"
    USER_NAME_TWICE = "user_name_twice"
    NEW_TWICE = "new_twice"
    ADDRESS_TWICE = "address_twice"
    KEYS_DISAGREE = "keys_disagree"
    TAKEN = "taken"
    INACTIVE = "inactive"
    GONE = "gone"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Words:
    """A rule as the customer reads it, and the smallest thing that mends what it found."""

    title: str
    fix: str = ""


RULES: dict[Rule, Words] = {
    Rule.EXTERNAL_ID: Words("The same external id on both platforms"),
    Rule.USER_NAME: Words("The same user name on both platforms"),
    Rule.ADDRESS: Words(
        "The same e-mail address, at a domain you have proven",
        "Confirm that they are one person, or say that they are not.",
    ),
    Rule.NOBODY: Words("Nobody like them on the new platform yet"),
    Rule.DOMAIN_NOT_PROVEN: Words(
        "The same e-mail address as somebody, but at a domain that you have not proven",
        "Prove the domain and map again, or choose the person by hand.",
    ),
    Rule.EXTERNAL_ID_TWICE: Words(
        "Several people of legacy have one external id",
        "Merge them if they are one person, or correct the id of one in legacy and map again.",
    ),
    Rule.USER_NAME_TWICE: Words(
        "Several people of legacy have one user name",
        "Merge them if they are one person, or rename one in legacy and map again.",
    ),
    Rule.NEW_TWICE: Words(
        "Several people of the new platform have the same id or user name",
        "Choose the right one, or remove the other on the new platform and map again.",
    ),
    Rule.ADDRESS_TWICE: Words(
        "The e-mail address belongs to several people",
        "Choose the right one, or say that they are nobody there yet.",
    ),
    Rule.KEYS_DISAGREE: Words(
        "External id and user name name two different people of the new platform",
        "Choose the right one: the user name may have been given to somebody new.",
    ),
    Rule.TAKEN: Words(
        "Somebody else of legacy is mapped to this person already",
        "Merge the two if they are one person, or say that this one is nobody there yet.",
    ),
    Rule.INACTIVE: Words("Switched off in legacy"),
    Rule.GONE: Words("No longer in legacy"),
    Rule.DECIDED: Words("Decided by people"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """An outcome on a page: what many and what one are called, its state among the components, and what it means."""

    title: str
    one: str
    state: str
    meaning: str


OUTCOMES: dict[Outcome, Look] = {
    Outcome.CONFLICT: Look(
        "Conflicts", "Conflict", "block", "What is known contradicts itself: decide, and the block is gone."
    ),
    Outcome.PROPOSED: Look(
        "To confirm", "To confirm", "warn", "They have the same address as somebody: say whether they are one."
    ),
    Outcome.MAPPED: Look("Mapped", "Mapped", "pass", "They are one person on both platforms."),
    Outcome.MERGED: Look("Merged", "Merged", "pass", "They are the same person as another one of legacy."),
    Outcome.SPLIT: Look("Split", "Split", "pass", "Several people used one account in legacy."),
    Outcome.PLACEHOLDER: Look(
        "Placeholders", "Placeholder", "info", "Nobody there yet: they are set up anew, and can be reassigned."
    ),
    Outcome.DROPPED: Look("Left behind", "Left behind", "none", "By a named rule, or because you said so."),
}
"""In the order in which they need somebody."""
