"""Access reviews: how old and new access differ, how people sign in, and who may decide about whom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from core.legible import legible
from core.permissions import TenantRole

HOLDS = timedelta(days=90)
"""How long a finished review counts."""
LONGEST = timedelta(days=60)
"""The latest day by which a review can be due."""

ACTION = "accounts.access_review"
"""What a signature under a finished review approves."""
SEAT = "reviewer"
LONGEST_REASON = 300

_WIDTH = {
    role.value: width
    for width, role in enumerate((TenantRole.MEMBER, TenantRole.AUDITOR, TenantRole.ADMIN, TenantRole.OWNER), start=1)
}


class Difference(StrEnum):
    """How what somebody may do now differs from what they might before."""

    MORE = "more"
    ONLY_NEW = "only_new"
    LESS = "less"
    ONLY_OLD = "only_old"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Words:
    """How a difference is told, and the state that colours it."""

    title: str
    meaning: str
    state: str


DIFFERENCES: dict[Difference, Words] = {
    Difference.MORE: Words(
        "More", "They may do more than on the legacy platform, or a role that cannot be compared.", "warn"
    ),
    Difference.ONLY_NEW: Words("Only new", "They had no access on the legacy platform.", "warn"),
    Difference.LESS: Words("Less", "They may do less than on the legacy platform.", "info"),
    Difference.ONLY_OLD: Words("Only legacy", "They have no access yet, but had it on the legacy platform.", "info"),
    Difference.SAME: Words("Same", "They may do what they might on the legacy platform.", "pass"),
}
"""What needs a look first comes first."""


class Way(StrEnum):
    """A way in that is open to somebody now."""

    COMPANY = "company"
    PASSKEY = "passkey"
    PASSWORD = "password"  # noqa: S105  (a way in, no password)
    PROVISIONED = "provisioned"
    """Their directory keeps them, and they come in by the company's sign-in."""


WAYS: dict[Way, str] = {
    Way.COMPANY: "company sign-in",
    Way.PASSKEY: "passkey",
    Way.PASSWORD: "password",
    Way.PROVISIONED: "provisioned",
}
NO_WAY = "cannot sign in"


class Verdict(StrEnum):
    """What was decided about one person's access."""

    OPEN = ""
    ATTESTED = "attested"
    ASKED = "asked"
    """To be taken away from an owner, once a second owner agrees."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody's roles: legacy's, the new platform's and Crossing's. One that they do not have is empty."""

    old_role: str = ""
    platform_role: str = ""
    role: str = ""
    is_old_owner: bool = False
    is_platform_owner: bool = False

    @property
    def difference(self) -> Difference:
        """How what they hold now stands to the old: the new platform's role, or else Crossing's; an owner of either.

        What cannot be compared counts as more, so that somebody looks.
        """
        now = (self.platform_role or self.role).lower()
        if not now:
            return Difference.ONLY_OLD
        if not self.old_role and not self.is_old_owner:
            return Difference.ONLY_NEW
        is_owner = self.is_platform_owner or self.role == TenantRole.OWNER
        if is_owner != self.is_old_owner:
            return Difference.MORE if is_owner else Difference.LESS
        was = self.old_role.lower()
        if is_owner or now == was:
            return Difference.SAME
        if now in _WIDTH and was in _WIDTH and _WIDTH[now] < _WIDTH[was]:
            return Difference.LESS
        return Difference.MORE


@dataclass(frozen=True, slots=True)
class Access:
    """What one person may do, where, how they come in, and when they were seen last."""

    standing: Standing
    name: str
    email: str = ""
    ways: tuple[Way, ...] = ()
    seen_at: datetime | None = None
    member_id: UUID | None = None
    legacy_id: UUID | None = None
    new_id: UUID | None = None


def shown(name: str) -> str:
    """Return a name as it is shown to who decides: nothing in it hides, or turns what stands beside it around."""
    return "".join(mark if mark.isprintable() or mark in "\u200c\u200d" else " " for mark in legible(name))


def ways_in_words(ways: Collection[str]) -> str:
    """Say how somebody comes in."""
    return ", ".join(words for way, words in WAYS.items() if way in ways) or NO_WAY


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision about one person's access looks at."""

    has_access: bool
    """Whether there is anything to take away."""
    is_member: bool
    is_own: bool
    is_owner: bool
    by_owner: bool
    may_give: bool
    """Whether the role is one that whoever decides may give and take."""
    others: int
    """How many others could decide about this person."""


def unable_to_attest(asked: Asked) -> tuple[str, str] | None:
    """Say why somebody cannot attest a person's access, and what to do; None when they can."""
    if asked.is_owner and not asked.by_owner:
        return "An owner's access is attested by an owner.", "Ask an owner of your account."
    if asked.is_own and asked.others:
        return "Nobody attests their own access while somebody else can.", "Ask a colleague who may."
    return None


def unable_to_revoke(asked: Asked) -> tuple[str, str] | None:
    """Say why somebody cannot take a person's access away, and what to do; None when they can."""
    if asked.is_own:
        return "Nobody takes their own access away.", "Ask a colleague who may."
    if not asked.has_access:
        return "They have no access here, so there is nothing to take away.", "Attest that this is right."
    if not asked.is_member:
        return (
            "Their access is on the new platform only, and not ours to take away.",
            "Take them out of your directory, then attest what is left.",
        )
    if asked.is_owner and not asked.by_owner:
        return "An owner's access is taken away by owners.", "Ask an owner of your account."
    if not asked.may_give:
        return "Your role cannot take this role away.", "Ask an owner of your account."
    return None
