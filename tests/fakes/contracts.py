"""Contracts of both platforms in memory, held to their word by `tests/contract/test_contracts.py`."""

from collections.abc import Collection, Mapping
from typing import ClassVar
from uuid import UUID

from core import tenancy
from core.ports import Rejected, Unavailable
from core.subscriptions import Access, Provision, Subscription, Use


class FakeContracts:
    """Holds legacy's contracts and use by the tenant's key in legacy, which a test fills."""

    held: ClassVar[dict[str, Subscription]] = {}
    used: ClassVar[dict[str, Use]] = {}
    people: ClassVar[dict[str, dict[str, str]]] = {}
    """Tenant's key in legacy → login (lower case) → role."""

    @classmethod
    def reset(cls) -> None:
        """Forget everything."""
        cls.held.clear()
        cls.used.clear()
        cls.people.clear()

    def subscription(self, *, tenant_ref: str) -> Subscription | None:
        """Answer as `core.ports.LegacyContracts` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return self.held.get(tenant_ref)

    def use(self, *, tenant_ref: str) -> Use:
        """Answer as `core.ports.LegacyContracts` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return self.used.get(tenant_ref, Use(resources={"seats": 0, "flights_per_year": 0}))

    def roles(self, *, tenant_ref: str, logins: Collection[str]) -> Mapping[str, str]:
        """Answer as `core.ports.LegacyContracts` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return {login: role for login, role in self.people.get(tenant_ref, {}).items() if login in logins}


class FakeBilling:
    """Holds the new platform's subscriptions; sells what the demo's new platform sells. `is_down` is an outage."""

    held: ClassVar[dict[UUID, Subscription]] = {}
    forbidden: ClassVar[dict[UUID, set[str]]] = {}
    is_down: ClassVar[bool] = False
    FEATURES: ClassVar = {
        "standard": {"flight-board", "report-view"},
        "professional": {"flight-board", "report-view", "report-export", "api", "webhooks"},
        "enterprise": {
            "flight-board", "report-view", "report-export", "api", "webhooks", "sso", "audit-log",
        },
    }  # fmt: skip
    PLANS: ClassVar = {"enterprise": "Enterprise", "professional": "Professional", "standard": "Standard"}
    ADDONS: ClassVar = {"weather": "Weather feed", "crew-messages": "Crew messages", "ops-mail": "Operations mail"}
    RESOURCES: ClassVar = {"members", "flights_per_year", "api_calls_per_day"}

    @classmethod
    def reset(cls) -> None:
        """Forget everything; the server is up."""
        cls.held.clear()
        cls.forbidden.clear()
        cls.is_down = False

    def subscription(self, *, account_id: UUID) -> Subscription | None:
        """Answer as `core.ports.Billing` promises."""
        self._talk()
        return self.held.get(account_id)

    def access(self, *, account_id: UUID) -> Access | None:
        """Answer as `core.ports.Billing` promises."""
        self._talk()
        held = self.held.get(account_id)
        if held is None:
            return None
        policies = dict.fromkeys(self.forbidden.get(account_id, set()), False)
        return Access(frozenset(self.FEATURES[held.plan]), policies)

    def provision(self, order: Provision) -> None:
        """Set up as `core.ports.Billing` promises."""
        self._talk()
        wanted = order.subscription
        if (
            wanted.plan not in self.PLANS
            or {one.code for one in wanted.addons} - self.ADDONS.keys()
            or wanted.limits.keys() - self.RESOURCES
        ):
            raise Rejected("The new platform does not sell a part of this subscription.")
        self.held[order.account_id] = wanted

    def _talk(self) -> None:
        tenancy.forbid_transaction("Talking to the new platform")
        if self.is_down:
            raise Unavailable("The new platform's database does not answer (no connection).")
