"""Support cases: how grave, in which state, who may bring them where."""

from enum import StrEnum


class Severity(StrEnum):
    """How much a case stands in the way; urgent ones keep the go/no-go shut."""

    URGENT = "1"
    HIGH = "2"
    NORMAL = "3"
    LOW = "4"

    @property
    def label(self) -> str:
        """The severity as people choose it."""
        return {
            "1": "Urgent: our data or our work is at risk",
            "2": "High: we cannot go on preparing",
            "3": "Normal: something does not work as it should",
            "4": "Low: a question",
        }[self.value]

    @property
    def short(self) -> str:
        """The severity in one word."""
        return self.label.partition(":")[0]


class CaseState(StrEnum):
    """Where a support case stands."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """The state's name for people."""
        return {"in_progress": "In progress", "waiting": "Waiting for you"}.get(self.value, self.value.capitalize())


S = CaseState

TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    S.NEW: frozenset({S.IN_PROGRESS, S.WAITING, S.RESOLVED}),
    S.IN_PROGRESS: frozenset({S.WAITING, S.RESOLVED}),
    # The customer's answer brings it back; their confirmation resolves it.
    S.WAITING: frozenset({S.IN_PROGRESS, S.RESOLVED}),
    # Opened again by an answer of the customer.
    S.RESOLVED: frozenset({S.IN_PROGRESS, S.CLOSED}),
    S.CLOSED: frozenset(),
}

OPEN = (S.NEW, S.IN_PROGRESS, S.WAITING)
RUNNING = (S.NEW, S.IN_PROGRESS)
"""States in which our clock runs."""


def sources(target: CaseState) -> list[str]:
    """Return the states from which a case may come to another, for the conditional update."""
    return [source.value for source, targets in TRANSITIONS.items() if target in targets]


def after_customer_wrote(state: CaseState) -> CaseState:
    """Return the state of a case once its customer has written: it is our turn again."""
    return S.IN_PROGRESS if state in (S.WAITING, S.RESOLVED) else state


def after_staff_wrote(state: CaseState) -> CaseState:
    """Return the state of a case once one of us has written: it is the customer's turn, unless it is over."""
    return S.WAITING if state in RUNNING else state
