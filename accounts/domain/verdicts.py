"""The words of a judgement on a sign-in: what was checked, what was expected, what came, what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How one check of a response ended."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    WARN = "warn"
    FAIL = "fail"


class Code(StrEnum):
    """What is checked, in the order in which people read it."""

    READABLE = "readable"
    STATUS = "status"
    STRUCTURE = "structure"
    SCHEMA = "schema"
    SIGNATURE = "signature"
    ALGORITHMS = "algorithms"
    CERTIFICATE = "certificate"
    ISSUER = "issuer"
    DESTINATION = "destination"
    REQUEST = "request"
    IN_RESPONSE_TO = "in_response_to"
    CONFIRMATION = "confirmation"
    RECIPIENT = "recipient"
    CONFIRMED_REQUEST = "confirmed_request"
    CONFIRMED_UNTIL = "confirmed_until"
    AUDIENCE = "audience"
    CONDITIONS = "conditions"
    ISSUED = "issued"
    ONCE = "once"
    SUBJECT = "subject"
    EMAIL = "email"
    SECOND = "second"


TITLES = {
    Code.READABLE: "The answer can be read",
    Code.STATUS: "Your provider let the person in",
    Code.STRUCTURE: "It has one assertion, where it belongs",
    Code.SCHEMA: "It keeps the form of SAML 2.0",
    Code.SIGNATURE: "The assertion is signed by your provider",
    Code.ALGORITHMS: "The signature is made with SHA-2",
    Code.CERTIFICATE: "The signing certificate is in date",
    Code.ISSUER: "It comes from your provider",
    Code.DESTINATION: "It is addressed to us",
    Code.REQUEST: "We asked for it, once and just now",
    Code.IN_RESPONSE_TO: "It answers our request",
    Code.CONFIRMATION: "The bearer may present it",
    Code.RECIPIENT: "The bearer may present it here",
    Code.CONFIRMED_REQUEST: "The bearer may present it for our request",
    Code.CONFIRMED_UNTIL: "The bearer may present it now",
    Code.AUDIENCE: "It is meant for us",
    Code.CONDITIONS: "It is valid now",
    Code.ISSUED: "It was made just now",
    Code.ONCE: "It was not used before",
    Code.SUBJECT: "It names one person",
    Code.EMAIL: "The address is of a domain you have proven",
    Code.SECOND: "A second program accepts it too",
}
FOUNDATION = frozenset({Code.READABLE, Code.STRUCTURE, Code.SIGNATURE, Code.ALGORITHMS})
"""What must hold before anything else in a message is more than a stranger's word."""

PERSONAL = frozenset({Code.SUBJECT, Code.EMAIL})
"""Checks whose details may speak of a person."""

LONGEST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a response. `is_trusted` says whether what it looked at is signed by the provider."""

    code: Code
    verdict: Verdict
    expected: str = ""
    got: str = ""
    fix: str = ""
    is_trusted: bool = True

    @property
    def title(self) -> str:
        """What is checked, in words."""
        return TITLES[self.code]


@dataclass(frozen=True, slots=True)
class Judgement:
    """All checks of a response."""

    checks: tuple[Check, ...]

    @property
    def is_accepted(self) -> bool:
        """Whether somebody may be signed in by the response: every check holds."""
        return all(check.verdict is not Verdict.FAIL for check in self.checks)

    @property
    def is_trusted(self) -> bool:
        """Whether the message is what the provider signed."""
        return all(check.verdict is not Verdict.FAIL for check in self.checks if check.code in FOUNDATION)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that fail, in the order in which to put them right."""
        return tuple(check for check in self.checks if check.verdict is Verdict.FAIL)


def checked(code: Code, *, holds: bool, expected: str, got: str, fix: str) -> Check:
    """Return a check that passes if it holds, and else fails with its fix."""
    return Check(code, Verdict.PASS if holds else Verdict.FAIL, expected, got, "" if holds else fix)


def shown(text: str | None) -> str:
    """Return a stranger's text as a page may show it: printable, and not a flood."""
    if text is None:
        return "nothing"
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    if len(printable) > LONGEST_SHOWN:
        printable = printable[: LONGEST_SHOWN - 1] + "…"
    return printable or "an empty value"


def listed(texts: Iterable[str]) -> str:
    """Return several texts of a stranger's, or that there is none."""
    return ", ".join(map(shown, texts)) or "nothing"
