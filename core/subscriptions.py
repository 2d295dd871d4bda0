"""What a platform tells of a customer's contract, and what it is told to set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AddOn:
    """Something bought beside the plan. `price` is for all of it, a month, in the currency's smallest unit."""

    code: str
    name: str
    quantity: int
    price: int


@dataclass(frozen=True, slots=True)
class Term:
    """Something kept from an earlier contract; without `until` it never ends."""

    code: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A customer's contract on one platform. `price` is the plan's, a month, in the currency's smallest unit."""

    plan: str
    plan_name: str
    price: int
    currency: str
    limits: Mapping[str, int | None] = field(default_factory=dict)
    """Resource → the most of it; None: as much as they like."""
    addons: tuple[AddOn, ...] = ()
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """How much of what is limited a customer uses, and how many of their people hold which role."""

    resources: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """What an account of the new platform may use, and which of its organisation's rules are set."""

    features: frozenset[str] = frozenset()
    policies: Mapping[str, bool] = field(default_factory=dict)
    """Rule → whether the organisation allows it; one that is not set stands nowhere."""


@dataclass(frozen=True, slots=True)
class Provision:
    """An order to the new platform: this account gets exactly this subscription."""

    account_id: UUID
    account_name: str
    tenant_ref: str
    subscription: Subscription
