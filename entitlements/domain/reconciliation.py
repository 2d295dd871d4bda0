"""Reconciliation: what the new platform holds against what the matrix promises; no surprise billing."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.subscriptions import Subscription
from entitlements.domain.money import Money
from entitlements.domain.preview import UNLIMITED

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that would be invoiced or limited otherwise than promised."""

    subject: str
    """Stable: `plan`, `price`, `limit:members`, `addon:weather`, `term:kept-price`."""
    title: str
    promised: str
    found: str


def mismatches(
    *, promise: Subscription, found: Subscription | None, undecided: Collection[str] = ()
) -> tuple[Mismatch, ...]:
    """Return everything in which the new platform differs from the promise; names do not matter, only what counts.

    Add-ons that are `undecided` are not judged.
    """
    if found is None:
        return (Mismatch("subscription", "Subscription", promise.plan_name, NOTHING),)
    return tuple(_differences(promise, found, undecided))


def _differences(promise: Subscription, found: Subscription, undecided: Collection[str]) -> Iterator[Mismatch]:
    if promise.plan != found.plan:
        yield Mismatch("plan", "Plan", promise.plan_name, found.plan_name)
    if (promise.price, promise.currency) != (found.price, found.currency):
        yield Mismatch("price", "Price of the plan", _price(promise, promise.price), _price(found, found.price))
    for name in sorted(promise.limits.keys() | found.limits.keys()):
        ours, theirs = _limit(promise, name), _limit(found, name)
        if ours != theirs:
            yield Mismatch(f"limit:{name}", f"Limit: {name.replace('_', ' ')}", ours, theirs)
    mine = {one.code: one for one in promise.addons}
    there = {one.code: one for one in found.addons}
    for code in sorted((mine.keys() | there.keys()) - set(undecided)):
        wanted, has = mine.get(code), there.get(code)
        if (wanted and (wanted.quantity, wanted.price)) != (has and (has.quantity, has.price)):
            said = [f"{one.quantity:,} for {_price(promise, one.price)}" if one else NOTHING for one in (wanted, has)]
            name = next(one.name for one in (wanted, has) if one)
            yield Mismatch(f"addon:{code}", f"Add-on: {name}", *said)
    ends = [{term.code: f"until {term.until:%d %b %Y}" if term.until else "without an end" for term in side.terms}
            for side in (promise, found)]  # fmt: skip
    for code in sorted(ends[0].keys() | ends[1].keys()):
        if ends[0].get(code) != ends[1].get(code):
            yield Mismatch(
                f"term:{code}", f"Earlier term: {code}", ends[0].get(code, NOTHING), ends[1].get(code, NOTHING)
            )


def _limit(side: Subscription, name: str) -> str:
    if name not in side.limits:
        return NOTHING
    most = side.limits[name]
    return UNLIMITED if most is None else f"{most:,}"


def _price(side: Subscription, minor: int) -> str:
    return f"{Money(minor, side.currency)} a month"
