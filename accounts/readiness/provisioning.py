"""Checks of provisioning: the directory gets in, goes on getting in, and nobody whom it names is left waiting."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.queries.provisioning import panel, tokens
from accounts.queries.provisioning.tokens import Keyring
from core.findings import Finding, Outcome
from core.readiness import PREFLIGHT, check

TOKEN_WARNING = timedelta(days=14)


@check(
    "accounts.provisioning",
    title="Your directory keeps people up to date",
    owner="customer",
    due="T-14",
    valid_for=timedelta(days=1),
    link="provisioning/",
    gates=(PREFLIGHT,),  # who waits, and when a token is rotated, must not void what is signed
)
def provisioning(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody keeps access whom the directory has put out, because its token ended and nobody noticed."""
    standing, keys = panel.standing(tenant_id=tenant_id), tokens.keyring(tenant_id=tenant_id, at=at)
    evidence = {
        "state": "enabled" if standing.is_enabled else "on trial" if standing.people else "not connected",
        "people": standing.people,
        "waiting": standing.waiting,
        "tokens": len(keys.counting),
        "last_end": keys.last_end.isoformat() if keys.last_end else None,
    }
    if not standing.is_enabled:
        if not standing.people or not keys.counting:
            return Finding(Outcome.PASS, "No directory changes who your members are", evidence=evidence)
        summary = f"Your directory has sent {_people(standing.people)}, on trial: nothing follows from it yet"
        fix = "Look at what would come of it under “Provisioning”, then enable it there, or revoke the token."
        return Finding(Outcome.WARN, summary, evidence=evidence, fix=fix)
    if not keys.counting:
        return Finding(Outcome.BLOCK, _locked_out(keys, at=at), evidence=evidence, fix=_ENTER_ANOTHER)
    if (ending := _ending(keys, at=at)) is not None:
        summary, fix = ending
        return Finding(Outcome.WARN, summary, evidence=evidence, fix=fix)
    if standing.waiting:
        waits = "waits" if standing.waiting == 1 else "wait"
        summary = f"{_people(standing.waiting)} of your directory {waits} for somebody here"
        fix = "Open “Provisioning”: what to do stands with each under “Needs you”."
        return Finding(Outcome.WARN, summary, evidence=evidence, fix=fix)
    summary = f"It is enabled, and nobody of {_people(standing.people)} waits"
    return Finding(Outcome.PASS, summary, evidence=evidence)


_ENTER_ANOTHER = (
    "Issue or rotate a token with the scope “scim” under “API tokens”, as an owner if it may change owners, and enter "
    "it in your directory."
)


def _locked_out(keys: Keyring, *, at: datetime) -> str:
    if not keys.every:
        return "Provisioning is enabled, but no token lets your directory in"
    last = keys.every[0].token
    if last.revoked_at is not None:
        return f"The token of your directory was revoked on {_day(last.revoked_at)}, and no other lets it in"
    if last.expires_at <= at:
        return f"The token of your directory ended on {_day(last.expires_at)}, and no other lets it in"
    return "Whoever issued the token of your directory may no longer do so, and it stopped with them"


def _ending(keys: Keyring, *, at: datetime) -> tuple[str, str] | None:
    """Return what is to be told of tokens that end soon, or that the directory does not use, and what to do."""
    used, last_end = keys.in_use, keys.last_end
    assert last_end is not None
    if used is None:
        return "Your directory has not called by a token that counts", "Enter the newest token in your directory."
    if used.token.expires_at > at + TOKEN_WARNING:
        return None
    ends = _day(used.token.expires_at)
    if last_end > used.token.expires_at:
        return f"Your directory still uses the token that ends on {ends}", "Enter the newer token in your directory."
    return f"The token of your directory ends on {ends}", "Rotate it under “API tokens”, and enter the new one there."


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"
