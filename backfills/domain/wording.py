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
    if rule:
        return Words(title, "This rule stands in another version of the mapping.")
    return Words(title, "The row satisfies every rule and moved without a change of meaning.")


_KEPT = (
    "The last run found nothing in legacy that asks for this object any more. It stays because a legal hold stood then;"
    " the first run after the hold is released removes it."
)
_KEPT_BY_RULE = "Legacy had marked it as held before its row was gone, and the mapping keeps such objects: {because}"


def of_held(spec: Spec, *, rule: str = "") -> Words:
    """Explain why an object stays that nothing of legacy asks for any more: by a rule, or under a legal hold."""
    known = spec.rule(rule)
    return Words("Held", _KEPT_BY_RULE.format(because=known.because) if known else _KEPT)


def held(number: int, *, stands: bool) -> Words | None:
    """Tell of an account that a legal hold stands, and of how many objects are held; None where neither is so."""
    objects = "1 object is" if number == 1 else f"{number:,} objects are"
    told = f"{objects} held: nothing in legacy asks for {'it' if number == 1 else 'them'} any more."
    if stands:
        rest = f" {told} The first run after the release removes what is held." if number else ""
        return Words("A legal hold stands on this account", f"Nothing of it is removed until it is released.{rest}")
    return Words(f"{objects} held", "The next run removes what nothing holds any more.") if number else None


def _rejects(fate: str) -> bool:
    return fate == Fate.QUARANTINED
