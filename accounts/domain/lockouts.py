"""Who would get in by the company's sign-in alone: foreseen from what is known, before it is enforced.

Nobody's provider can be asked what it would say of everybody. So it is assumed to say of each person what it said of
them last, or else their own address; and of the connection, that it goes on as its newest answers went.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from accounts.domain.verdicts import Code

MOST_STUCK = 0.05
"""The share of people who may be stuck before the list has to be seen and accepted."""


class Outcome(StrEnum):
    """What would become of somebody who tries."""

    SIGNS_IN = "signs_in"
    NEEDS_APPROVAL = "needs_approval"
    NEW_ACCOUNT = "new_account"
    LOCKED_OUT = "locked_out"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The outcome's name for people."""
        return {
            "signs_in": "Signs in",
            "needs_approval": "Needs an approval",
            "new_account": "Joins as new",
            "locked_out": "Locked out",
            "unknown": "Not known",
        }[self.value]

    @property
    def tone(self) -> str:
        """The state that shows it (`core.templatetags.crossing`)."""
        tones = {"signs_in": "pass", "needs_approval": "warn", "new_account": "info", "locked_out": "fail"}
        return tones.get(self.value, self.value)


class Why(StrEnum):
    """The reason, for the tenant's admin (`WORDS`)."""

    LINKED = "linked"
    LINKED_BY_RULE = "linked_by_rule"
    JOINS_BY_RULE = "joins_by_rule"
    TO_BE_APPROVED = "to_be_approved"
    NAME_HAS_NEW_OWNER = "name_has_new_owner"
    ALREADY_LINKED = "already_linked"
    NOT_CONNECTED = "not_connected"
    NOTHING_SEEN = "nothing_seen"
    CLOCK = "clock"
    SIGNATURE = "signature"
    ADDRESSED_WRONGLY = "addressed_wrongly"
    MAPPING = "mapping"
    ANSWER_REFUSED = "answer_refused"
    DOMAIN_NOT_PROVEN = "domain_not_proven"
    LINK_REJECTED = "link_rejected"
    DEACTIVATED = "deactivated"
    NOT_JOINED = "not_joined"
    STAFF = "staff"


WORDS: Mapping[Why, tuple[str, str]] = {
    Why.LINKED: ("Linked to a person of your directory", ""),
    Why.LINKED_BY_RULE: ("Your standing rule links them by their address", ""),
    Why.JOINS_BY_RULE: ("Invited; your standing rule lets them join by signing in", ""),
    Why.TO_BE_APPROVED: (
        "The first sign-in waits for your approval",
        "Approve links as they come, or let a standing rule do so for the domain.",
    ),
    Why.NAME_HAS_NEW_OWNER: (
        "Your provider gives another id with a name that is linked already",
        "Look whether the name was given to a new person, then decide about the link.",
    ),
    Why.ALREADY_LINKED: (
        "Your provider calls them otherwise than when they were linked",
        "Look whether both are one person, then decide about the link.",
    ),
    Why.NOT_CONNECTED: ("Your identity provider is not connected", "Connect it under “Single sign-on”."),
    Why.NOTHING_SEEN: ("No answer of your provider was seen yet", "Test a sign-in under “Single sign-on”."),
    Why.CLOCK: ("Your provider's clock was off in its newest answer", "Set it by a time server, then test again."),
    Why.SIGNATURE: (
        "Your provider signs with a key that is not in its metadata",
        "Upload its metadata anew, with old and new certificate, then test again.",
    ),
    Why.ADDRESSED_WRONGLY: (
        "Your provider sends its answers to another address or audience",
        "Enter our values at your provider exactly, then test again.",
    ),
    Why.MAPPING: (
        "Your provider does not say who the person is, as we read it",
        "Send one NameID and the e-mail address, then test again.",
    ),
    Why.ANSWER_REFUSED: ("Your provider's newest answer was refused", "Open the newest test and do what stands there."),
    Why.DOMAIN_NOT_PROVEN: (
        "Their address is not of a domain that you have proven",
        "Prove the domain, or let them change their address first.",
    ),
    Why.LINK_REJECTED: (
        "Somebody of your account rejected the link to them",
        "Take the rejection back if it is the same person after all.",
    ),
    Why.DEACTIVATED: ("Deactivated", "Invite them again if they should come back."),
    Why.NOT_JOINED: ("Invited, and has not joined yet", "They accept the invitation first."),
    Why.STAFF: ("One of the vendor's people, who do not sign in by a customer's provider", ""),
}


