"""Checks that entitlements contribute; each judges the last snapshot, which is taken every night and at will."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from core.findings import Finding, Outcome
from core.readiness import check
from entitlements.domain import records
from entitlements.domain.preview import ROLE
from entitlements.queries import previews
from entitlements.queries.previews import State

IDS = (
    "entitlements.all_mapped",
    "entitlements.choices_made",
    "entitlements.within_limits",
    "entitlements.billing_matches",
)
LINK = "entitlements/"
DAY = timedelta(days=1)
LOOK = "On the Entitlements page, press “Compare again”."


def _judge(judge: Callable[[State], Finding], *, tenant_id: UUID, at: datetime) -> Finding:
    """Judge the last snapshot; what nobody has seen lately is unknown."""
    state = previews.state(tenant_id=tenant_id, at=at)
    if state is None:
        return Finding(Outcome.BLOCK, "Your contract has not been compared on both platforms yet", fix=LOOK)
    if state.is_stale(at):
        return Finding(Outcome.UNKNOWN, "Your contract was last compared more than a day ago", fix=LOOK)
    return judge(state)


@check(
    "entitlements.all_mapped",
    title="Everything in your plan has its place",
    owner="identity-billing",
    due="T-30",
    valid_for=DAY,
    link=LINK,
)
def all_mapped(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody crosses on a guess: each plan, limit, add-on, term and role stands in the matrix."""
    return _judge(_all_mapped, tenant_id=tenant_id, at=at)


def _all_mapped(state: State) -> Finding:
    unmapped = state.preview.unmapped
    # Which roles have people moves with every joiner and leaver; a role that the matrix does not know blocks by itself.
    bought = [line for line in state.preview.lines if line not in unmapped and line.kind != ROLE]
    facts = {
        "mapped": sorted(f"{line.kind}: {line.title}" for line in bought),
        "unmapped": sorted(f"{line.kind}: {line.title}" for line in unmapped),
    }
    if not unmapped:
        number = len(state.preview.lines)
        return Finding(Outcome.PASS, f"All {number} parts of your contract have a place on the new platform", facts)
    return Finding(
        Outcome.BLOCK,
        f"Nobody has said yet what becomes of: {', '.join(line.title for line in unmapped)}",
        facts,
        fix="Our identity and billing lead adds it to the matrix. An add-on you can also give up on the"
        " Entitlements page.",
    )


@check(
    "entitlements.choices_made",
    title="You have chosen what cannot stay as it is",
    owner="customer",
    due="T-30",
    valid_for=DAY,
    link=LINK,
)
def choices_made(*, tenant_id: UUID, at: datetime) -> Finding:
    """What ends or costs more is agreed to by the customer, in advance."""
    return _judge(_choices_made, tenant_id=tenant_id, at=at)


def _choices_made(state: State) -> Finding:
    waiting = state.preview.open_options
    facts = {
        "choices": {one.subject: {"made": one.made, "basis": one.basis} for one in state.preview.options},
    }
    if not waiting:
        number = len(state.preview.options)
        said = "All choices are made" if number else "Nothing of your contract asks for a choice"
        return Finding(Outcome.PASS, said, facts)
    return Finding(
        Outcome.BLOCK,
        f"A choice is yours: {', '.join(one.title for one in waiting)}",
        facts,
        fix="On the Entitlements page, an owner of your account accepts what takes its place, or gives it up.",
    )


@check(
    "entitlements.within_limits",
    title="You fit into the new limits",
    owner="customer",
    due="T-14",
    valid_for=DAY,
    link=LINK,
)
def within_limits(*, tenant_id: UUID, at: datetime) -> Finding:
    """What is used today must be possible tomorrow."""
    return _judge(_within_limits, tenant_id=tenant_id, at=at)


def _within_limits(state: State) -> Finding:
    usage = state.preview.usage
    facts = {"limits": {one.title: one.most for one in usage}, "over": [u.title for u in usage if u.state != "pass"]}
    evidence = {"usage": [{"what": u.title, "used": u.used, "limit": u.most} for u in usage if u.used is not None]}
    for outcome in (Outcome.BLOCK, Outcome.UNKNOWN, Outcome.WARN):
        over = [one for one in usage if one.state == outcome]
        if over:
            told = ", ".join(f"{one.title}: {_count(one.used)} of {_count(one.most)}" for one in over)
            fix = "Use less, or ask our identity and billing lead for a plan that holds more."
            return Finding(outcome, f"More is used than the new plan allows: {told}", facts, evidence, fix)
    if not usage:
        return Finding(Outcome.BLOCK, "The limits are not known before the plan has its place", facts, fix=LOOK)
    return Finding(Outcome.PASS, "What you use today fits into every new limit", facts, evidence)


def _count(number: int | None) -> str:
    return "not counted" if number is None else f"{number:,}"


@check(
    "entitlements.billing_matches",
    title="Billing matches what was promised",
    owner="identity-billing",
    due="T-30",
    valid_for=DAY,
    link=LINK,
)
def billing_matches(*, tenant_id: UUID, at: datetime) -> Finding:
    """No surprise billing: one open mismatch blocks.

    Names no amount: every member reads what checks found, and prices are for who may see the Entitlements page.
    """
    return _judge(_billing_matches, tenant_id=tenant_id, at=at)


def _billing_matches(state: State) -> Finding:
    promise = state.preview.promise
    facts = {
        "promise": records.of_subscription(promise),
        "mismatches": {row.subject: {"promised": row.promised, "found": row.found} for row in state.mismatches},
    }
    if promise is None:
        return Finding(
            Outcome.BLOCK,
            "What you will be billed is not settled yet",
            facts,
            fix="First everything needs its place and every choice its answer: see what “Entitlements” asks of you.",
        )
    if state.mismatches:
        titles = [row.title for row in state.mismatches]
        number = len(titles)
        return Finding(
            Outcome.BLOCK,
            f"{number} difference{'' if number == 1 else 's'} between the new platform and what was promised:"
            f" {', '.join(titles[:3])}{' and others' if titles[3:] else ''}",
            facts,
            fix="Our identity and billing lead sets the subscription up anew; nothing is billed until then.",
        )
    difference = state.preview.difference
    said = "no price change" if difference and not difference.minor else "the new price that you know"
    return Finding(Outcome.PASS, f"The new platform bills exactly what was promised: {said}", facts)
