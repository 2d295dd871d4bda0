"""What becomes of an answer of a tenant's identity provider: who is signed in by it, or why nobody is.

An address alone signs nobody in. It proposes a member, and somebody of the tenant approves: this person, many at once,
or once and for all (a standing rule) for a domain that the tenant has proven.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from accounts.domain import directory
from accounts.domain.directory import Key, Match
from accounts.domain.people import domain_of


class Outcome(StrEnum):
    """What becomes of it."""

    SIGNED_IN = "signed_in"
    JOINED = "joined"
    WAITING = "waiting"
    REFUSED = "refused"


OUTCOMES: dict[Outcome, str] = {
    Outcome.SIGNED_IN: "Signed in",
    Outcome.JOINED: "Joined",
    Outcome.WAITING: "Waits",
    Outcome.REFUSED: "Refused",
}
"""In words."""


class Reason(StrEnum):
    """Why; each has its words for the person and for the tenant's admin (`REASONS`)."""

    LINKED = "linked"
    LINKED_BY_RULE = "linked_by_rule"
    JOINED_BY_RULE = "joined_by_rule"
    TO_BE_APPROVED = "to_be_approved"
    NAME_HAS_NEW_OWNER = "name_has_new_owner"
    ALREADY_LINKED = "already_linked"
    ANSWER_REFUSED = "answer_refused"
    NAME_NOT_LASTING = "name_not_lasting"
    NOT_A_MEMBER = "not_a_member"
    LINK_REJECTED = "link_rejected"
    DEACTIVATED = "deactivated"
    ADDRESS_ELSEWHERE = "address_elsewhere"
    STAFF = "staff"


REASONS: dict[Reason, tuple[str, str]] = {
    Reason.LINKED: ("Linked to the member", ""),
    Reason.LINKED_BY_RULE: ("Linked by your standing rule for the domain", ""),
    Reason.JOINED_BY_RULE: ("Joined by your standing rule for the domain", ""),
    Reason.TO_BE_APPROVED: (
        "The address is a member's, and the link to them waits for approval",
        "Approve the link, or let a standing rule do so for the domain.",
    ),
    Reason.NAME_HAS_NEW_OWNER: (
        "The name is linked already, but your provider now gives another id with it",
        "Look whether the name was given to a new person before you approve the link.",
    ),
    Reason.ALREADY_LINKED: (
        "The address is a member's who signs in as somebody else of your directory",
        "Look whether both are one person before you approve the link: whoever can write an address could be anybody.",
    ),
    Reason.ANSWER_REFUSED: (
        "The provider's answer was refused",
        "Look at the failed checks, and do what stands there.",
    ),
    Reason.NAME_NOT_LASTING: (
        "The provider names the person by a NameID that is made anew for each sign-in (transient)",
        "Choose the e-mail address, or a persistent NameID, at your provider.",
    ),
    Reason.NOT_A_MEMBER: (
        "Nobody in your account has this address",
        "Invite the person, or let a standing rule admit everybody of the domain.",
    ),
    Reason.LINK_REJECTED: (
        "The link to this member was rejected",
        "Take the rejection back if the two are one person after all.",
    ),
    Reason.DEACTIVATED: (
        "The member is deactivated",
        "Invite the person again if they should come back.",
    ),
    Reason.ADDRESS_ELSEWHERE: (
        "The member's own address is not of a domain you have proven",
        "Prove the domain, or let the person change their address here first.",
    ),
    Reason.STAFF: (
        "The address belongs to one of our own people",
        "Nothing to do: our people do not sign in by a customer's provider.",
    ),
}
"""For the tenant's admin: what happened, and what to do."""

WAITING = (Reason.TO_BE_APPROVED, Reason.NAME_HAS_NEW_OWNER, Reason.ALREADY_LINKED)
"""Why a link waits for somebody of the tenant."""

_WAITS = (
    "Your sign-in waits for approval.",
    "We tell your organisation's owners and admins by mail. One of them confirms that this is you; then sign in again.",
)
_NO_ANSWER = (
    "We could not accept what your organisation's sign-in page sent.",
    "Try again. If it stays, give the reference below to whoever looks after single sign-on at your organisation.",
)
_NO_ACCESS = (
    "You have no access to Crossing by this sign-in.",
    "If you should have, give the reference below to whoever looks after your organisation's account here.",
)


