"""Taking passwords away for good: what must stand before, and for how long there is a way back."""

from dataclasses import dataclass
from datetime import timedelta

from accounts.domain.enforcement import State
from accounts.domain.recovery import SEATS

REVERSIBLE = timedelta(days=30)
"""How long the sealed passwords are kept; then they are forgotten."""
FLAG_LASTS = timedelta(days=14)
"""How long the vendor's flag lets the switch be turned."""


@dataclass(frozen=True, slots=True)
class Untried:
    """Active members who have not signed in by their company yet."""

    count: int = 0
    digest: str = ""
    """Of the list of them; empty for nobody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision about taking passwords away looks at."""

    is_flagged: bool
    """Whether the vendor's flag for it is on."""
    state: State
    has_cutback: bool
    """Whether a cutback runs or waits for approval."""
    break_glass: int
    untried: Untried
    excepted_list: str
    """Digest of the list of the untried that was seen and excepted."""


def refusal(asked: Asked) -> tuple[str, str] | None:
    """Say why passwords cannot be taken away now, and what to do; None when they can."""
    if asked.state is State.REMOVED:
        return "The passwords are taken away already.", ""
    if not asked.is_flagged:
        return "This switch is not open for your account.", "Ask your runbook owner to open it after your move."
    if asked.has_cutback:
        return "A cutback is open: passwords may be needed.", "End it first, or wait until it is over."
    if asked.state is not State.ENFORCED:
        return "Passwords still sign your people in.", "Enforce your company's sign-in first."
    if asked.break_glass < len(SEATS):
        return "Two owners must hold recovery codes.", "Let each make a new set above."
    if asked.untried.count and asked.excepted_list != asked.untried.digest:
        return (
            f"{asked.untried.count:,} members have never signed in by your company.",
            "Wait until they have, or except them as they stand now.",
        )
    return None
