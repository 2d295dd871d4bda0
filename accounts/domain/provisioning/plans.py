"""What becomes of a person whom the directory names: decided from facts alone, so that a trial tells what would happen.

Who somebody is decides `signing_in.decide`, as for a sign-in by the provider: the two share one key, or people would
double. Here it is decided what follows for their membership. An address alone never ends or changes one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from accounts.domain import signing_in
from accounts.domain.signing_in import Decision
from core.permissions import TenantRole


class Outcome(StrEnum):
    """What becomes of it."""

    NOTHING = "nothing"
    LINKED = "linked"
    JOINED = "joined"
    WAITING = "waiting"
    NOBODY = "nobody"
    PUT_OUT = "put_out"
    CAME_BACK = "came_back"
    ROLE = "role"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why somebody is left as they are."""

    LAST_OWNER = "last_owner"
    BREAK_GLASS = "break_glass"
    ROLE_NOT_OURS = "role_not_ours"
    NO_ADDRESS = "no_address"
    NOT_PROVEN = "not_proven"
    ELSEWHERE = "elsewhere"
    PUT_OUT_HERE = "put_out_here"
    REJECTED = "rejected"
    STAFF = "staff"


WORDS: dict[Outcome, tuple[str, str]] = {
    Outcome.NOTHING: ("Changes nothing", "Changed nothing"),
    Outcome.LINKED: ("Would be linked to the member", "Linked to the member"),
    Outcome.JOINED: ("Would become a member", "Became a member"),
    Outcome.WAITING: ("Would wait for approval", "Waits for approval"),
    Outcome.NOBODY: ("Would not become a member", "Did not become a member"),
    Outcome.PUT_OUT: ("Would be deactivated", "Deactivated"),
    Outcome.CAME_BACK: ("Would come back", "Came back"),
    Outcome.ROLE: ("Would get another role", "Got another role"),
    Outcome.REFUSED: ("Would be refused", "Refused"),
}
"""On trial, and once enabled."""

REASONS: dict[Reason, str] = {
    Reason.LAST_OWNER: "An account must keep an owner, and this is the last: make another member an owner first.",
    Reason.BREAK_GLASS: "They are a break-glass owner, who gets in when your provider fails: name another one first, "
    "under “Company sign-in”.",
    Reason.ROLE_NOT_OURS: "Only an owner changes owners: let an owner rotate the directory's token.",
    Reason.NO_ADDRESS: "It has no e-mail address, and its userName is none: send one.",
    Reason.NOT_PROVEN: "The address is not of a domain that you have proven: prove it, or invite the person.",
    Reason.ELSEWHERE: "The address has an account already: invite the person.",
    Reason.PUT_OUT_HERE: "Somebody here deactivated the member: only people bring them back, by an invitation.",
    Reason.REJECTED: "Somebody here decided that the two are not one person.",
    Reason.STAFF: "The address belongs to one of our own people.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the member stands whom the directory's person is, or would be."""

    member_id: UUID
    role: str
    is_linked: bool = False
    """By the key, which an approval, a rule or provisioning itself has linked."""
    deactivated_at: datetime | None = None
    is_last_owner: bool = False
    is_break_glass: bool = False
    """Whether they are to get in when the directory and the provider fail."""

    @property
    def kept_for(self) -> Reason | None:
        """Why no directory takes their role or membership away; None where it may."""
        if self.is_last_owner:
            return Reason.LAST_OWNER
        return Reason.BREAK_GLASS if self.is_break_glass else None


@dataclass(frozen=True, slots=True)
class Said:
    """What the directory says of a person, and what came of it before. `role` is what their groups give."""

    is_present: bool
    has_address: bool
    role: TenantRole | None = None
    given_role: str = ""
    put_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done. With `links` the key is to be linked first; `role` is the one to have then."""

    outcome: Outcome
    reason: Reason | None = None
    member_id: UUID | None = None
    links: bool = False
    role: str = ""


def widest(roles: Iterable[str]) -> TenantRole | None:
    """Return the widest of the roles that groups give; None where they give none."""
    held = set(roles)
    return next((role for role in TenantRole if role.value in held), None)


def plan(said: Said, *, decision: Decision, standing: Standing | None, grantable: Collection[str]) -> Plan:
    """Decide; anything that is not said changes nothing. `grantable` are the roles that are the caller's to give."""
    if not said.is_present:
        return _absent(standing, grantable)
    if decision.is_in and standing is not None:
        return _known(said, decision, standing, grantable)
    if decision.outcome is signing_in.Outcome.JOINED:
        role = said.role if said.role is not None and said.role in grantable else TenantRole.MEMBER
        return Plan(Outcome.JOINED, role=role.value)
    if decision.outcome is signing_in.Outcome.WAITING:
        return Plan(Outcome.WAITING, member_id=decision.member_id)
    if decision.reason is signing_in.Reason.DEACTIVATED and standing is not None:
        ours = standing.deactivated_at is not None and standing.deactivated_at == said.put_out_at
        if not ours:
            return Plan(Outcome.NOBODY, Reason.PUT_OUT_HERE, standing.member_id)
        if standing.role not in grantable:
            return Plan(Outcome.REFUSED, Reason.ROLE_NOT_OURS, standing.member_id)
        return Plan(Outcome.CAME_BACK, member_id=standing.member_id, role=standing.role)
    return Plan(Outcome.NOBODY, _why_nobody(said, decision))


def _absent(standing: Standing | None, grantable: Collection[str]) -> Plan:
    if standing is None or not standing.is_linked or standing.deactivated_at is not None:
        return Plan(Outcome.NOTHING)
    if standing.role not in grantable:
        return Plan(Outcome.REFUSED, Reason.ROLE_NOT_OURS, standing.member_id)
    if standing.kept_for is not None:
        return Plan(Outcome.REFUSED, standing.kept_for, standing.member_id)
    return Plan(Outcome.PUT_OUT, member_id=standing.member_id)


def _known(said: Said, decision: Decision, standing: Standing, grantable: Collection[str]) -> Plan:
    wanted = said.role.value if said.role is not None else ""
    if not wanted and said.given_role and standing.role == said.given_role:
        wanted = TenantRole.MEMBER.value  # what the groups gave goes with them
    if not wanted or wanted == standing.role:
        outcome = Outcome.LINKED if decision.links else Outcome.NOTHING
        return Plan(outcome, member_id=standing.member_id, links=decision.links)
    if standing.role not in grantable or wanted not in grantable:
        return Plan(Outcome.REFUSED, Reason.ROLE_NOT_OURS, standing.member_id)
    if standing.kept_for is not None:
        return Plan(Outcome.REFUSED, standing.kept_for, standing.member_id)
    return Plan(Outcome.ROLE, member_id=standing.member_id, links=decision.links, role=wanted)


def _why_nobody(said: Said, decision: Decision) -> Reason:
    match decision.reason:
        case signing_in.Reason.STAFF:
            return Reason.STAFF
        case signing_in.Reason.LINK_REJECTED:
            return Reason.REJECTED
        case signing_in.Reason.ADDRESS_ELSEWHERE:
            return Reason.NOT_PROVEN
        case signing_in.Reason.DEACTIVATED:
            return Reason.PUT_OUT_HERE
    return Reason.NO_ADDRESS if not said.has_address else Reason.NOT_PROVEN