def words_for_person(reason: Reason) -> tuple[str, str]:
    """Return what a person who was not signed in is told, and what to do: nothing that tells who has an account."""
    if reason in WAITING:
        return _WAITS
    return _NO_ANSWER if reason in (Reason.ANSWER_REFUSED, Reason.NAME_NOT_LASTING) else _NO_ACCESS


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member whom an answer may sign in. `is_linked`: somebody of the directory has come in as them."""

    member_id: UUID
    address: str
    is_active: bool = True
    is_staff: bool = False
    is_linked: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A person of the directory, linked to a member."""

    member_id: UUID
    external_id: str = ""
    user_name: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides. `is_accepted` is the strict layer's word; `linking` and `joining` are domains with a rule.

    `identities` are those that share a part of the key; `members` those they name and whoever has the asserted address;
    `rejected` the members to whom somebody refused to link this person; `is_known_elsewhere`: the address has an
    account that is no member's.
    """

    is_accepted: bool
    key: Key
    addresses: tuple[str, ...]
    domains: frozenset[str]
    identities: Sequence[Identity] = ()
    members: Sequence[Candidate] = ()
    linking: frozenset[str] = frozenset()
    joining: frozenset[str] = frozenset()
    rejected: frozenset[UUID] = frozenset()
    is_known_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of it and why. With `links`, the key is to be linked to the member first."""

    outcome: Outcome
    reason: Reason
    member_id: UUID | None = None
    links: bool = False

    @property
    def is_in(self) -> bool:
        """Whether somebody is signed in."""
        return self.outcome in (Outcome.SIGNED_IN, Outcome.JOINED)


def decide(facts: Facts) -> Decision:
    """Decide from the facts alone; anything that is not said refuses."""
    if not facts.is_accepted:
        return Decision(Outcome.REFUSED, Reason.ANSWER_REFUSED)
    if not facts.key:
        return Decision(Outcome.REFUSED, Reason.NAME_NOT_LASTING)
    match = directory.match(facts.key, facts.identities)
    if match.found is not None:
        return _of_linked(facts, match.found)
    return _of_address(facts, match)


def _of_linked(facts: Facts, identity: Identity) -> Decision:
    member = next((each for each in facts.members if each.member_id == identity.member_id), None)
    if member is None:
        return Decision(Outcome.REFUSED, Reason.DEACTIVATED)
    if reason := _bar(facts, member):
        return Decision(Outcome.REFUSED, reason, member.member_id)
    return Decision(Outcome.SIGNED_IN, Reason.LINKED, member.member_id)


def _of_address(facts: Facts, match: Match[Any]) -> Decision:
    address = facts.addresses[0].lower() if len(facts.addresses) == 1 else ""
    domain = domain_of(address)
    if domain not in facts.domains:
        return Decision(Outcome.REFUSED, Reason.NOT_A_MEMBER)
    member = next((each for each in facts.members if each.address.lower() == address), None)
    if member is None:
        joins = domain in facts.joining and not facts.is_known_elsewhere and match.clash is None
        return (
            Decision(Outcome.JOINED, Reason.JOINED_BY_RULE, links=True)
            if joins
            else Decision(Outcome.REFUSED, Reason.NOT_A_MEMBER)
        )
    if reason := _bar(facts, member):
        return Decision(Outcome.REFUSED, reason, member.member_id)
    if member.member_id in facts.rejected:
        return Decision(Outcome.REFUSED, Reason.LINK_REJECTED, member.member_id)
    if match.clash is not None:  # a rule cannot know whether the name was given to a new person
        return Decision(Outcome.WAITING, Reason.NAME_HAS_NEW_OWNER, member.member_id)
    if member.is_linked:  # a second person with the address: who may write their own would be whom they like
        return Decision(Outcome.WAITING, Reason.ALREADY_LINKED, member.member_id)
    if domain in facts.linking:
        return Decision(Outcome.SIGNED_IN, Reason.LINKED_BY_RULE, member.member_id, links=True)
    return Decision(Outcome.WAITING, Reason.TO_BE_APPROVED, member.member_id)


def _bar(facts: Facts, member: Candidate) -> Reason | None:
    """Say why a tenant's provider may not sign this member in.

    A user may belong to other tenants too, so only the proven holder of their address's domain may vouch for them: it
    could read their mail anyway.
    """
    if member.is_staff:
        return Reason.STAFF
    if not member.is_active:
        return Reason.DEACTIVATED
    if domain_of(member.address) not in facts.domains:
        return Reason.ADDRESS_ELSEWHERE
    return None
