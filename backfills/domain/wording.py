"""What a person is told about outcomes: safe words, never a value of a row nor a server's own text."""

from dataclasses import dataclass

from backfills.domain.judgement import Fate, Test
from backfills.domain.spec import Spec

FATES = {
    Fate.MIGRATED: "Moved as it was",
    Fate.TRANSFORMED: "Moved by a rule",
    Fate.MERGED: "Merged into another",
    Fate.DROPPED: "Left behind by a rule",
    Fate.QUARANTINED: "Rejected",
}

_CORRECT = "Correct “{column}” of these rows in legacy, then try them again."
_BUILT_IN = {
    Test.UNREADABLE: ("The value of “{column}” cannot be read.", _CORRECT),
    Test.MISSING: (
        "“{column}” is empty, but the new platform needs it.",
        "Fill in “{column}” in legacy, then try again.",
    ),
    Test.TOO_LONG: ("The value of “{column}” is too long for the new platform.", _CORRECT),
    Test.OUT_OF_RANGE: ("The value of “{column}” is outside of what the new platform can hold.", _CORRECT),
    Test.NOT_ALLOWED: ("“{column}” holds a value that the new platform does not know.", _CORRECT),
    Test.NO_REFERENCE: (
        "“{column}” refers to something that is not on the new platform.",
        "Add what “{column}” refers to in legacy and move it first, or correct “{column}”; then try again.",
    ),
}
REFUSED = "refused_by_target"


@dataclass(frozen=True, slots=True)
class Words:
    """Why rows ended so, and what the customer can do about it."""

    title: str
    because: str
    fix: str = ""


def of(spec: Spec, *, fate: str, rule: str, column: str = "") -> Words:
    """Explain an outcome by its rule."""
    title = rule.replace("_", " ").capitalize() if rule else FATES[Fate(fate)]
    if known := spec.rule(rule):
        return Words(title, known.because, known.fix or (_CORRECT.format(column=column) if _rejects(fate) else ""))
    if rule == REFUSED:
        return Words(
            "Refused by the new platform",
            f"The new platform does not accept these rows (its rule “{column}”).",
            "Correct these rows in legacy, then try them again; our data lead can tell what the rule asks.",
        )
    if rule in _BUILT_IN:
        because, fix = _BUILT_IN[Test(rule)]
        return Words(title, because.format(column=column), fix.format(column=column))
    return Words(title, "The row satisfies every rule and moved without a change of meaning.")


def _rejects(fate: str) -> bool:
    return fate == Fate.QUARANTINED
