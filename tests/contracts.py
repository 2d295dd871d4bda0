"""A customer with a contract on both platforms, in memory."""

from dataclasses import replace

from accounts.models import Tenant
from core.subscriptions import AddOn, Subscription, Use
from tests.fakes.contracts import FakeBilling, FakeContracts

TELEX = AddOn("TTY-FAX", "Telex and fax", 1, 7_500)
"""Retired: the customer accepts operations mail in its place, or gives it up."""
OLD = Subscription(
    "OPS-PRO",
    "Operations Pro",
    145_000,
    "USD",
    {"seats": 60, "flights_per_year": 150_000},
    (AddOn("WX-FEED", "Weather feed", 1, 12_000), AddOn("CREW-SMS", "Crew messages", 5_000, 4_500)),
)
NEW = Subscription(
    "professional",
    "Professional",
    145_000,
    "USD",
    {"members": 60, "flights_per_year": 200_000, "api_calls_per_day": 100_000},
    (AddOn("crew-messages", "Crew messages", 5, 4_500), AddOn("weather", "Weather feed", 1, 12_000)),
)
USE = Use({"seats": 25, "flights_per_year": 9_000}, {"OWN": 1, "ADM": 2, "DSP": 22})


def sign(tenant: Tenant, *addons: AddOn, use: Use = USE) -> None:
    """Give a tenant its contract on legacy, with further add-ons, and on the new platform what was promised for it."""
    FakeContracts.held[tenant.legacy_ref] = replace(OLD, addons=OLD.addons + addons)
    FakeContracts.used[tenant.legacy_ref] = use
    FakeBilling.held[tenant.pk] = NEW


def bill(tenant: Tenant, price: int) -> None:
    """Let the new platform's plan cost this much a month."""
    FakeBilling.held[tenant.pk] = replace(FakeBilling.held[tenant.pk], price=price)
