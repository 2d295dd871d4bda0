"""Checks of company sign-in, and of the ways back from it."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.domain.enforcement import EXPIRY_WARNING, State
from accounts.domain.recovery import SEATS
from accounts.queries import cutbacks, enforcement, lockouts
from core.findings import Finding, Outcome
from core.readiness import PREFLIGHT, check


@check(
    "accounts.no_cutback",
    title="Sign-in is not cut back to passwords",
    owner="identity-billing",
    due="T0",
    valid_for=timedelta(hours=1),
    link="sso/enforcement/",
)
def no_cutback(*, tenant_id: UUID, at: datetime) -> Finding:
    """A cutover does not begin while the customer's sign-in is in trouble."""
    cutback = cutbacks.open_one(tenant_id=tenant_id, at=at)
    if cutback is None:
        return Finding(Outcome.PASS, "No cutback runs or waits", facts={"cutback": False})
    if cutback.starts_at is None:
        fix = "Approve it or take it back under “Company sign-in”."
        return Finding(Outcome.WARN, "A cutback to passwords waits for approval", facts={"cutback": False}, fix=fix)
    fix = "Settle what is wrong with your provider; the cutback ends by itself, or sooner under “Company sign-in”."
    return Finding(Outcome.BLOCK, "Passwords sign your people in for some hours", facts={"cutback": True}, fix=fix)


@check(
    "accounts.break_glass",
    title="Two owners get in without your provider",
    owner="customer",
    due="T-3",
    valid_for=timedelta(days=1),
    link="sso/enforcement/",
    gates=(PREFLIGHT,),  # a code that is used in need must not shut the go/no-go
)
def break_glass(*, tenant_id: UUID, at: datetime) -> Finding:
    """When the provider fails, somebody has to get in and put it right."""
    state = enforcement.standing(tenant_id=tenant_id, at=at).state(at=at)
    holders = len(enforcement.holders(tenant_id=tenant_id))
    if state is State.OPEN:
        return Finding(Outcome.PASS, "Passwords sign your people in, so nobody depends on your provider yet")
    if holders >= len(SEATS):
        return Finding(Outcome.PASS, "Both break-glass owners hold recovery codes")
    fix = "Choose two owners under “Company sign-in”, and let each make a new set of codes there."
    return Finding(Outcome.BLOCK, f"{holders} of {len(SEATS)} break-glass owners hold recovery codes", fix=fix)


@check(
    "accounts.sso_enforcement",
    title="Your company's sign-in lets your people in",
    owner="customer",
    due="T-3",
    valid_for=timedelta(days=1),
    link="sso/forecast/",
    gates=(PREFLIGHT,),  # how many are linked changes every day, and must not void what is signed
)
def sso_enforcement(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody finds out on the day that a password opens nothing any more and the company's sign-in does not either."""
    standing = enforcement.standing(tenant_id=tenant_id, at=at)
    state = standing.state(at=at)
    if state is State.OPEN:
        return Finding(Outcome.PASS, "Passwords sign your people in; your company's sign-in is not enforced")
    forecast = lockouts.forecast(tenant_id=tenant_id)
    evidence = {"people": forecast.people, "stuck": forecast.stuck, "owners_stuck": forecast.owners_stuck}
    if forecast.is_grave:
        outcome = Outcome.BLOCK if forecast.owners_stuck else Outcome.WARN
        fix = "Look at who would not get in, and put right what stands with each."
        return Finding(outcome, forecast.in_words, evidence=evidence, fix=fix)
    if standing.expires_at is not None and standing.expires_at - at < EXPIRY_WARNING:
        fix = "Decide again under “Company sign-in”, or passwords count from then on."
        return Finding(Outcome.WARN, "It ends within two weeks", evidence=evidence, fix=fix)
    return Finding(Outcome.PASS, "It is decided, and nearly everybody gets in", evidence=evidence)
