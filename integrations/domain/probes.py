"""The harness: what is sent to a receiver, what it should answer, and what to do where it does not.

A receiver that takes a genuine message and refuses every other one verifies signature, timestamp and id
(Standard Webhooks 1.0.0). Refusals count only after a genuine message was taken: an address that answers 404 to
everything refuses nothing. While a secret is replaced, a genuine message has a signature by each secret, and one more
is to be taken that only the new one has signed: it shows whether the old one can end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Probe(StrEnum):
    """One message of the harness, in the order of sending."""

    GENUINE = "genuine"
    NEW_SECRET = "new_secret"  # noqa: S105  (a probe, no password)
    REPEATED = "repeated"
    STALE = "stale"
    TAMPERED = "tampered"
    FORGED = "forged"
    UNSIGNED = "unsigned"


class Outcome(StrEnum):
    """How a receiver did; the values are states of the components."""

    PASS = "pass"  # noqa: S105  (an outcome, no password)
    BLOCK = "block"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """What a receiver answered to a probe, what it should have, and what to do."""

    probe: Probe
    outcome: Outcome
    got: str
    fix: str = ""
    took_ms: int | None = None

    @property
    def title(self) -> str:
        """What was sent."""
        return _PROBES[self.probe][0]

    @property
    def expected(self) -> str:
        """What should be answered."""
        return _PROBES[self.probe][1]


_PROBES = {
    Probe.GENUINE: (
        "A genuine message is taken",
        "2xx",
        "Answer 200 or 204 once you have stored the message, and work on it afterwards.",
    ),
    Probe.NEW_SECRET: (
        "A message signed with the new secret alone is taken",
        "2xx",
        "Give your receiver the new secret before the old one ends, then run the harness again.",
    ),
    Probe.REPEATED: (
        "The same message a second time is refused",
        "4xx, best 409",
        (
            "Keep each webhook-id for at least ten minutes and answer 409 to one that you know. When we send a message "
            "again because your answer was lost, we take the 409 as delivered."
        ),
    ),
    Probe.STALE: (
        "A message of ten minutes ago is refused",
        "4xx, best 401",
        "Compare webhook-timestamp with your clock and answer 401 where they differ by more than five minutes.",
    ),
    Probe.TAMPERED: (
        "A message whose body was changed is refused",
        "4xx, best 401",
        "Verify the signature over the body as it came, before anything parses it, and answer 401 where it differs.",
    ),
    Probe.FORGED: (
        "A message signed with another secret is refused",
        "4xx, best 401",
        "Verify webhook-signature with the secret of this endpoint and answer 401 where none of its parts matches.",
    ),
    Probe.UNSIGNED: (
        "A message without a signature is refused",
        "4xx, best 401",
        "Answer 401 where webhook-id, webhook-timestamp or webhook-signature is missing.",
    ),
}
_TO_TAKE = frozenset({Probe.GENUINE, Probe.NEW_SECRET})
_BUSY = frozenset({408, 425, 429})
_NOT_TRIED = "Not tried: a receiver that does not take a genuine message refuses nothing on purpose"


def judge(probe: Probe, *, status: int | None, trouble: str = "", took_ms: int | None = None) -> Result:
    """Judge an answer; `trouble` says why there is none (`status` None)."""
    fix = _PROBES[probe][2]
    if status is None:
        return Result(probe, Outcome.BLOCK if probe is Probe.GENUINE else Outcome.UNKNOWN, trouble, _WAY_OUT, took_ms)
    got = f"{status}"
    if status in _BUSY:
        return Result(
            probe, Outcome.UNKNOWN, got, "Your receiver asked us to slow down. Run the harness again.", took_ms
        )
    if probe in _TO_TAKE:
        if 200 <= status < 300:
            return Result(probe, Outcome.PASS, got, took_ms=took_ms)
        return Result(probe, Outcome.BLOCK, got, (probe is Probe.GENUINE and _refused(status)) or fix, took_ms)
    if 400 <= status < 500:
        return Result(probe, Outcome.PASS, got, took_ms=took_ms)
    if status >= 500:
        fix = f"An error on your side is no refusal: it is tried again. {fix}"
    return Result(probe, Outcome.BLOCK, got, fix, took_ms)


def planned(*, is_rotating: bool) -> list[Probe]:
    """Return what is sent, in order: a message by the new secret alone only while there is another one."""
    return [probe for probe in Probe if is_rotating or probe is not Probe.NEW_SECRET]


def not_tried(*, is_rotating: bool) -> list[Result]:
    """Return the results of every probe after a genuine message that was not taken."""
    fix = "Let the genuine message through first, then run the harness again."
    return [Result(probe, Outcome.UNKNOWN, _NOT_TRIED, fix) for probe in planned(is_rotating=is_rotating)[1:]]


def has_passed(results: Sequence[Result]) -> bool:
    """Tell whether every probe was sent that always is, and everything that was sent was answered as it should be."""
    sent = {result.probe for result in results}
    return sent >= set(planned(is_rotating=False)) and all(result.outcome is Outcome.PASS for result in results)


_WAY_OUT = "See that the address answers from the public internet, then run the harness again."


def _refused(status: int) -> str:
    """Say what the answer to a genuine message points at."""
    if status in {401, 403}:
        return "Give your receiver the secret of this endpoint, and let it verify the body as it came."
    if status == 404:
        return "Nothing answers at this path: check the address."
    if 300 <= status < 400:
        return "We follow no redirect with a signed message: register the address it leads to."
    return ""
