"""Subscriptions and use as JSON, the form in which a snapshot keeps what was seen."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from core.subscriptions import AddOn, Subscription, Term, Use


def of_subscription(seen: Subscription | None) -> dict[str, Any] | None:
    """Return a subscription as JSON values."""
    if seen is None:
        return None
    terms = [{"code": term.code, "until": term.until.isoformat() if term.until else None} for term in seen.terms]
    return {**asdict(seen), "limits": dict(seen.limits), "addons": [asdict(one) for one in seen.addons], "terms": terms}


def subscription(kept: Mapping[str, Any] | None) -> Subscription | None:
    """Return the subscription that was kept."""
    if kept is None:
        return None
    addons = tuple(AddOn(**one) for one in kept["addons"])
    terms = tuple(
        Term(one["code"], date.fromisoformat(one["until"]) if one["until"] else None) for one in kept["terms"]
    )
    return Subscription(**{**kept, "addons": addons, "terms": terms})


def of_use(seen: Use) -> dict[str, Any]:
    """Return use as JSON values: counts only."""
    return {"resources": dict(seen.resources), "roles": dict(seen.roles)}


def use(kept: Mapping[str, Any]) -> Use:
    """Return the use that was kept."""
    return Use(**kept)
