"""What becomes of a mailing: one message to one audience on one occasion."""

from enum import StrEnum


class MailingState(StrEnum):
    """Where a mailing stands."""

    PLANNED = "planned"
    ISSUED = "issued"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The state's name for people."""
        return {"planned": "Planned", "issued": "Sent", "skipped": "Skipped", "withdrawn": "Withdrawn"}[self.value]


S = MailingState

TRANSITIONS: dict[MailingState, frozenset[MailingState]] = {
    # Withdrawn: the window it spoke of was changed, or the tenant's phase says otherwise by now.
    S.PLANNED: frozenset({S.ISSUED, S.SKIPPED, S.WITHDRAWN}),
    S.ISSUED: frozenset(),
    S.SKIPPED: frozenset(),
    S.WITHDRAWN: frozenset(),
}