class Link(StrEnum):
    """How a member stands to the directory."""

    NONE = "none"
    LINKED = "linked"
    PENDING = "pending"
    CLASH = "clash"
    """A link waits because the name is linked already, under another id."""
    SECOND = "second"
    """A link waits because they are linked already, by another name or id."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of one member, or (`is_invited`) of somebody invited."""

    is_active: bool
    is_proven: bool
    """Whether their address is of a proven domain."""
    has_rule: bool
    """Whether a standing rule decides for that domain: to link a member, to let somebody invited join."""
    link: Link = Link.NONE
    is_staff: bool = False
    is_invited: bool = False
    has_account: bool = False
    """Of somebody invited: whether the address has an account already."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What would become of one person."""

    outcome: Outcome
    why: Why

    @property
    def words(self) -> str:
        """The reason in words."""
        return WORDS[self.why][0]

    @property
    def fix(self) -> str:
        """What to do, if anything."""
        return WORDS[self.why][1]


def predict(person: Person, *, barrier: Why | None) -> Prediction:
    """Foresee what becomes of one person. `barrier` is what stops everybody (`barrier_of`)."""
    if person.is_invited:
        return _invited(person, barrier)
    if not person.is_active:
        return _out(Why.DEACTIVATED)
    if barrier is not None:
        return _out(barrier)
    if person.is_staff:
        return _out(Why.STAFF)
    if not person.is_proven:
        return _out(Why.DOMAIN_NOT_PROVEN)
    if person.link is Link.CLASH:
        return Prediction(Outcome.NEEDS_APPROVAL, Why.NAME_HAS_NEW_OWNER)
    if person.link is Link.SECOND:
        return Prediction(Outcome.NEEDS_APPROVAL, Why.ALREADY_LINKED)
    if person.link is Link.LINKED:
        return Prediction(Outcome.SIGNS_IN, Why.LINKED)
    if person.link is Link.REJECTED:
        return _out(Why.LINK_REJECTED)
    if person.has_rule:
        return Prediction(Outcome.SIGNS_IN, Why.LINKED_BY_RULE)
    return Prediction(Outcome.NEEDS_APPROVAL, Why.TO_BE_APPROVED)


def _invited(person: Person, barrier: Why | None) -> Prediction:
    if barrier is not None:
        return _out(barrier)
    if not person.is_proven:
        return _out(Why.DOMAIN_NOT_PROVEN)
    if person.has_rule and not person.has_account:
        return Prediction(Outcome.NEW_ACCOUNT, Why.JOINS_BY_RULE)
    return _out(Why.NOT_JOINED)


def _out(why: Why) -> Prediction:
    return Prediction(Outcome.UNKNOWN if why is Why.NOTHING_SEEN else Outcome.LOCKED_OUT, why)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would become of all members who are active."""

    people: int = 0
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    stuck: int = 0
    """Those who would not come in by themselves, and have no passkey either."""
    owners_stuck: int = 0
    digest: str = ""
    """Of the list of those who are stuck, and why."""

    @property
    def is_grave(self) -> bool:
        """Whether nobody should enforce it without having seen the list."""
        return self.owners_stuck > 0 or self.stuck > self.people * MOST_STUCK

    @property
    def in_words(self) -> str:
        """Say what would happen."""
        if not self.stuck:
            return "Everybody would get in by themselves."
        owners = f", among them {self.owners_stuck} owner{'' if self.owners_stuck == 1 else 's'}"
        return (
            f"{self.stuck:,} of {self.people:,} people would not get in by themselves"
            f"{owners if self.owners_stuck else ''}."
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the provider to the connection as it is now: how its checks went."""

    failed: frozenset[str]
    """Codes of the checks that failed; none when it was accepted."""
    has_address: bool = True
    """Whether it named one e-mail address."""


_OF_ONE_TRY = frozenset({Code.READABLE, Code.STATUS, Code.REQUEST, Code.IN_RESPONSE_TO, Code.ONCE})
"""What fails for one person or one try, and says nothing of the others."""
_BARRIERS: tuple[tuple[Why, frozenset[Code]], ...] = (
    (Why.SIGNATURE, frozenset({Code.SIGNATURE, Code.ALGORITHMS})),
    (Why.ADDRESSED_WRONGLY, frozenset({Code.DESTINATION, Code.RECIPIENT, Code.AUDIENCE})),
    (Why.CLOCK, frozenset({Code.CONFIRMED_UNTIL, Code.CONDITIONS, Code.ISSUED})),
    (Why.MAPPING, frozenset({Code.SUBJECT})),
)


def barrier_of(answers: Iterable[Answer], *, is_connected: bool) -> Why | None:
    """Return what would stop everybody, from the provider's answers to the connection as it is now, newest first."""
    if not is_connected:
        return Why.NOT_CONNECTED
    for answer in answers:
        failed = answer.failed - _OF_ONE_TRY
        if not answer.failed:
            return None
        if failed == {Code.EMAIL} and answer.has_address:
            return None  # it told who the person is; that their domain is not proven is a matter of theirs
        if failed == {Code.EMAIL}:
            return Why.MAPPING
        if not failed:
            continue
        return next((why for why, codes in _BARRIERS if failed & codes), Why.ANSWER_REFUSED)
    return Why.NOTHING_SEEN
