"""Who may sign, when, and when a signature no longer counts."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from core.domain.approvals import (
    TRANSITIONS,
    Method,
    ReAuthentication,
    RequestState,
    Standing,
    counter_refusal,
    is_complete,
    refusal,
)
from tests.packs import AT, OWNER, STAFF

STANDING = Standing(
    state=RequestState.OPEN,
    expires_at=AT + timedelta(days=1),
    requested_by=OWNER,
    seats=("customer_approver", "runbook_owner"),
    signed={},
    shown_evidence="aa",
    evidence_sha256="aa",
)


def _refusal(standing: Standing = STANDING, *, seat: str = "customer_approver", user_id: UUID = OWNER) -> str | None:
    return refusal(standing, seat=seat, user_id=user_id, at=AT)


def test_a_person_in_their_seat_may_sign_even_if_they_asked() -> None:
    assert _refusal() is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"state": RequestState.VETOED, "ending": "Too early."},
            "This request is vetoed and takes no more signatures. Too early.",
        ),
        ({"state": RequestState.VOIDED}, "This request is voided and takes no more signatures."),
        ({"state": RequestState.APPROVED}, "This request is approved and takes no more signatures."),
        ({"expires_at": AT}, "This request has expired without all its signatures."),
        ({"shown_evidence": "bb"}, "This page is out of date: it shows other evidence than the request holds now."),
        (
            {"signed": {"runbook_owner": OWNER}},
            "You have signed this request already. The other signature must be another person's.",
        ),
        ({"signed": {"customer_approver": STAFF}}, "Someone else has already signed in this place."),
        ({"seats": ("runbook_owner",)}, "This request does not ask for your signature."),
        ({"seats": ("customer_approver",)}, "You asked for this approval, so another person must give it."),
    ],
)
def test_each_refusal_says_why(changes: dict[str, object], message: str) -> None:
    assert _refusal(replace(STANDING, **changes)) == message  # type: ignore[arg-type]  # a table of fields


def test_a_request_is_complete_only_by_distinct_people_in_every_seat() -> None:
    assert not is_complete(STANDING)
    assert not is_complete(replace(STANDING, signed={"customer_approver": OWNER}))
    assert not is_complete(replace(STANDING, signed={"customer_approver": OWNER, "runbook_owner": OWNER}))
    assert is_complete(replace(STANDING, signed={"customer_approver": OWNER, "runbook_owner": STAFF}))


def test_an_ended_request_never_opens_again() -> None:
    assert TRANSITIONS[RequestState.OPEN] == set(RequestState) - {RequestState.OPEN}
    assert all(targets == frozenset() for state, targets in TRANSITIONS.items() if state is not RequestState.OPEN)


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(0), True),
        (timedelta(minutes=5), True),
        (timedelta(minutes=5, microseconds=1), False),
        (timedelta(seconds=-1), False),
    ],
)
def test_a_reauthentication_is_fresh_for_five_minutes(age: timedelta, fresh: bool) -> None:
    assert ReAuthentication(Method.TOTP, AT - age).is_fresh(at=AT) is fresh


@pytest.mark.parametrize(
    ("recorded", "given", "refused"),
    [(0, 0, False), (4, 5, False), (5, 5, True), (5, 4, True), (5, 0, True), (0, 1, False)],
)
def test_a_passkeys_counter_must_grow_unless_it_keeps_none(recorded: int, given: int, refused: bool) -> None:
    assert (counter_refusal(recorded=recorded, given=given) is not None) is refused
