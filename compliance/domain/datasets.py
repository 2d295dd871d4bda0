"""What is deleted once the move needs it no more: how each is called, and why it was kept."""

from enum import StrEnum


class Dataset(StrEnum):
    """Something that was copied or kept for the move alone."""

    STAGE = "stage"
    """Raw rows, outcomes, dead letters and checkpoints that runs keep beside the new platform's data."""
    PEOPLE = "people"
    """What names a person in the identity map, and what people wrote about them; ids, keys and decisions stay."""

    @property
    def label(self) -> str:
        """What it is called on a page."""
        return {Dataset.STAGE: "Data staged for the move", Dataset.PEOPLE: "Names in the identity map"}[self]

    @property
    def purpose(self) -> str:
        """What it was kept for."""
        return {
            Dataset.STAGE: "moving data to the new platform",
            Dataset.PEOPLE: "finding out who of legacy is whom on the new platform",
        }[self]
