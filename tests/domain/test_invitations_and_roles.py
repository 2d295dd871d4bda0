"""The life of an invitation, and who may give which role."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.domain import invitations, roles
from accounts.domain.invitations import State
from core.permissions import TenantRole

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SOON, PAST = NOW + timedelta(seconds=1), NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("expires_at", "accepted_at", "revoked_at", "state"),
    [
        (SOON, None, None, State.PENDING),
        (NOW, None, None, State.EXPIRED),
        (SOON, PAST, None, State.ACCEPTED),
        (PAST, PAST, None, State.ACCEPTED),
        (SOON, None, PAST, State.REVOKED),
        (PAST, None, PAST, State.REVOKED),
    ],
)
def test_the_state_of_an_invitation(
    expires_at: datetime, accepted_at: datetime | None, revoked_at: datetime | None, state: State
) -> None:
    assert invitations.state(at=NOW, expires_at=expires_at, accepted_at=accepted_at, revoked_at=revoked_at) is state


def test_only_a_digest_of_the_link_is_kept() -> None:
    assert invitations.digest("secret") != invitations.digest("Secret")
    assert "secret" not in invitations.digest("secret")
    assert len(invitations.digest("secret")) == 64


@pytest.mark.parametrize(
    ("email", "masked"), [("owner@jetblue.example", "o…@jetblue.example"), ("x@a.example", "x…@a.example")]
)
def test_an_address_is_shown_only_to_those_who_know_it(email: str, masked: str) -> None:
    assert invitations.mask(email) == masked


GIVES = {
    "owner": {"owner", "admin", "auditor", "member"},
    "admin": {"admin", "auditor", "member"},
    "auditor": set(),
    "member": set(),
    "cs": set(),
}


@pytest.mark.parametrize("by", GIVES)
@pytest.mark.parametrize("old", list(TenantRole))
@pytest.mark.parametrize("new", list(TenantRole))
def test_nobody_hands_out_or_takes_away_more_than_they_hold(by: str, old: TenantRole, new: TenantRole) -> None:
    assert roles.may_change(by_roles={by}, old=old, new=new) is (old in GIVES[by] and new in GIVES[by])
