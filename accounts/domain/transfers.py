"""A domain's way from one account to another: asked for, proven afresh, decided by one of the vendor's people."""

from datetime import datetime, timedelta
from enum import StrEnum

FRESH_FOR = timedelta(days=7)
"""How old the proof may be on which a transfer is approved; it is looked up again then anyhow."""


class TransferState(StrEnum):
    """Where a transfer stands."""

    ASKED = "asked"
    PROVEN = "proven"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The state's name for people."""
        return {"asked": "Waits for a fresh proof", "proven": "Waits for our approval"}.get(
            self.value, self.value.capitalize()
        )


S = TransferState

TRANSITIONS: dict[TransferState, frozenset[TransferState]] = {
    S.ASKED: frozenset({S.PROVEN, S.DECLINED, S.WITHDRAWN}),
    S.PROVEN: frozenset({S.APPROVED, S.DECLINED, S.WITHDRAWN}),
    S.APPROVED: frozenset(),
    S.DECLINED: frozenset(),
    S.WITHDRAWN: frozenset(),
}

OPEN = (S.ASKED, S.PROVEN)


def is_fresh(*, proven_at: datetime | None, at: datetime) -> bool:
    """Tell whether a transfer's proof is young enough to decide on."""
    return proven_at is not None and at - proven_at <= FRESH_FOR
