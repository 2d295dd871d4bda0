"""A provider's signing certificates over time: what new metadata add, what they let go, and when people are warned.

A certificate is trusted because it stood in the provider's metadata or a person added it; it stays trusted beside its
successor, so that a provider may change its key at a moment of its own.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.saml import SigningCertificate

MOST_TRUSTED = 10
WARN_DAYS = (30, 14, 7, 1)
"""How many days before the last certificate ends people are told."""
MISSED_TO_RETIRE = 3
"""After so many readings in a row without it, a certificate that signs no more is let go."""


class Source(StrEnum):
    """Where a certificate came from."""

    FILE = "file"
    ADDRESS = "address"
    HAND = "hand"

    @property
    def label(self) -> str:
        """The source in words."""
        return {"file": "Your metadata", "address": "Your metadata address", "hand": "Added by hand"}[self.value]


class Reason(StrEnum):
    """Why a certificate is trusted no more."""

    PERSON = "person"
    GONE = "gone"
    REPLACED = "replaced"

    @property
    def label(self) -> str:
        """The reason in words."""
        return {
            "person": "Retired by hand",
            "gone": "No longer in your metadata",
            "replaced": "Of the provider before",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate as we hold it. `missed` counts the readings in a row, since `missing_since`, that lack it."""

    fingerprint: str
    source: Source
    not_before: datetime
    not_after: datetime
    retired: Reason | None = None
    missed: int = 0
    missing_since: datetime | None = None
    signed_at: datetime | None = None
    """When an answer was last signed with it."""

    def is_in_date(self, *, at: datetime) -> bool:
        """Whether its own dates hold."""
        return self.not_before <= at < self.not_after


@dataclass(frozen=True, slots=True)
class Difference:
    """What new metadata do to the certificates, by fingerprint.

    `added` are trusted from now on, and `again` those of them that were once and had been let go; `back` are listed
    again, `missing` are no longer listed but stay trusted, and `retired` are trusted no more.
    """

    added: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


def compare(held: Iterable[Held], listed: Collection[SigningCertificate], *, at: datetime) -> Difference:
    """Say what a reading of the provider's metadata changes; a connection that works goes on working.

    What a person retired stays so although it is listed; what a person added stays although it is not. A certificate
    is let go only once it was missing several times, has signed nothing since, and another in date is listed.
    """
    known = {each.fingerprint: each for each in held}
    names = {each.fingerprint for each in listed}
    trusted = [each for each in known.values() if each.retired is None]
    added = [name for name in dict.fromkeys(each.fingerprint for each in listed) if _is_new(known.get(name))]
    missing = [each for each in trusted if each.fingerprint not in names and each.source is not Source.HAND]
    refused = {each.fingerprint for each in known.values() if each.retired is Reason.PERSON}
    can_sign = any(each.not_before <= at < each.not_after for each in listed if each.fingerprint not in refused)
    retired = [each for each in missing if can_sign and _is_over(each)]
    return Difference(
        added=tuple(added),
        again=tuple(name for name in added if name in known),
        back=tuple(each.fingerprint for each in trusted if each.missed and each.fingerprint in names),
        missing=tuple(each.fingerprint for each in missing if each not in retired),
        retired=tuple(each.fingerprint for each in retired),
    )


def last_end(trusted: Iterable[Held]) -> datetime | None:
    """Return when the last trusted certificate ends; None without any."""
    return max((each.not_after for each in trusted if each.retired is None), default=None)


def warning(*, ends_at: datetime, warned: int | None, at: datetime) -> int | None:
    """Return of how many days people are to be warned now, or None: each step once, and of several missed the last."""
    reached = [days for days in WARN_DAYS if ends_at - timedelta(days=days) <= at < ends_at]
    due = min(reached, default=None)
    return due if due is not None and (warned is None or due < warned) else None


def standing(held: Held, *, at: datetime) -> str:
    """Return how a certificate stands: retired, coming, ended, ending or trusted."""
    if held.retired:
        return "retired"
    if at < held.not_before:
        return "coming"
    if at >= held.not_after:
        return "ended"
    return "ending" if at >= held.not_after - timedelta(days=WARN_DAYS[0]) else "trusted"


def _is_new(held: Held | None) -> bool:
    return held is None or (held.retired is not None and held.retired is not Reason.PERSON)


def _is_over(held: Held) -> bool:
    is_idle = held.signed_at is None or (held.missing_since is not None and held.signed_at < held.missing_since)
    return held.missed + 1 >= MISSED_TO_RETIRE and is_idle
