"""What becomes of each integration: every one has a stated fate, none is silently gone."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from core.inventory import Integration, Kind

IDLE_AFTER = timedelta(days=180)


class Fate(StrEnum):
    """What becomes of an integration."""

    MOVES = "moves"
    RECREATED = "recreated"
    ROTATED = "rotated"
    RETIRED = "retired"

    @property
    def words(self) -> str:
        """What the customer reads."""
        return _WORDS[self]


_WORDS = {
    Fate.MOVES: "Moves as it is",
    Fate.RECREATED: "Is set up again",
    Fate.ROTATED: "Gets a new secret",
    Fate.RETIRED: "Is retired",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What we would do, and why; the customer decides."""

    fate: Fate
    reason: str


def propose(integration: Integration, *, on: date) -> Proposal:
    """Propose a fate."""
    if not integration.is_active:
        return Proposal(Fate.RETIRED, "It is switched off in legacy.")
    used = integration.last_used_on
    if used is not None and on - used > IDLE_AFTER and integration.kind is not Kind.WEBHOOK:
        return Proposal(Fate.RETIRED, f"It was last used on {used.day} {used:%B %Y}.")
    match integration.kind:
        case Kind.WEBHOOK:
            return Proposal(
                Fate.RECREATED, "The new platform signs every message; legacy keeps no secret that could sign."
            )
        case Kind.API_KEY:
            return Proposal(Fate.ROTATED, "Legacy keeps only a digest of the key, so a new one is issued.")
        case Kind.SSO:
            return Proposal(Fate.RECREATED, "Your identity provider gets the new platform's metadata.")
        case _:
            return Proposal(Fate.MOVES, "The new platform answers at the old interface until the sunset date.")


def needs_reason(fate: Fate) -> bool:
    """Whether a fate must say why: what is given up is given up for a reason."""
    return fate is Fate.RETIRED
