"""What is missing or misconfigured, here and in production: each finding names what, and the fix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing looked at: what it is, and, if it needs mending, how."""

    what: str
    fix: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing needs to be done."""
        return not self.fix


Examination = Callable[[], Iterator[Symptom]]


def examine(*examinations: Examination) -> Iterator[Symptom]:
    """Go through all examinations; one that breaks is a symptom itself, and the others go on."""
    for examination in examinations:
        try:
            yield from examination()
        except Exception as error:  # noqa: BLE001 - a doctor that faints at the first wound helps nobody
            yield Symptom(
                f"{(examination.__doc__ or examination.__name__).split('.')[0]} could not be looked at",
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}",
            )
