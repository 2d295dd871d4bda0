"""Approvals: what is signed, who may sign, and when an approval ends."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

STATEMENT_LIFETIME = timedelta(minutes=5)
"""How long a statement may be signed after it was issued."""

REQUEST_LIFETIME = timedelta(days=7)
"""How long a request waits for its signatures."""

FRESH = timedelta(minutes=5)
"""How old a re-authentication may be for a signature of lower assurance."""


class RequestState(StrEnum):
    """Where a request for approval stands."""

    OPEN = "open"
    APPROVED = "approved"
    VETOED = "vetoed"
    VOIDED = "voided"


TRANSITIONS: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.OPEN: frozenset({RequestState.APPROVED, RequestState.VETOED, RequestState.VOIDED}),
    RequestState.APPROVED: frozenset(),
    RequestState.VETOED: frozenset(),
    RequestState.VOIDED: frozenset(),
}


class Method(StrEnum):
    """How a signature was given, the best first."""

    PASSKEY = "passkey"
    TOTP = "totp"
    PASSWORD = "password"  # noqa: S105 - the name of a method

    @property
    def lower_assurance(self) -> bool:
        """Whether only the server vouches for the person: no key of theirs signed the statement."""
        return self is not Method.PASSKEY

    @property
    def label(self) -> str:
        """The method's name for people."""
        return {"passkey": "Passkey", "totp": "Authenticator code", "password": "Password"}[self.value]


def refusal_of_method(*, given: Method, best: Method) -> str | None:
    """Say why a person must not sign in this way, in words fit for them: the lesser ways are for who has no better."""
    order = list(Method)
    if order.index(given) <= order.index(best):
        return None
    return f"You have a better way to sign than your {given.label.lower()}: your {best.label.lower()}."


@dataclass(frozen=True, slots=True)
class ReAuthentication:
    """That a person proved again who they are, how and when."""

    method: Method
    at: datetime

    def is_fresh(self, *, at: datetime) -> bool:
        """Say whether the proof is recent enough to sign with; one from the future is not."""
        return timedelta(0) <= at - self.at <= FRESH


@dataclass(frozen=True, slots=True)
class Seat:
    """One signature that a request needs: a name, and the only user who may give it where one is named."""

    name: str
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision about one signature looks at."""

    state: RequestState
    expires_at: datetime
    requested_by: UUID
    seats: tuple[str, ...]
    signed: Mapping[str, UUID]
    """Seats already taken, and by whom."""
    shown_evidence: str
    evidence_sha256: str
    ending: str = ""
    """Why the request ended, where it did."""


def refusal(standing: Standing, *, seat: str, user_id: UUID, at: datetime) -> str | None:
    """Say why a person must not sign, in words fit for them; None when they may.

    Whether they hold the permission of the seat is asked before.
    """
    if standing.state is not RequestState.OPEN:
        why = f" {standing.ending}" if standing.ending else ""
        return f"This request is {standing.state.value} and takes no more signatures.{why}"
    if at >= standing.expires_at:
        return "This request has expired without all its signatures."
    if standing.shown_evidence != standing.evidence_sha256:
        return "This page is out of date: it shows other evidence than the request holds now."
    if user_id in standing.signed.values():
        return "You have signed this request already. The other signature must be another person's."
    if seat not in standing.seats:
        return "This request does not ask for your signature."
    if seat in standing.signed:
        return "Someone else has already signed in this place."
    if len(standing.seats) == 1 and user_id == standing.requested_by:
        return "You asked for this approval, so another person must give it."
    return None


def is_complete(standing: Standing) -> bool:
    """Say whether every seat is signed, each by another person."""
    return set(standing.signed) == set(standing.seats) and len(set(standing.signed.values())) == len(standing.seats)


def counter_refusal(*, recorded: int, given: int) -> str | None:
    """Judge an authenticator's signature counter (WebAuthn level 3, section 7.2 step 22).

    Zero on both sides means that the authenticator keeps none, as synchronised passkeys do.
    """
    if recorded == 0 and given == 0:
        return None
    if given <= recorded:
        return "This passkey's counter went back: a copy of it may exist. Remove it and register another."
    return None


def token_digest(nonce: str) -> str:
    """Return the digest under which a nonce is looked up."""
    return hashlib.sha256(nonce.encode()).hexdigest()
