"""What becomes of one person's copy of a mailing, and when a failed one is tried again."""

from datetime import timedelta
from enum import StrEnum

MOST_ATTEMPTS = 8
LEASE = timedelta(minutes=10)
"""How long whoever claimed a copy may take to hand it over."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=4)


class DeliveryState(StrEnum):
    """Where one person's copy stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    GIVEN_UP = "given_up"
    UNSURE = "unsure"

    @property
    def label(self) -> str:
        """The state's name for people."""
        return {
            "waiting": "Waiting",
            "sending": "On its way",
            "sent": "Sent",
            "refused": "Refused by the mail server",
            "given_up": "Given up",
            "unsure": "May have left",
        }[self.value]


S = DeliveryState

TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.WAITING: frozenset({S.SENDING}),
    # Unsure: whoever sent it vanished between the mail server and the row. It is not sent again by itself.
    S.SENDING: frozenset({S.SENT, S.WAITING, S.REFUSED, S.GIVEN_UP, S.UNSURE}),
    # A person looked at it and tries again.
    S.REFUSED: frozenset({S.WAITING}),
    S.GIVEN_UP: frozenset({S.WAITING}),
    S.UNSURE: frozenset({S.WAITING}),
    S.SENT: frozenset(),
}

TROUBLED = (S.REFUSED, S.GIVEN_UP, S.UNSURE)
"""What staff should look at."""


def pause(*, attempts: int) -> timedelta:
    """Return how long to wait after the given number of failed attempts: doubling from a minute up to four hours."""
    if attempts < 1:
        raise ValueError("a pause follows at least one attempt")
    return min(_FIRST_PAUSE * (1 << min(attempts - 1, 10)), _LONGEST_PAUSE)


def after_failure(*, attempts: int) -> DeliveryState:
    """Return what a copy becomes whose delivery failed for now."""
    return S.WAITING if attempts < MOST_ATTEMPTS else S.GIVEN_UP
