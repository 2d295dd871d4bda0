"""Whether somebody may do something, as an ordered trail of gates: the same for enforcing and for explaining."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Gate(StrEnum):
    """What is asked, in this order."""

    FLAG = "flag"
    ENTITLEMENT = "entitlement"
    ROLE = "role"
    POLICY = "policy"
    SIGN_IN = "sign_in"
    MOMENT = "moment"
    """Whether it can be done now, in the state things are in."""

    @property
    def label(self) -> str:
        """The gate's name for people."""
        return {
            "flag": "Feature switch",
            "entitlement": "Your plan",
            "role": "Role",
            "policy": "Rule of your organisation",
            "sign_in": "Sign-in",
            "moment": "Right now",
        }[self.value]


class Verdict(StrEnum):
    """What a gate says. UNKNOWN is never taken for either."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Grant:
    """What would open a gate: its key (`role:auditor`; empty where nobody can grant it), in words, and who can."""

    words: str
    who: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One gate's answer with its reason."""

    gate: Gate
    verdict: Verdict
    reason: str
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole trail, and what follows from it."""

    steps: tuple[Step, ...]

    @property
    def verdict(self) -> Verdict:
        """PASS when every gate passes; FAIL when one fails; UNKNOWN otherwise, and for no gate at all."""
        verdicts = {step.verdict for step in self.steps}
        if Verdict.FAIL in verdicts:
            return Verdict.FAIL
        return Verdict.PASS if verdicts == {Verdict.PASS} else Verdict.UNKNOWN

    @property
    def is_allowed(self) -> bool:
        """Whether it may be done: only when nothing fails and nothing is unknown."""
        return self.verdict is Verdict.PASS

    @property
    def stopped_at(self) -> Step | None:
        """The earliest gate that fails; where none does, the earliest unknown one; None when it is allowed."""
        for wanted in (Verdict.FAIL, Verdict.UNKNOWN):
            found = next((step for step in self.steps if step.verdict is wanted), None)
            if found:
                return found
        return None

    @property
    def nearest_grant(self) -> Grant | None:
        """What the first failing gate lacks, where somebody can give it."""
        stopped = self.stopped_at
        return stopped.grant if stopped and stopped.verdict is Verdict.FAIL else None


def conclude(steps: Iterable[Step]) -> Decision:
    """Return the decision of these gates, in the order of the gates."""
    order = list(Gate)
    return Decision(tuple(sorted(steps, key=lambda step: order.index(step.gate))))
