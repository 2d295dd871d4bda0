"""What is deleted once the move needs it no more: how each is called, and why it was kept."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

KEPT = timedelta(days=90)
"""For how long after the move any of it stays; then it goes by itself, unless the vendor ordered it earlier."""
GONE = "compliance.copies_gone"
"""The check that asks whether all of it went."""
GRACE = timedelta(days=3)
"""After which what should be gone and is not is told: it is ordered daily, and what stage data need the day after."""


class Dataset(StrEnum):
    """Something that was copied or kept for the move alone."""

    STAGE = "stage"
    """Raw rows, outcomes, dead letters and checkpoints that runs keep beside the new platform's data."""
    MOVES = "moves"
    """Our own copies of dead letters, keys of batches and examples of inspections; runs and their totals stay."""
    PEOPLE = "people"
    """What names a person in the identity map, and what people wrote about them; ids, keys and decisions stay."""

    FINDINGS = "findings"
    """Parity reports, drift, reconciliations and shadow reads; the ledger keeps verdicts and digests."""
    CONTRACTS = "contracts"
    """What both platforms said of the contract, and where they differed; what the customer chose stays."""
    MESSAGES = "messages"
    """Messages that tried the customer's endpoints, and what these answered."""

    @property
    def label(self) -> str:
        """What it is called on a page."""
        return _TOLD[self].label

    @property
    def purpose(self) -> str:
        """What it was kept for."""
        return _TOLD[self].purpose

    @property
    def rows(self) -> str:
        """What its rows are called where they are counted."""
        return _TOLD[self].rows

    @property
    def owner(self) -> str:
        """Who answers for it."""
        return _TOLD[self].owner


@dataclass(frozen=True, slots=True)
class _Told:
    label: str
    purpose: str
    rows: str
    owner: str


_TOLD = {
    Dataset.STAGE: _Told("Data staged for the move", "moving data to the new platform", "staged rows", "data"),
    Dataset.MOVES: _Told(
        "Rejected rows, keys of batches and examples",
        "telling which rows could not move, and why",
        "rejected rows, keys of batches and examples",
        "data",
    ),
    Dataset.PEOPLE: _Told(
        "Names in the identity map",
        "finding out who of legacy is whom on the new platform",
        "rows that name people in the identity map",
        "identity-billing",
    ),
    Dataset.FINDINGS: _Told(
        "Findings of comparisons", "showing that both platforms hold the same", "rows of what comparisons found", "data"
    ),
    Dataset.CONTRACTS: _Told(
        "Contracts as both platforms had them",
        "showing that what was promised is what is billed",
        "rows of what both platforms said of the contract",
        "identity-billing",
    ),
    Dataset.MESSAGES: _Told(
        "Test messages and their answers",
        "trying endpoints before the move",
        "rows of test messages",
        "integrations",
    ),
}
